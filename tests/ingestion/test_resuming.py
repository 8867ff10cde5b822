"""An ODS file whose XML is broken in places: the sheets beside them are read."""

from __future__ import annotations

import io
import re

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, ods, parse
from ingestion.resuming import Behind
from tests.ingestion import builders

_SPACE = "urn:oasis:names:tc:opendocument:xmlns"
_HEAD = (
    f'<?xml version="1.0"?><office:document-content xmlns:office="{_SPACE}:office:1.0"'
    f' xmlns:table="{_SPACE}:table:1.0" xmlns:text="{_SPACE}:text:1.0"><office:body>'
    "<office:spreadsheet>"
)
_FOOT = "</office:spreadsheet></office:body></office:document-content>"
_ROW = (
    '<table:table-row><table:table-cell office:value-type="string"><text:p>{}</text:p>'
    "</table:table-cell></table:table-row>"
)
BROKEN = ("<table:table-row></wrong>", '<x a="', "&nope;")


def sheet(name: str, rows: int, more: str = "") -> str:
    return f'<table:table table:name="{name}">{_ROW.format(name) * rows}{more}</table:table>'


def workbook(*sheets: str) -> bytes:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return builders.archive({"mimetype": kind, "content.xml": _HEAD + "".join(sheets) + _FOOT})


def told(document: Document) -> list[tuple[int, str | None]]:
    return [(page.number, page.sheet) for page in document.pages]


@pytest.mark.parametrize("rows", [1, 3_000])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_sheet_costs_itself(broken: str, rows: int) -> None:
    data = workbook(sheet("A", rows), sheet("B", rows, broken), sheet("C", rows),
                    sheet("D", rows, broken), sheet("E", rows))  # fmt: skip
    document = parse(data, "a.ods", "ods")
    assert told(document) == [(1, "A"), (3, "C"), (5, "E")]
    assert [warning[:21] for warning in document.warnings] == [
        "sheet B was skipped: ", "sheet D was skipped: ",
    ]  # fmt: skip
    assert document.pages[2].tables or document.pages[2].text.startswith("E")


def test_damage_between_sheets_costs_none() -> None:
    data = workbook(sheet("A", 2), "</table:table>", sheet("B", 2))
    document = ods.read(data, Limits())
    assert told(document) == [(1, "A"), (2, "B")]
    assert document.warnings[0].startswith("Damage behind sheet 1")


def test_damage_without_end_is_not_followed_without_end() -> None:
    data = workbook(*(sheet(f"S{n}", 1, BROKEN[0]) for n in range(20)), sheet("Z", 1))
    with pytest.raises(Unfinishable) as caught:
        ods.read(data, Limits(restarts=5))
    assert caught.value.slug == "corrupted"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("skip", [0, 1, 2, 3])
def test_bytes_between_are_left_out_however_they_come(size: int, skip: int) -> None:
    text = b"<a><b/><t 1>one</t><t 2>two</t><t 3>three</t></a>"
    source = Behind(Chunks(text, size), skip, re.compile(rb"<t [^<>]*>"))
    got = b"".join(iter(lambda: source.read(), b""))
    marks = [match.start() for match in re.finditer(rb"<t ", text)]
    assert got == b"<a><b/>" + (text[marks[skip] :] if skip < len(marks) else b"")


class Chunks:
    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._size)
