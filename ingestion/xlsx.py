"""XLSX as tables: computed values with their addresses, formulas beside them, a page per sheet."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from core.documents import Cell, Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.page_text import PageText
from ingestion.parts import Parts, core_properties
from ingestion.sheet_styles import shown_of, units_of
from ingestion.sheet_xml import SheetMarks, marks_of, sheet_paths
from ingestion.sheets import add_rows
from ingestion.values import address

_ERRORS = re.compile(r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!)")


def read(data: bytes, limits: Limits) -> Document:
    """Hidden sheets, rows and columns are read too and named in `metadata`; so are the cells whose
    number format shows a currency or a percent sign."""
    parts = Parts(data, limits)
    units = units_of(parts.maybe("xl/styles.xml"))
    marks, shown = {}, {}
    for name, path in sheet_paths(parts).items():
        data_of = parts.read(path)
        marks[name], shown[name] = marks_of(data_of), shown_of(data_of, units)
    parts.maybe("xl/sharedStrings.xml")  # counted before native code inflates it again
    book = _open(data)
    pages, warnings, left = [], [], limits.cells
    for number, sheet in enumerate(book.sheets_metadata, 1):
        if not str(sheet.typ).endswith("WorkSheet"):
            continue
        page, cells = _page(book, sheet.name, number, marks.get(sheet.name, SheetMarks()), left)
        left -= cells
        pages.append(page)
        if left <= 0:
            warnings.append(f"Reading stopped in sheet {sheet.name}: cell limit.")
            break
    rows = (row for page in pages for table in page.tables for row in table.rows)
    computed = sum(
        cell.formula is not None and cell.kind != "empty" for row in rows for cell in row
    )
    lost = sum(len(mark.formulas) for mark in marks.values()) - computed
    if lost > 0 and left > 0:
        warnings.append(f"{lost} formulas have no computed value; open and save the file once.")
    if "xl/vbaProject.bin" in parts.names:
        warnings.append("The file holds macros; they were not read and never run.")
    metadata = core_properties(parts)
    metadata["sheets"] = [page.sheet for page in pages]
    hidden = [s.name for s in book.sheets_metadata if not str(s.visible).endswith("Visible")]
    if hidden:
        metadata["hidden_sheets"] = hidden
    for key, told in (
        ("hidden_rows", {name: one.rows for name, one in shown.items() if one.rows}),
        ("hidden_columns", {name: one.columns for name, one in shown.items() if one.columns}),
        ("cell_units", {name: one.units for name, one in shown.items() if one.units}),
    ):
        if told:
            metadata[key] = told
    return Document(
        "xlsx",
        tuple(pages),
        title=metadata.pop("title", None),
        metadata=metadata,
        warnings=tuple(warnings),
    )


def _open(data: bytes) -> Any:
    import python_calamine as calamine

    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise Unfinishable("The workbook is encrypted.", code="encrypted") from error
    except calamine.CalamineError as error:
        raise Unfinishable(f"The workbook is damaged: {error}", code="corrupted") from error


def _page(book: Any, name: str, number: int, marks: SheetMarks, left: int) -> tuple[Page, int]:
    import python_calamine as calamine

    try:
        sheet = book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise Unfinishable(f"Sheet {name} is damaged: {error}", code="corrupted") from error
    row0, col0 = sheet.start or (0, 0)
    width = max(1, sheet.width)
    values = sheet.to_python(skip_empty_area=True, nrows=max(1, min(sheet.height, left // width)))
    page = PageText()
    cells = (
        [_cell(value, r, c, marks) for c, value in enumerate(row, col0)]
        for r, row in enumerate(values, row0)
    )
    add_rows(page, cells, name)
    return page.page(number, sheet=name), len(values) * width


def _cell(value: Any, row: int, col: int, marks: SheetMarks) -> Cell:
    place = address(row, col)
    formula = marks.formulas.get(place)
    down, right = marks.merged.get(place, (1, 1))
    text, kept, kind = _typed(value)
    return Cell(text, row, col, kept, kind, place, formula, down, right)


def _typed(value: Any) -> tuple[str, str | int | float | bool | None, str]:
    """What a person sees, the value and its kind."""
    if isinstance(value, str):
        if not value.strip():
            return "", None, "empty"
        return (
            value.strip(),
            value,
            "error" if value[0] == "#" and _ERRORS.fullmatch(value) else "text",
        )
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), value, "bool"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value)), int(value), "number"
        return f"{value:.12g}", value, "number"
    if isinstance(value, int):
        return str(value), value, "number"
    if isinstance(value, datetime):
        text = value.date().isoformat() if value.time() == time() else value.isoformat()
        return text, text, "date"
    if isinstance(value, (date, time)):
        return value.isoformat(), value.isoformat(), "date"
    if isinstance(value, timedelta):
        return str(value), value.total_seconds(), "number"
    return str(value), str(value), "text"
