"""The records of an XLS file that tell what values do not: what is hidden, units, formulas.

Source: [MS-XLS].
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.ole import MARK, Compound
from ingestion.sheet_styles import Shown, spans_of, unit_in
from ingestion.values import letters

MACROS = frozenset({"_VBA_PROJECT_CUR", "VBA"})
_BOF, _EOF, _SHEET, _XF, _FORMAT, _FILEPASS = 0x809, 0x0A, 0x85, 0xE0, 0x41E, 0x2F
_ROW, _COLINFO, _FORMULA, _RK, _NUMBER, _MULRK = 0x208, 0x7D, 0x06, 0x27E, 0x203, 0xBD
_CELLS = (_FORMULA, _RK, _NUMBER, 0xFD, 0x204, 0x205)  # also texts, truths and errors
_PERCENT = (9, 10)
_FORMULAS_MAX = 300_000


@dataclass(slots=True)
class SheetRecords:
    rows: int = 0  # the last one, from 0, in which a cell stands
    columns: int = 0
    formulas: list[tuple[int, int]] = field(default_factory=list)
    shown: Shown = field(default_factory=Shown)


def records_of(data: bytes, limits: Limits) -> tuple[dict[str, SheetRecords], bool]:
    """By sheet name, and whether the file holds macros."""
    if not data.startswith(MARK):
        return {}, False  # a bare stream of BIFF 2 to 4
    try:
        file = Compound(data, limits)
        book = file.read("Workbook") or file.read("Book")
        return _sheets(book), not MACROS.isdisjoint(file.root.storages)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise Unfinishable(
            "The workbook is damaged: its records are cut off.", code="corrupted"
        ) from error


def _number(data: bytes, at: int, form: str, most: int = 0xFFFFFFFF) -> int:
    return min(int(struct.unpack_from(form, data, at)[0]), most)


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, begin and end of each record up to the end of its part."""
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        yield kind, at + 4, min(at + 4 + length, len(book))
        if kind == _EOF:
            return
        at += 4 + length


def _sheets(book: bytes) -> dict[str, SheetRecords]:
    places: dict[str, int] = {}
    formats: dict[int, str] = {}
    styles: list[int] = []
    wide = True
    for kind, begin, end in _records(book, 0):
        if kind == _FILEPASS:
            raise Unfinishable(
                "The workbook is encrypted. Save it without a password and send it again.",
                code="encrypted",
            )
        if kind == _BOF:
            wide = _number(book, begin, "<H") >= 0x600
        elif kind == _SHEET and wide:
            name = _text(book[begin + 6 : end], 1)
            places[name] = _number(book, begin, "<I")
        elif kind == _FORMAT and wide:
            formats[_number(book, begin, "<H")] = _text(book[begin + 2 : end], 2)
        elif kind == _XF:
            styles.append(_number(book, begin + 2, "<H"))
    units = {
        number: unit
        for number, kind in enumerate(styles)
        if (unit := "%" if kind in _PERCENT else unit_in(formats.get(kind, "")))
    }
    return {name: _sheet(book, at, units) for name, at in places.items()}


def _text(raw: bytes, width: int) -> str:
    """A string with its length in `width` bytes and a byte that says how it is written."""
    count = int.from_bytes(raw[:width], "little")
    body = raw[width + 1 :]
    if raw[width : width + 1] and raw[width] & 1:
        return body[: 2 * count].decode("utf-16-le", "replace")
    return body[:count].decode("latin-1")


def _sheet(book: bytes, at: int, units: dict[int, str]) -> SheetRecords:
    found = SheetRecords()
    hidden: list[int] = []
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for kind, begin, end in _records(book, at):
        if kind == _ROW and book[begin + 12] & 0x20:
            hidden.append(_number(book, begin, "<H") + 1)
        elif kind == _COLINFO and book[begin + 8] & 1:
            first, last = struct.unpack_from("<HH", book, begin)
            found.shown.columns.extend(map(letters, range(first, min(last, first + 200) + 1)))
        elif kind in _CELLS:
            row, col, style = struct.unpack_from("<HHH", book, begin)
            found.rows, found.columns = max(found.rows, row), max(found.columns, col)
            if kind == _FORMULA and len(found.formulas) < _FORMULAS_MAX:
                found.formulas.append((row, col))
            if style in units:
                places[units[style], col].append(row + 1)
        elif kind == _MULRK:
            row, col = struct.unpack_from("<HH", book, begin)
            for more, place in enumerate(range(begin + 4, end - 2, 6)):
                style = _number(book, place, "<H")
                if style in units:
                    places[units[style], col + more].append(row + 1)
    for (unit, col), numbers in places.items():
        told = spans_of(letters(col), sorted(set(numbers)))
        found.shown.units.setdefault(unit, []).extend(told)
    found.shown.rows.extend(spans_of("", hidden))
    return found
