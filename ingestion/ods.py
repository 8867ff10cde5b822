"""ODS as tables: computed values with their types, formulas beside them, a page per sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any

from core.documents import Document
from core.errors import Unfinishable
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.odf import OFFICE, STYLE, TABLE, check_readable, metadata_of_odf, text_of, whole
from ingestion.page_text import PageText
from ingestion.paging import NAMES_MAX, TOO_MUCH, Facts, Opened, Reading, Skipped, Step, each
from ingestion.parts import Parts, PartStream, stream_xml
from ingestion.resuming import Behind
from ingestion.sheet_cells import SheetMarks, grid_of, metadata_of
from ingestion.sheet_styles import Shown, spans_of
from ingestion.sheets import add_grid, stopped
from ingestion.values import address, letters

_COLUMNS = 16_384
_ROWS = 1_048_576
_PLACES = re.compile(r"\[\.?([^\[\]]{1,200})\]")  # [.B2:.C3], ['Other sheet'.A1]
_MARKS = 10_000
_NUMBERS = ("float", "percentage", "currency")
_COVERED = f"{TABLE}covered-table-cell"
_HIDES = ("collapse", "filter")
_BEGIN = re.compile(rb"<(?:[\w.-]{1,20}:)?table(?=[\s>])([^<>]{0,2000})>")
_NAME = re.compile(rb"""(?<![\w-])(?:[\w.]{1,20}:)?name=["']([^"'<]{0,500})["']""")


def read(data: bytes, limits: Limits) -> Document:
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Hidden sheets, rows and columns are read too and named in `metadata`. The sheets stand in
    one part, behind each other: those before `first` are passed over, and so is one whose XML is
    broken."""
    parts = Parts(data, limits)
    check_readable(parts)
    with parts.open("content.xml") as stream:
        names = _names(stream)
    parts.count(-stream.size)
    metadata = metadata_of_odf(parts) | metadata_of(names, [], {})
    about = Document("ods", (), title=metadata.pop("title", None), metadata=metadata)
    yield Opened(min(max(1, len(names)), limits.pages), about, "sheet", tuple(names[:NAMES_MAX]))
    book = _Book(limits, first)
    for left in range(limits.restarts, -1, -1):
        size = 0
        try:
            with parts.open("content.xml") as stream:
                source = Behind(stream, book.number, _BEGIN) if book.number else stream
                yield from book.read(source)
            break
        except Unfinishable as error:
            size = stream.size
            if error.slug in TOO_MUCH or book.number < max(1, first):
                raise
            if book.ended == book.number:
                yield Facts(warnings=(f"Damage behind sheet {book.number}: {error.detail}",))
            else:
                yield Skipped(book.number, error.detail, error.slug)
            if book.number >= len(names):
                break
            if not left:
                yield Facts(warnings=("The sheets behind it were not read.",))
        parts.count(-size)  # the next one begins anew
    if not book.number:
        raise Unfinishable("The workbook has no sheets.", code="no_pages")
    return about


def _names(stream: PartStream) -> list[str]:
    """Of all sheets, as far as they can be told without reading them."""
    found: list[str] = []
    rest = b""
    while piece := stream.read():
        rest += piece
        for match in _BEGIN.finditer(rest):
            name = _NAME.search(match[1])
            found.append(unescape(name[1].decode("utf-8", "replace")) if name else "")
        rest = rest[max(rest.rfind(b"<"), len(rest) - 4_096) :]
        if b">" in rest:
            rest = b""
    return found


@dataclass(slots=True)
class _Sheet:
    name: str
    hidden: bool = False
    rows: dict[int, list[Any]] = field(default_factory=dict)  # only those in which something is
    at: int = 0  # the next row
    col: int = 0  # the next column that is declared
    marks: SheetMarks = field(default_factory=SheetMarks)
    shown: Shown = field(default_factory=Shown)
    units: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)


