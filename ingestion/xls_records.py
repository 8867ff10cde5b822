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
from ingestion.xls_formulas import UNKNOWN, Book, text_of

MACROS = frozenset({"_VBA_PROJECT_CUR", "VBA"})
_BOF, _EOF, _SHEET, _XF, _FORMAT, _FILEPASS = 0x809, 0x0A, 0x85, 0xE0, 0x41E, 0x2F
_ROW, _COLINFO, _FORMULA, _RK, _NUMBER, _MULRK = 0x208, 0x7D, 0x06, 0x27E, 0x203, 0xBD
_SHARED, _ARRAY, _NAME, _LINKS, _BOOK, _OUTSIDE = 0x4BC, 0x221, 0x18, 0x17, 0x1AE, 0x23
_CELLS = (_FORMULA, _RK, _NUMBER, 0xFD, 0x204, 0x205)  # also texts, truths and errors
_PERCENT = (9, 10)
_FORMULAS_MAX = 300_000


@dataclass(slots=True)
class SheetRecords:
    rows: int = 0  # the last one, from 0, in which a cell stands
    columns: int = 0
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    shown: Shown = field(default_factory=Shown)
    broken: bool = False  # its records are cut off or cannot be


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
    told = Book()
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
            told.sheets.append(name)
        elif kind == _FORMAT and wide:
            formats[_number(book, begin, "<H")] = _text(book[begin + 2 : end], 2)
        elif kind == _XF:
            styles.append(_number(book, begin + 2, "<H"))
        elif kind == _NAME and wide:
            told.name(book[begin:end])
        elif kind == _LINKS and wide:
            told.links(book[begin:end])
        elif kind == _BOOK:
            told.supplies(book[begin:end])
        elif kind == _OUTSIDE and wide:
            told.outside(book[begin:end])
    units = {
        number: unit
        for number, kind in enumerate(styles)
        if (unit := "%" if kind in _PERCENT else unit_in(formats.get(kind, "")))
    }
    return {name: _whole(book, at, units, told) for name, at in places.items()}


def _whole(book: bytes, at: int, units: dict[int, str], told: Book) -> SheetRecords:
    """A broken sheet costs itself."""
    try:
        return _sheet(book, at, units, told)
    except (struct.error, IndexError, UnicodeDecodeError):
        return SheetRecords(broken=True)


def _text(raw: bytes, width: int) -> str:
    """A string with its length in `width` bytes and a byte that says how it is written."""
    count = int.from_bytes(raw[:width], "little")
    body = raw[width + 1 :]
    if raw[width : width + 1] and raw[width] & 1:
        return body[: 2 * count].decode("utf-16-le", "replace")
    return body[:count].decode("latin-1")


def _sheet(book: bytes, at: int, units: dict[int, str], told: Book) -> SheetRecords:
    found = SheetRecords()
    hidden: list[int] = []
    formulas: dict[tuple[int, int], bytes] = {}
    shared: dict[tuple[int, int], bytes] = {}
    last = (0, 0)  # the formula's cell, to which a shared one belongs
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
            if kind == _FORMULA and len(formulas) < _FORMULAS_MAX:
                last = row, col
                formulas[last] = _tokens(book, begin + 20, end)
            if style in units:
                places[units[style], col].append(row + 1)
        elif kind == _SHARED:
            shared[last] = _tokens(book, begin + 8, end)
        elif kind == _ARRAY:
            shared[last] = _tokens(book, begin + 12, end)
        elif kind == _MULRK:
            row, col = struct.unpack_from("<HH", book, begin)
            for more, place in enumerate(range(begin + 4, end - 2, 6)):
                style = _number(book, place, "<H")
                if style in units:
                    places[units[style], col + more].append(row + 1)
    found.formulas = _told(formulas, shared, told)
    for (unit, col), numbers in places.items():
        spans = spans_of(letters(col), sorted(set(numbers)))
        found.shown.units.setdefault(unit, []).extend(spans)
    found.shown.rows.extend(spans_of("", hidden))
    return found


def _tokens(book: bytes, at: int, end: int) -> bytes:
    """Behind their length."""
    return book[at + 2 : min(at + 2 + _number(book, at, "<H"), end)]


def _told(
    formulas: dict[tuple[int, int], bytes], shared: dict[tuple[int, int], bytes], book: Book
) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for (row, col), tokens in formulas.items():
        if tokens[:1] == b"\x01" and len(tokens) >= 5:  # it stands at another cell
            first = struct.unpack_from("<HH", tokens, 1)
            tokens = shared.get((first[0], first[1]), b"")
        found[row, col] = text_of(tokens, book, row, col) if book.sheets else UNKNOWN
    return found
