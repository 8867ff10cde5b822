"""XLSX as tables: computed values with their addresses, formulas beside them, a page per sheet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from core.grid import Grid
from ingestion.limits import Limits
from ingestion.page_text import PageText
from ingestion.parts import Parts, core_properties
from ingestion.sheet_cells import SheetMarks, grid_of, metadata_of
from ingestion.sheet_styles import shown_of, units_of
from ingestion.sheet_xml import marks_of, sheet_paths
from ingestion.sheets import add_grid


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
    book = open_book(data)
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
    lost = _uncomputed(pages, marks)
    if lost > 0 and left > 0:
        warnings.append(f"{lost} formulas have no computed value; open and save the file once.")
    if "xl/vbaProject.bin" in parts.names:
        warnings.append("The file holds macros; they were not read and never run.")
    hidden = [s.name for s in book.sheets_metadata if not str(s.visible).endswith("Visible")]
    metadata = core_properties(parts)
    metadata |= metadata_of([str(page.sheet) for page in pages], hidden, shown)
    return Document(
        "xlsx", tuple(pages), title=metadata.pop("title", None), metadata=metadata,
        warnings=tuple(warnings),
    )  # fmt: skip


def _uncomputed(pages: list[Page], marks: Mapping[str, SheetMarks]) -> int:
    """Formulas whose result the program that wrote the file did not keep."""
    told = sum(len(mark.formulas) for mark in marks.values())
    if not told:
        return 0
    return told - sum(
        table.rows.columns[col].kinds[row] != "-"
        for page in pages
        for table in page.tables
        if isinstance(table.rows, Grid)
        for row, col in table.rows.formulas
    )


def open_book(data: bytes) -> Any:
    """By native code, which reads XLSX, XLS and others alike."""
    import python_calamine as calamine

    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise Unfinishable("The workbook is encrypted.", code="encrypted") from error
    except calamine.CalamineError as error:
        raise Unfinishable(f"The workbook is damaged: {error}", code="corrupted") from error


def _page(book: Any, name: str, number: int, marks: SheetMarks, left: int) -> tuple[Page, int]:
    sheet, values = values_of(book, name, left)
    row0, col0 = sheet.start or (0, 0)
    page = PageText()
    add_grid(page, grid_of(values, row0, col0, marks), name)
    return page.page(number, sheet=name), len(values) * max(1, sheet.width)


def values_of(book: Any, name: str, left: int) -> tuple[Any, list[list[Any]]]:
    """A sheet and the rows of its used area, at most about `left` cells."""
    import python_calamine as calamine

    try:
        sheet = book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise Unfinishable(f"Sheet {name} is damaged: {error}", code="corrupted") from error
    rows = max(1, min(sheet.height, left // max(1, sheet.width)))
    return sheet, sheet.to_python(skip_empty_area=True, nrows=rows)
