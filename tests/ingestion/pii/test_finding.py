"""Personal data is found with its exact place; what only looks like it is left."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pii import BY_DEFAULT, KINDS, find, hidden
from tests.ingestion.pii.lines import dev, held_out
from tests.ingestion.pii.scoring import scored


def _found(text: str, language: str | None = None) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text, language)]


@pytest.mark.parametrize("lines", [dev, held_out])
def test_the_labelled_lines_are_found_as_often_as_promised(lines: object) -> None:
    score = scored(lines())  # type: ignore[operator]
    assert score.recall >= 0.95, score.lost
    assert score.precision >= 0.90, score.wrong


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Frau Dr. Maria von Huber, geb. 12.03.1980", "de",
         [("name", "Maria von Huber"), ("birth_date", "12.03.1980")]),
        ("Goethestraße 12a, 80331 München", "de", [("address", "Goethestraße 12a, 80331 München")]),
        ("221B Baker Street, London NW1 6XE", "en",
         [("address", "221B Baker Street, London NW1 6XE")]),
        ("12 rue de la Paix, 75002 Paris", "fr", [("address", "12 rue de la Paix, 75002 Paris")]),
        ("Calle Mayor 5, 28013 Madrid", "es", [("address", "Calle Mayor 5, 28013 Madrid")]),
        ("Keizersgracht 12, 1015 CW Amsterdam", "nl",
         [("address", "Keizersgracht 12, 1015 CW Amsterdam")]),
        ("Codice fiscale RSSMRA85T10A562S", "it", [("tax_id", "RSSMRA85T10A562S")]),
        ("Mit freundlichen Grüßen\n\nAnna Schmidt\n", "de", [("name", "Anna Schmidt")]),
        ("Dear Maria,", "en", [("name", "Maria")]),
        ("Name: John Smith", "en", [("name", "John Smith")]),
        ("Name: Acme GmbH", "de", []),
        ("Client 10.0.0.7 and 2001:db8::7, version 10.0.0.7", "en",
         [("ip", "10.0.0.7"), ("ip", "2001:db8::7")]),
        ("at 12:30:45 on 2026-11-21", "en", []),
        ("run 01900000-0000-7000-8000-000000000000", "en", []),
    ],
)  # fmt: skip
def test_what_stands_around_it_tells_who_it_is(
    text: str, language: str, expected: list[tuple[str, str]]
) -> None:
    assert _found(text, language) == expected


def test_a_vat_number_is_a_business_and_found_only_when_asked_for() -> None:
    text = "USt-IdNr. DE136695976"
    assert _found(text, "de") == []
    (found,) = find(text, "de", KINDS)
    assert (found.kind, text[found.start : found.end]) == ("vat_id", "DE136695976")


def test_a_kind_that_is_left_is_not_taken_for_another() -> None:
    text = "IBAN DE89 3704 0044 0532 0130 00"
    assert find(text, "de", BY_DEFAULT - {"iban"}) == ()


@given(st.text(max_size=200), st.sampled_from(["de", "en", "fr", "nl", "es", None]))
def test_findings_lie_in_the_text_one_after_another(text: str, language: str | None) -> None:
    found = find(text, language)
    places = [place for one in found for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert len(hidden(text, [(one.start, one.end) for one in found])) == len(text)


def test_what_is_hidden_keeps_its_length_and_its_lines() -> None:
    text = "mail\nanna@example.com now"
    (one,) = find(text)
    assert hidden(text, [(one.start, one.end)]) == "mail\n•••••••••••••••• now"


@pytest.mark.parametrize("text", [
    "1 " * 20_000, "a." * 20_000, "A1" * 20_000, "+1" * 20_000, "Ab " * 15_000, "::" * 20_000,
    "x@" * 20_000, "1-" * 20_000, "Herr Ab " * 6_000, "a@" + "b." * 20_000, "(1" * 20_000,
    "Ab-" * 13_000, "1." * 20_000, "Name: " * 7_000,
])  # fmt: skip
def test_no_text_makes_it_slow(text: str) -> None:
    begun = time.process_time()
    find(text, "de")
    assert time.process_time() - begun < 2.0
