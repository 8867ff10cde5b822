"""Cells from text: numbers and dates are recognised only where they can be read in one way."""

from __future__ import annotations

import re
from functools import lru_cache

from core.documents import Cell

_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_POINT = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_DATE = re.compile(
    r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
)
_CODE = re.compile(r"[-+]?0\d")  # 007 is a code, not the number seven


@lru_cache(1024)
def letters(col: int) -> str:
    """Column 0 is A, 26 is AA."""
    name = ""
    col += 1
    while col:
        col, digit = divmod(col - 1, 26)
        name = chr(65 + digit) + name
    return name


def address(row: int, col: int) -> str:
    return f"{letters(col)}{row + 1}"


def number_of(text: str, decimal_comma: bool = False) -> int | float | None:
    """The number that `text` is as a whole, else None."""
    if _CODE.match(text) and not re.match(r"[-+]?0[.,]", text):
        return None
    if len(text) > 17:
        return None
    if decimal_comma and _COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _PLAIN.fullmatch(text):
        return float(text) if "." in text else int(text)
    if not decimal_comma and _POINT.fullmatch(text):
        return float(text.replace(",", "")) if "." in text else int(text.replace(",", ""))
    return None


def typed_cell(
    text: str, row: int, col: int, *, decimal_comma: bool = False, sheet: bool = False
) -> Cell:
    """A cell of `text`; with `sheet` it gets its address."""
    place = address(row, col) if sheet else None
    if not text:
        return Cell("", row, col, None, "empty", place)
    if not (text[0].isdecimal() or text[0] in "+-"):
        return Cell(text, row, col, text, "text", place)
    number = number_of(text, decimal_comma)
    if number is not None:
        return Cell(text, row, col, number, "number", place)
    if _DATE.fullmatch(text):
        return Cell(text, row, col, text, "date", place)
    return Cell(text, row, col, text, "text", place)
