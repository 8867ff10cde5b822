"""TXT, MD, CSV, JSON: structure, encodings, kinds."""

from __future__ import annotations

import json

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, csv_, json_, kinds, markdown, readers, text

FAST = Limits()


def cells(document: Document, number: int = 0) -> list[list[object]]:
    return [[cell.value for cell in row] for row in document.pages[0].tables[number].rows]


def test_paragraphs_headings_and_lists_of_plain_text() -> None:
    page = text.read(b"Meeting notes\n\nWe met.\nIt was fine.\n\n- one\n- two\n", FAST).pages[0]
    assert [(b.kind, page.text[b.start : b.end]) for b in page.blocks] == [
        ("heading", "Meeting notes"),
        ("paragraph", "We met.\nIt was fine."),
        ("list_item", "- one"),
        ("list_item", "- two"),
    ]


def test_form_feeds_are_pages() -> None:
    assert [p.text for p in text.read(b"one\ftwo", FAST).pages] == ["one", "two"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found(encoding: str) -> None:
    assert text.read("Größe für Köln".encode(encoding), FAST).pages[0].text == "Größe für Köln"


def test_markdown_structure_without_its_marks() -> None:
    source = (
        "---\ntitle: Front\n---\n# Top\n\nA **bold** [link](https://a.example).\n\n"
        "1. one\n2. two\n\n"
        "| a | b |\n|---|--:|\n| x | 2 |\n\n```sh\nls -l\n```\n\n> said\n"
    )
    document = markdown.read(source.encode(), FAST)
    page = document.pages[0]
    assert page.text == (
        "Top\n\nA bold link (https://a.example).\n\n1. one\n2. two\n\na | b\nx | 2\n\nls -l\n\nsaid"
    )
    assert [b.kind for b in page.blocks] == [
        "heading", "paragraph", "list_item", "list_item", "table", "code", "quote",
    ]  # fmt: skip
    assert document.title == "Front"
    assert cells(document) == [["a", "b"], ["x", 2]]


def test_csv_separator_quotes_and_decimal_comma() -> None:
    document = csv_.read('Name;Betrag\n"Müller; Sohn";1.234,50\nX;-2,00\n'.encode("cp1252"), FAST)
    assert cells(document) == [["Name", "Betrag"], ["Müller; Sohn", 1234.5], ["X", -2.0]]
    assert document.metadata["separator"] == ";"
    assert document.metadata["decimal_comma"] is True
    assert document.pages[0].tables[0].rows[1][1].address == "B2"


def test_codes_with_leading_zeros_stay_text() -> None:
    assert cells(csv_.read(b"a,b\n007,1e5\n0.5,+49\n", FAST))[1:] == [["007", "1e5"], [0.5, 49]]


def test_empty_rows_part_tables_and_addresses_go_on() -> None:
    document = csv_.read(b"Report,\n\na,b\n1,2\n\nx,y\n3,4\n", FAST)
    assert [table.rows[0][0].address for table in document.pages[0].tables] == ["A3", "A6"]


def test_a_ragged_csv_is_filled_up() -> None:
    assert cells(csv_.read(b"a,b,c\n1\n2,3,4\n", FAST))[1] == [1, None, None]


def test_records_become_a_table() -> None:
    document = json_.read(b'[{"id": 1, "ok": true}, {"id": 2, "note": "x"}]', FAST)
    assert cells(document) == [["id", "ok", "note"], [1, True, None], [2, None, "x"]]


def test_nested_json_becomes_lines_that_can_be_quoted() -> None:
    value = {"number": "A-1", "vendor": {"name": "Acme", "tags": ["x", "y"]}, "lines": [{"qty": 2}]}
    page = json_.read(json.dumps(value).encode(), FAST).pages[0]
    assert page.text == "number: A-1\n\nvendor\n\nname: Acme\ntags: x; y\n\nlines\n\nqty\n2"


@pytest.mark.parametrize("lines", [True, False])
def test_service_logs_are_logs(lines: bool) -> None:
    told = {"level": "ERROR", "service": "pay", "message": "boom"}
    records = [{"timestamp": f"2026-01-01T00:00:0{n}Z", **told} for n in range(5)]
    data = "\n".join(map(json.dumps, records)) if lines else json.dumps(records)
    document = json_.read(data.encode(), FAST)
    assert document.document_type == "log"
    assert document.pages[0].text.splitlines()[1] == "2026-01-01T00:00:00Z | ERROR | pay | boom"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": ', "corrupted"),
        (b"[" * 100_000, "too_many_parts"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "too_many_parts"),
    ],
)
def test_json_that_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        json_.read(data, FAST)
    assert caught.value.slug == code


def test_nul_bytes_and_not_a_number_do_no_harm() -> None:
    assert json_.read(b'{"a": NaN, "b": "x\\u0000y"}', FAST).pages[0].text == "a: NaN\nb: xy"
    assert csv_.read(b"a,b\nx\x00y,1\n", FAST).pages[0].text == "a | b\nxy | 1"


@pytest.mark.parametrize(
    ("name", "format", "content", "kind"),
    [
        ("x.txt", "txt", "INVOICE\n\nInvoice number: 7\nBill to: Ada", "invoice"),
        ("Rechnung 7.txt", "txt", "Rechnungsnummer 7\nBitte zahlen Sie", "invoice"),
        ("sops/restart.md", "md", "# Standard operating procedure\n\nDo it.", "sop"),
        ("RES-1-fix.md", "md", "# Resolution\n\nRoot cause: disk", "resolution"),
        ("errors.txt", "txt", "Error codes\n\nE1 broken", "error_codes"),
        ("notes.txt", "txt", "Meeting notes\n\nAttendees: Ada", "meeting_notes"),
        ("payments.csv", "csv", "date,invoice,amount\n2026-01-01,A,1\n", "ledger"),
        ("a.txt", "txt", "2026-01-01 10:00:00 INFO x\n" * 5, "log"),
        ("a.txt", "txt", "Once upon a time there was a cat.", "other"),
    ],
)
def test_kinds_are_guessed_by_words(name: str, format: str, content: str, kind: str) -> None:
    assert readers.read(content.encode(), name, format, None, FAST).document_type == kind


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("the cat and the dog are on the mat with you", "en"),
        ("der Hund und die Katze sind nicht auf dem Tisch", "de"),
        ("le chat et les chiens sont sur la table avec vous", "fr"),
        ("el perro y los gatos con una casa por la tarde", "es"),
        ("12345 67890", None),
    ],
)
def test_the_language_is_guessed(words: str, found: str | None) -> None:
    assert kinds.language(words) == found


def test_a_file_of_blanks_is_empty() -> None:
    with pytest.raises(Unfinishable) as caught:
        readers.read(b"  \n ", "a.txt", "txt", None, FAST)
    assert caught.value.slug == "empty"


def test_plain_values_of_an_object_stand_before_its_parts() -> None:
    value = {"vendor": {"name": "Acme"}, "total": 7}
    assert (
        json_.read(json.dumps(value).encode(), FAST).pages[0].text
        == "total: 7\n\nvendor\n\nname: Acme"
    )
