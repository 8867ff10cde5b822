"""Formulas of old workbooks, kept as numbers, in the words of a sheet. Source: [MS-XLS] 2.5.198."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.values import letters
from ingestion.xls_functions import FUNCTIONS

UNKNOWN = "=(formula)"
_LONG = 8_192
_BETWEEN = ("+", "-", "*", "/", "^", "&", "<", "<=", "=", ">=", ">", "<>", " ", ",", ":")
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!",
           42: "#N/A"}  # fmt: skip
_OWN_NAMES = (
    "Consolidate_Area", "Auto_Open", "Auto_Close", "Extract", "Database", "Criteria", "Print_Area",
    "Print_Titles", "Recorder", "Data_Form", "Auto_Activate", "Auto_Deactivate", "Sheet_Title",
    "_FilterDatabase",
)  # fmt: skip
_CALLED = 255  # a function by its name
_LAST_ROW, _LAST_COLUMN = 0xFFFF, 0xFF


class _Cannot(Exception):
    """A token that is not known, or too few values for it."""


@dataclass(slots=True)
class Book:
    """What formulas name: sheets, books beside this one, names."""

    sheets: list[str] = field(default_factory=list)
    own: set[int] = field(default_factory=set)  # which of the books is this one
    books: int = 0
    places: list[tuple[int, int, int]] = field(default_factory=list)  # book, first and last sheet
    names: list[str] = field(default_factory=list)
    added: dict[int, list[str]] = field(default_factory=dict)  # names of other books, of add-ins

    def name(self, raw: bytes) -> None:
        """A NAME record."""
        count, begin = raw[3], 15
        wide = raw[14] & 1
        text = raw[begin : begin + count * (1 + wide)].decode(
            "utf-16-le" if wide else "latin-1", "replace"
        )
        if raw[0] & 0x20 and text and ord(text[0]) < len(_OWN_NAMES):
            text = _OWN_NAMES[ord(text[0])]
        self.names.append(text)

    def links(self, raw: bytes) -> None:
        """An EXTERNSHEET record."""
        (count,) = struct.unpack_from("<H", raw)
        for nth in range(min(count, (len(raw) - 2) // 6)):
            self.places.append(struct.unpack_from("<Hhh", raw, 2 + 6 * nth))

    def supplies(self, raw: bytes) -> None:
        """A SUPBOOK record."""
        if raw[2:4] == b"\x01\x04":
            self.own.add(self.books)
        self.books += 1

    def outside(self, raw: bytes) -> None:
        """An EXTERNNAME record; it belongs to the book before it."""
        count, wide = raw[6], raw[7] & 1
        text = raw[8 : 8 + count * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")
        self.added.setdefault(self.books - 1, []).append(text)

    def sheet(self, index: int) -> str:
        """`Sheet!`, in quotes where its name needs them; of other books their number."""
        if index >= len(self.places):
            raise _Cannot
        book, first, last = self.places[index]
        if book not in self.own:
            return f"[{book}]!"
        if not 0 <= first < len(self.sheets) or not 0 <= last < len(self.sheets):
            return "#REF!"
        told = ":".join(dict.fromkeys((self.sheets[first], self.sheets[last])))
        if all(one.isalnum() or one in "_." for one in told) and not told[0].isdigit():
            return f"{told}!"
        return "'" + told.replace("'", "''") + "'!"


def text_of(tokens: bytes, book: Book, row: int, col: int) -> str:
    """`=SUM(A1:A3)`; `UNKNOWN` where a part of it is. References are seen from `row`, `col`."""
    try:
        return "=" + _Reading(tokens, book, row, col).run()
    except (_Cannot, struct.error, IndexError):
        return UNKNOWN


class _Reading:
    def __init__(self, tokens: bytes, book: Book, row: int, col: int) -> None:
        self._data, self._book = tokens, book
        self._row, self._col = row, col
        self._at = 0
        self._stack: list[str] = []

    def run(self) -> str:
        while self._at < len(self._data):
            token = self._data[self._at]
            self._at += 1
            self._token(token if token < 0x20 else token & 0x1F | 0x20)
            if self._stack and len(self._stack[-1]) > _LONG:
                raise _Cannot
        if len(self._stack) != 1:
            raise _Cannot
        return self._stack[0]

    def _take(self, form: str) -> Sequence[int]:
        found = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return found

    def _pop(self, count: int) -> list[str]:
        if count > len(self._stack):
            raise _Cannot
        found = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return found

    def _token(self, token: int) -> None:
        if 3 <= token <= 0x11:
            left, right = self._pop(2)
            self._stack.append(f"{left}{_BETWEEN[token - 3]}{right}")
        elif token in (0x12, 0x13, 0x14, 0x15):
            (one,) = self._pop(1)
            self._stack.append((f"+{one}", f"-{one}", f"{one}%", f"({one})")[token - 0x12])
        elif token == 0x19:
            self._attribute()
        elif token in (0x26, 0x27, 0x28):
            self._at += 6
        elif token == 0x29:
            self._at += 2
        elif token in (0x21, 0x22):
            self._function(token == 0x22)
        else:
            self._stack.append(self._value(token))

    def _attribute(self) -> None:
        kind, told = self._take("BH")
        if kind & 0x04:
            self._at += (told + 1) * 2
        elif kind & 0x10:
            self._stack.append(f"SUM({self._pop(1)[0]})")

    def _function(self, several: bool) -> None:
        count, number = self._take("BH") if several else (-1, *self._take("H"))
        number &= 0x7FFF
        if number == _CALLED and several:
            name, *told = self._pop(count & 0x7F)
        else:
            name, fixed = FUNCTIONS.get(number, ("", -1))
            if not name or (not several and fixed < 0):
                raise _Cannot
            told = self._pop(count & 0x7F if several else fixed)
        self._stack.append(f"{name.removeprefix('_xlfn.')}({','.join(told)})")

    def _value(self, token: int) -> str:
        if token == 0x16:
            return ""
        if token == 0x17:
            return self._string()
        if token in (0x1C, 0x1D):
            (one,) = self._take("B")
            return _ERRORS.get(one, "#N/A") if token == 0x1C else "TRUE" if one else "FALSE"
        if token == 0x1E:
            return str(self._take("H")[0])
        if token == 0x1F:
            return f"{struct.unpack_from('<d', self._data, self._at)[0]:.15g}" + self._skip(8)
        if token == 0x20:
            return "{…}" + self._skip(7)
        if token in (0x23, 0x39):
            return self._named(token == 0x39)
        return self._reference(token)

    def _skip(self, count: int) -> str:
        self._at += count
        return ""

    def _string(self) -> str:
        count, wide = self._take("BB")
        raw = self._data[self._at : self._at + count * (1 + (wide & 1))]
        self._at += len(raw)
        text = raw.decode("utf-16-le" if wide & 1 else "latin-1", "replace")
        return '"' + text.replace('"', '""') + '"'

    def _named(self, outside: bool) -> str:
        place = self._take("H")[0] if outside else -1
        index, _unused = self._take("HH")
        if outside:
            book = self._book.places[place][0]
            if book not in self._book.own:
                return self._book.added.get(book, [])[index - 1] if index else ""
        return self._book.names[index - 1] if index else ""

    def _reference(self, token: int) -> str:
        sheet = ""
        if token in (0x3A, 0x3B, 0x3C, 0x3D):
            sheet = self._book.sheet(self._take("H")[0])
        if token in (0x24, 0x2C, 0x3A):
            row, col = self._take("HH")
            return sheet + self._cell(row, col, token == 0x2C)
        if token in (0x25, 0x2D, 0x3B):
            top, bottom, left, right = self._take("HHHH")
            return sheet + self._area(top, bottom, left, right, token == 0x2D)
        if token in (0x2A, 0x2B, 0x3C, 0x3D):
            return f"{sheet}#REF!" + self._skip(4 if token in (0x2A, 0x3C) else 8)
        raise _Cannot

    def _area(self, top: int, bottom: int, left: int, right: int, shared: bool) -> str:
        """Whole columns and rows are told without their ends."""
        if not shared and (top, bottom) == (0, _LAST_ROW):
            return f"{_column(left)}:{_column(right)}"
        if not shared and (left & _LAST_COLUMN, right & _LAST_COLUMN) == (0, _LAST_COLUMN):
            return f"{_line(top, left)}:{_line(bottom, right)}"
        return f"{self._cell(top, left, shared)}:{self._cell(bottom, right, shared)}"

    def _cell(self, row: int, col: int, shared: bool) -> str:
        if shared:  # places are told as distances from the cell
            if col & 0x8000:
                row = (self._row + row) & _LAST_ROW
            if col & 0x4000:
                col = col & 0xC000 | (self._col + col) & _LAST_COLUMN
        return _column(col) + _line(row, col)


def _column(col: int) -> str:
    return ("" if col & 0x4000 else "$") + letters(col & _LAST_COLUMN)


def _line(row: int, col: int) -> str:
    return ("" if col & 0x8000 else "$") + str(row + 1)
