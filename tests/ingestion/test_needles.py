"""Letters that are looked for before a pattern change no answer of it."""

from __future__ import annotations

import pytest

from ingestion import kind_marks, kinds
from ingestion.needles import Sought, sought
from tests.ingestion.kinds import texts


def _all() -> list[Sought]:
    held: list[object] = [*vars(kind_marks).values(), *kinds._COMPILED.values()]
    while any(type(one) is tuple for one in held):
        held = [deep for one in held for deep in (one if type(one) is tuple else (one,))]
    return [one for one in held if isinstance(one, Sought)]


def test_every_pattern_answers_as_it_does_alone() -> None:
    samples = [text for name in ("dev", "held") for _kind, text in texts(name)]
    patterns = _all()
    assert len(patterns) > 70
    for text in [*samples, *map(str.upper, samples)]:
        small = text.lower()
        for one in patterns:
            assert one.fits(text, small) == bool(one.pattern.search(text)), one.pattern.pattern


@pytest.mark.parametrize(
    ("pattern", "needles"),
    [
        (r"root cause|re-?elected", ("root cause", "elected")),
        (r"\b[a-z]{0,20}rechnung\b|labels?", ("rechnung", "label")),
        (r"terminat\w+ (?:on|by (?:him|her))", ("terminat",)),
        (r"(?:sub)?total|§\s?\d+", ("total", "§")),
        (r"total|^\W*(?:offer|quote)\b", ("total", "offer", "quote")),
        (r"(?:(?:net )?(?:vat|ust))\d|(?:tax)?\d", ()),  # the tax may be missing
        (r"\d(?:(?:net )?(?:vat|ust))+(?!no)", ("vat", "ust")),
        (r"ab+c|x{2}", ()),
    ],
)
def test_letters_that_a_fit_must_hold(pattern: str, needles: tuple[str, ...]) -> None:
    assert sought(pattern).needles == needles


def test_no_pattern_runs_on_a_text_without_its_letters() -> None:
    class Loud:
        pattern = "never"

        def search(self, _text: str) -> None:
            raise AssertionError("it ran")

    one = Sought(Loud(), ("cause",))  # type: ignore[arg-type]
    assert not one.fits("No reason", "no reason")
