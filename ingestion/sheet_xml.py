"""What the value reader leaves out of a sheet: formulas and merged ranges."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from core.errors import Unfinishable
from ingestion.parts import Parts, stream_xml, tree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_MERGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class SheetMarks:
    formulas: dict[str, str] = field(default_factory=dict)  # address -> "=SUM(A1:A3)"
    merged: dict[str, tuple[int, int]] = field(default_factory=dict)  # top left -> (rows, columns)


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
    merged = {}
    for number, match in enumerate(_MERGE.finditer(data)):
        if number >= _MERGES_MAX:
            break
        left, top, right, bottom = match.groups()
        span = (int(bottom) - int(top) + 1, _column(right) - _column(left) + 1)
        merged[f"{left.decode()}{int(top)}"] = span
    return SheetMarks(_formulas(data), merged)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _formulas(data: bytes) -> dict[str, str]:
    if b"<f>" not in data and b"<f " not in data and b":f" not in data:
        return {}
    found = {}
    for _event, cell in stream_xml(data, tags=(f"{_MAIN}c",)):
        formula = cell.find(f"{_MAIN}f")
        if formula is not None and cell.get("r"):
            # A shared formula's text stands in its first cell only.
            found[str(cell.get("r"))] = f"={formula.text}" if formula.text else "=(shared)"
        cell.clear()
    return found
