"""What a sheet shows beside its values: currencies and percent signs of number formats, and which
rows and columns it hides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ingestion.fields.numbers import CODES, SIGNS
from ingestion.parts import tree
from ingestion.values import letters

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CELL = re.compile(rb"<(?:\w+:)?c\s([^<>]*?)/?>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_STYLE = re.compile(rb'\bs="(\d{1,6})"')
_ROW = re.compile(rb"<(?:\w+:)?row\s([^<>]*?)/?>")
_COL = re.compile(rb"<(?:\w+:)?col\s([^<>]*?)/?>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d{1,7})"')
_BOUNDS = {side: re.compile(rb'\b%s="(\d{1,5})"' % side.encode()) for side in ("min", "max")}
_COLUMNS_MAX = 200  # hidden to the end of the sheet is 16,000 columns; none of those hold cells
_PERCENT_IDS = (9, 10)  # built in; the built-in currency is the reader's own, so it says nothing
_TOLD = re.compile(r"\[\$(?P<sign>[^\]-]*)(?:-(?P<place>[^\]]*))?\]")
_DOLLARS = {"409": "USD", "1009": "CAD", "c0c": "CAD", "c09": "AUD", "1409": "NZD", "80a": "MXN"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Ranges as people write them: unit → `E2:E25`; rows `6`, `11:13`; columns `D`."""

    units: dict[str, list[str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


def units_of(styles: bytes | None) -> dict[int, str]:
    """Number of a cell style → `%` or the currency that its format shows."""
    if not styles:
        return {}
    root = tree(styles)
    codes = {
        int(one.get("numFmtId", "0")): str(one.get("formatCode", ""))
        for one in root.iter(f"{_MAIN}numFmt")
    }
    found: dict[int, str] = {}
    for used in root.iter(f"{_MAIN}cellXfs"):
        for number, one in enumerate(used.iter(f"{_MAIN}xf")):
            kind = int(one.get("numFmtId", "0"))
            unit = "%" if kind in _PERCENT_IDS else unit_in(codes.get(kind, ""))
            if unit:
                found[number] = unit
    return found


def unit_in(code: str) -> str | None:
    """Of a format such as `#,##0.00 [$€-407]`, `0.0%` or `"EUR" 0`."""
    first = code.split(";")[0]
    told = _TOLD.search(first)
    if told and told["sign"]:
        sign = told["sign"].strip()
        if sign == "$" and told["place"]:
            return _DOLLARS.get(told["place"].lower(), "$")
        return SIGNS.get(sign, sign.upper() if sign.upper() in CODES else None) or None
    if re.search(r"[0#?]\s*%", re.sub(r'"[^"]*"|\\.', "", first)):
        return "%"  # one in quotes is only shown
    plain = re.sub(r'[\\"]|\[[^\]]*\]|[_*].', "", first)
    words = [word.upper() for word in re.findall(r"[A-Za-z]+", plain)]
    named = next((word for word in words if word in CODES), None)
    signs = (SIGNS[sign] for sign in sorted(SIGNS, key=len, reverse=True)
             if not sign.isalpha() and sign in plain)  # fmt: skip
    return named or next(signs, None)


def shown_of(data: bytes, units: Mapping[int, str]) -> Shown:
    """Of one sheet's part."""
    rows = (int(m[1]) for m in map(_NUMBER.search, _hidden(_ROW, data)) if m)
    return Shown(_units(data, units), spans_of("", sorted(rows)), list(_columns(data)))


def _hidden(kind: re.Pattern[bytes], data: bytes) -> Iterator[bytes]:
    if b"hidden=" not in data:
        return
    for match in kind.finditer(data):
        if _HIDDEN.search(match[1]):
            yield match[1]


def _columns(data: bytes) -> Iterator[str]:
    for told in _hidden(_COL, data):
        low, high = (_BOUNDS[side].search(told) for side in ("min", "max"))
        if low and high:
            last = min(int(high[1]), int(low[1]) + _COLUMNS_MAX)
            yield from (letters(at - 1) for at in range(int(low[1]), last + 1))


def _units(data: bytes, units: Mapping[int, str]) -> dict[str, list[str]]:
    if not units:
        return {}
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for match in _CELL.finditer(data):
        style, place = _STYLE.search(match[1]), _PLACE.search(match[1])
        if style and place and (unit := units.get(int(style[1]))):
            found[unit, place[1].decode()].append(int(place[2]))
    told: dict[str, list[str]] = defaultdict(list)
    for (unit, column), numbers in found.items():
        told[unit] += spans_of(column, numbers)
    return dict(told)


def spans_of(column: str, numbers: list[int]) -> list[str]:
    """`E2:E25`; of one cell `E2`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [f"{column}{a}" if a == b else f"{column}{a}:{column}{b}" for a, b in spans]
