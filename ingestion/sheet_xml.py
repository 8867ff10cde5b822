"""What the value reader leaves out of a sheet: formulas and merged ranges."""

from __future__ import annotations

import html
import posixpath
import re

from core.errors import Unfinishable
from ingestion.parts import Parts, tree
from ingestion.sheet_cells import SheetMarks, column_number
from ingestion.values import letters

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGE = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s[^<>]*?"
    rb'\bref=["\']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["\']'
)
_MERGES_MAX = 10_000
_FORMULA = re.compile(
    rb"<(?:\w{1,20}:)?c\s([^<>]*)>\s*<(?:\w{1,20}:)?f(\s[^<>]*)?(?:(?<=/)>|>([^<]*)</)"
)
_PLACE = re.compile(rb'\br=["\']([A-Z]{1,3})(\d{1,7})["\']')
_SHARED = re.compile(rb'\bsi=["\'](\d{1,9})["\']')
# A reference, or what only looks like one: texts, names of sheets, names of functions.
_REFERENCE = re.compile(
    r"""("[^"]*"|'[^']*'|[A-Za-z_.\d]+\(|(?<![\w.])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\w(.]))"""
)


def sheet_paths(parts: Parts) -> dict[str, str]:
    """Sheet name to part name, in the workbook's order."""
    relations = {}
    for element in tree(parts.read("xl/_rels/workbook.xml.rels")):
        target = str(element.get("Target", ""))
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        relations[element.get("Id")] = path
    sheets = tree(parts.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
    found = {str(s.get("name")): relations.get(s.get(_REL), "") for s in sheets}
    if not found:
        raise Unfinishable("The workbook has no sheets.", code="no_pages")
    return {name: path for name, path in found.items() if path in parts.names}


def marks_of(data: bytes) -> SheetMarks:
    """Merged ranges are kept as ranges: one of a billion cells costs as much as one of two."""
    return SheetMarks(_formulas(data), _merged(data))


def _merged(data: bytes) -> dict[str, tuple[int, int]]:
    merged: dict[str, tuple[int, int]] = {}
    begin = data.find(b"mergeCells")
    if begin < 0:
        return merged
    for number, match in enumerate(_MERGE.finditer(data, begin)):
        if number >= _MERGES_MAX:
            break
        left, top, right, bottom = (group.decode() for group in match.groups())
        span = (int(bottom) - int(top) + 1, column_number(right) - column_number(left) + 1)
        if min(span) > 0:
            merged[f"{left}{int(top)}"] = span
    return merged


def _formulas(data: bytes) -> dict[str, str]:
    """Address to formula; one that many cells share is told for each of them."""
    if b"</f>" not in data and b":f>" not in data:
        return {}  # one without a text shares another's
    found: dict[str, str] = {}
    shared: dict[bytes, tuple[str, int, int]] = {}
    for match in _FORMULA.finditer(data):
        place = _PLACE.search(match[1])
        if place is None:
            continue
        col, row = column_number(place[1].decode()), int(place[2])
        text = html.unescape(match[3].decode("utf-8", "replace")) if match[3] else ""
        group = _SHARED.search(match[2]) if match[2] else None
        if group and text:
            shared[group[1]] = (text, col, row)
        elif group and group[1] in shared:
            first, col0, row0 = shared[group[1]]
            text = moved(first, col - col0, row - row0)
        if text or group:
            found[f"{place[1].decode()}{row}"] = f"={text or '(shared)'}"
    return found


def moved(formula: str, right: int, down: int) -> str:
    """The formula as it reads some cells further: its relative references go along."""
    return _REFERENCE.sub(lambda match: _moved(match, right, down), formula)


def _moved(match: re.Match[str], right: int, down: int) -> str:
    whole, fixed_col, name, fixed_row, number = match.groups()
    if name is None:
        return str(whole)
    col = column_number(name) + (0 if fixed_col else right)
    row = int(number) + (0 if fixed_row else down)
    if col < 0 or row < 1:
        return "#REF!"
    return f"{fixed_col}{letters(col)}{fixed_row}{row}"