class _Book:
    def __init__(self, limits: Limits, first: int) -> None:
        self.number = 0  # of the present sheet
        self.ended = 0  # the last sheet that was read to its end
        self._first = first
        self._cells = limits.cells
        self._most = 2 * limits.cells
        self._pages = limits.pages
        self._hides: set[str] = set()  # styles of hidden sheets
        self._sheet = _Sheet("")

    def read(self, stream: Any) -> Iterator[Step]:
        tags = tuple(f"{TABLE}{name}" for name in ("table", "table-row", "table-column"))
        tags = (*tags, f"{STYLE}style")
        for event, element in stream_xml(stream, events=("start", "end"), tags=tags):
            if event == "start":
                if element.tag == tags[0]:
                    self._begin(element)
                continue
            if element.tag == tags[3]:
                self._style(element)
                continue
            if self.number >= self._first:
                if element.tag == tags[1]:
                    self._row(element)
                elif element.tag == tags[2]:
                    self._column(element)
                elif self.number <= self._pages:
                    yield from each([self.number], self._end)
                    if self._cells <= 0:
                        yield Facts(warnings=(stopped(self._sheet.name),))
                        return
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]

    def _style(self, element: Any) -> None:
        told = element.find(f"{STYLE}table-properties")
        if told is not None and told.get(f"{TABLE}display") == "false":
            self._hides.add(str(element.get(f"{STYLE}name")))

    def _begin(self, element: Any) -> None:
        self.number += 1
        hidden = element.get(f"{TABLE}style-name") in self._hides
        self._sheet = _Sheet(str(element.get(f"{TABLE}name", "")), hidden)

    def _column(self, element: Any) -> None:
        sheet = self._sheet
        count = whole(element.get(f"{TABLE}number-columns-repeated"), 1, _COLUMNS)
        if element.get(f"{TABLE}visibility") in _HIDES:
            last = min(sheet.col + count, sheet.col + 200)
            sheet.shown.columns.extend(letters(col) for col in range(sheet.col, last))
        sheet.col += count

    def _row(self, element: Any) -> None:
        sheet = self._sheet
        count = whole(element.get(f"{TABLE}number-rows-repeated"), 1, _ROWS)
        values = self._values(element)
        if values:
            # A row that repeats without end is a background, not a million records.
            times = count if count * len(values) <= max(1_000, self._cells) else 1
            for _ in range(times):
                if self._cells <= 0:
                    break
                sheet.rows[sheet.at] = values
                if element.get(f"{TABLE}visibility") in _HIDES:
                    sheet.hidden_rows.append(sheet.at + 1)
                sheet.at += 1
                self._cells -= len(values)
            sheet.at += count - times
        else:
            sheet.at += count

    def _values(self, row: Any) -> list[Any]:
        found: list[Any] = []
        for cell in _cells(row):
            value = _value(cell)
            formula = cell.get(f"{TABLE}formula")
            count = whole(cell.get(f"{TABLE}number-columns-repeated"), 1, _COLUMNS)
            if value is None and formula is None:
                found.extend([None] * min(count, _COLUMNS - len(found)))
                continue
            self._beside(cell, len(found), formula)
            found.extend([value] * min(count, 1_000, _COLUMNS - len(found)))
        while found and found[-1] is None and address(self._sheet.at, len(found) - 1) not in (
            self._sheet.marks.formulas
        ):  # fmt: skip
            found.pop()
        return found

    def _beside(self, cell: Any, col: int, formula: str | None) -> None:
        marks, place = self._sheet.marks, address(self._sheet.at, col)
        if formula is not None and self._cells > 0:
            told = formula.partition("=")[2]
            marks.formulas[place] = "=" + _PLACES.sub(lambda m: m[1].replace(":.", ":"), told)
        down = whole(cell.get(f"{TABLE}number-rows-spanned"), 1, _ROWS)
        right = whole(cell.get(f"{TABLE}number-columns-spanned"), 1, _COLUMNS)
        if (down, right) != (1, 1) and len(marks.merged) < _MARKS:
            marks.merged[place] = (down, right)
        kind = cell.get(f"{OFFICE}value-type")
        unit = "%" if kind == "percentage" else cell.get(f"{OFFICE}currency")
        if unit and kind in ("percentage", "currency"):
            at = self._sheet.units.setdefault((unit[:3], letters(col)), [])
            at.append(self._sheet.at + 1)

    def _end(self, number: int) -> Iterator[Step]:
        sheet, self.ended = self._sheet, number
        for (unit, column), numbers in sheet.units.items():
            sheet.shown.units.setdefault(unit, []).extend(spans_of(column, numbers))
        sheet.shown.rows.extend(spans_of("", sheet.hidden_rows))
        page = PageText()
        for top, rows in _runs(sheet, self._most):
            add_grid(page, grid_of(rows, top, 0, sheet.marks), sheet.name)
        yield page.page(number, sheet=sheet.name)
        hidden = [sheet.name] if sheet.hidden else []
        yield Facts(metadata_of([], hidden, {sheet.name: sheet.shown}))


def _cells(row: Any) -> Iterator[Any]:
    for cell in row:
        if cell.tag in (f"{TABLE}table-cell", _COVERED):
            yield cell


def _runs(sheet: _Sheet, most: int) -> Iterator[tuple[int, list[list[Any]]]]:
    """Rows that stand together, filled up to one width: at most `most` cells, for among many
    narrow rows one may be as wide as a sheet can be."""
    top, wide, run = 0, 0, list[list[Any]]()
    for at, row in sorted(sheet.rows.items()):
        wide = max(wide, len(row))
        if run and (at > top + len(run) or wide * (len(run) + 1) > most):
            yield top, _filled(run)
            run, wide = [], len(row)
        if not run:
            top = at
        run.append(row)
    if run:
        yield top, _filled(run)


def _filled(rows: list[list[Any]]) -> list[list[Any]]:
    wide = max(map(len, rows))
    return [row + [None] * (wide - len(row)) for row in rows]


def _value(cell: Any) -> Any:
    """As typed by the program that computed it; None for an empty cell."""
    kind = cell.get(f"{OFFICE}value-type")
    if cell.tag == _COVERED:
        return None
    if kind in _NUMBERS:
        try:
            return float(cell.get(f"{OFFICE}value", ""))
        except ValueError:
            return text_of(cell) or None
    if kind == "boolean":
        return cell.get(f"{OFFICE}boolean-value") == "true"
    if kind == "date":
        return _date(str(cell.get(f"{OFFICE}date-value", "")))
    if kind == "time":
        return text_of(cell) or cell.get(f"{OFFICE}time-value")
    return text_of(cell) or None


def _date(told: str) -> Any:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return told or None
