"""Old Word files: text in pieces, headings, lists, tables; fields, hidden and sealed ones."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, doc_, sniff
from tests.ingestion.compound import compound, ticks
from tests.ingestion.test_outlook import SENT
from tests.ingestion.word import IN_TABLE, LISTED, Par, doc, row_end


def _read(*narrow: Par, wide: tuple[Par, ...] = (), **more: Any) -> Document:
    return doc_.read(doc(narrow, wide, **more), Limits())


def _blocks(document: Document) -> list[tuple[str, int, str]]:
    page = document.pages[0]
    return [(one.kind, one.level, page.text[one.start : one.end]) for one in page.blocks]


def test_pieces_of_both_widths_in_order() -> None:
    document = _read(
        Par("Größe\r", 1),
        Par("eins\x0bzwei\r"),
        wide=(Par("Привет \ud83d\ude00\r"), Par("Ende\r", 2)),
    )
    assert _blocks(document) == [
        ("heading", 1, "Größe"), ("paragraph", 0, "eins\nzwei"), ("paragraph", 0, "Привет 😀"),
        ("heading", 2, "Ende"),
    ]  # fmt: skip


def test_lists_and_outlines() -> None:
    deeper = LISTED + struct.pack("<HB", 0x260A, 1)
    document = _read(
        Par("a\r", 0, LISTED), Par("b\r", 0, deeper), Par("c\r", 0, struct.pack("<HB", 0x2640, 2)),
    )  # fmt: skip
    assert _blocks(document) == [
        ("list_item", 1, "a"), ("list_item", 2, "b"), ("heading", 3, "c"),
    ]  # fmt: skip


def _cell(text: str) -> Par:
    return Par(f"{text}\x07", 0, IN_TABLE)


def test_tables_with_what_cells_reach_over() -> None:
    document = _read(
        Par("before\r"), _cell("Item"), Par("Net\r", 0, IN_TABLE), _cell("more"), _cell(""),
        row_end((0, 100, 200, 300), (0, 0, 0)),
        _cell("Pens"), _cell("1.50"), row_end((0, 100, 300), (0, 0)),
        _cell("a"), _cell("b"), _cell(""), row_end((0, 100, 200, 300), (0x60, 1, 2)),
        _cell(""), _cell("c"), _cell("d"), row_end((0, 100, 200, 300), (0x20, 0, 0)),
        Par("after\r"),
    )  # fmt: skip
    (table,) = document.pages[0].tables
    told = [[(c.text, c.col, c.rowspan, c.colspan) for c in row] for row in table.rows]
    assert told == [
        [("Item", 0, 1, 1), ("Net more", 1, 1, 1), ("", 2, 1, 1)],
        [("Pens", 0, 1, 1), ("1.50", 1, 1, 2)],
        [("a", 0, 2, 1), ("b", 1, 1, 2)],
        [("c", 1, 1, 1), ("d", 2, 1, 1)],
    ]
    assert [kind for kind, _, _ in _blocks(document)] == ["paragraph", "table", "paragraph"]


def test_of_fields_the_result_and_nothing_hidden() -> None:
    document = _read(
        Par('see \x13 HYPERLINK "http://a"\x13 x \x14y\x15\x01\x14here\x15!\r'),
        Par("for all secret eyes\r"), hidden="secret ",
    )  # fmt: skip
    assert document.pages[0].text == "see here!\n\nfor all eyes"


def test_a_field_that_is_never_closed_ends_no_document() -> None:
    document = _read(Par("a\x13" * 200 + "\r"), Par("\x15" * 9 + "b\r"))
    assert len(document.pages) == 1


def test_notes_and_edges_come_after() -> None:
    document = _read(
        Par("text\r"), Par("note\r"), Par("top\r"), Par("top\r"), lengths={0x50: 5, 0x54: 8}
    )
    assert _blocks(document) == [
        ("paragraph", 0, "text"), ("paragraph", 0, "note"), ("header", 0, "top"),
    ]  # fmt: skip


def test_title_dates_macros_and_objects_are_told() -> None:
    title = struct.pack("<II", 0x1E, 6) + "Größe\0".encode("cp1252") + b"\0\0"
    told = [
        (1, struct.pack("<IHH", 2, 1252, 0)),
        (2, title),
        (12, struct.pack("<I", 64) + ticks(SENT)),
    ]
    section, body = b"", b""
    for number, value in told:
        section += struct.pack("<II", number, 8 + 8 * len(told) + len(body))
        body += value
    head = bytes(44) + struct.pack("<I", 48)
    summary = head + struct.pack("<II", 8 + len(section + body), len(told)) + section + body
    parts = {"Macros": {"dir": b"x"}, "ObjectPool": {"_1": {"a": b"x"}}}
    document = _read(Par("x\r"), more={"\x05SummaryInformation": summary, **parts})
    assert (document.title, document.metadata) == ("Größe", {"created": "2026-10-05T08:00:00Z"})
    assert document.warnings == (
        "The file holds macros; they were not read and never run.",
        "1 objects of other programs were not read.",
    )


def test_it_is_known_by_its_content_and_any_case() -> None:
    assert sniff(doc((Par("x\r"),)), "a.doc") == "doc"
    assert sniff(compound({"WORDDOCUMENT": bytes(600)}), "noname") == "doc"


@pytest.mark.parametrize("flags", [0x100, 0x8100])
def test_a_sealed_document_says_so(flags: int) -> None:
    with pytest.raises(Unfinishable) as caught:
        _read(Par("x\r"), flags=flags)
    assert caught.value.slug == "encrypted"


@pytest.mark.parametrize(
    "stream",
    [b"", bytes(600), struct.pack("<HH", 0xA5DB, 45).ljust(600, b"\0"),
     struct.pack("<HH", 0xA5EC, 0xC1).ljust(900, b"\xff"),
     struct.pack("<HHHHHH", 0xA5EC, 0xC1, 0, 0, 0, 0).ljust(900, b"\0")],
)  # fmt: skip
def test_what_is_no_document_is_damaged(stream: bytes) -> None:
    with pytest.raises(Unfinishable) as caught:
        doc_.read(compound({"WordDocument": stream, "1Table": b"\x02\xff\xff\xff\xff"}), Limits())
    assert caught.value.slug in ("corrupted", "encrypted")


def test_word_6_in_the_code_page_of_its_language() -> None:
    text = "Слово\rdва\x07б\x07\x07".encode("cp1251")
    stream = bytearray(0x300) + text
    struct.pack_into("<HHHHHH", stream, 0, 0xA5DC, 101, 0, 1049, 0, 0)
    struct.pack_into("<II", stream, 0x18, 0x300, len(stream))
    struct.pack_into("<I", stream, 0x34, len(text))
    document = doc_.read(compound({"WordDocument": bytes(stream)}), Limits())
    assert document.pages[0].text == "Слово\n\ndва | б"


@pytest.mark.parametrize("step", range(7))
def test_bytes_that_lie_end_in_words(step: int) -> None:
    """Every number of the head and of the tables, one after the other, says too much."""
    whole = doc(tuple(Par(f"p{n}\r", 1, IN_TABLE) for n in range(8)), hidden="p3")
    ends = set()
    for at in range(512 + step * 4, len(whole) - 4, 28):
        data = bytearray(whole)
        data[at : at + 4] = b"\xff\xff\xff\x7f"
        try:
            doc_.read(bytes(data), Limits())
        except Unfinishable as error:
            ends.add(error.slug)
    assert ends <= {"corrupted", "encrypted", "limit_memory"}
