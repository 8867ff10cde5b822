"""XLSX as tables: computed values with their addresses, formulas beside them, a page per sheet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from core.grid import Grid
from ingestion import embedded, sheet_drawings
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.page_text import PageText
from ingestion.paging import NAMES_MAX, Facts, Held, Opened, Reading, Step
from ingestion.parts import Parts, core_properties
from ingestion.sheet_cells import SheetMarks, grid_of, metadata_of
from ingestion.sheet_styles import shown_of, units_of
from ingestion.sheet_xml import marks_of, sheet_paths
from ingestion.sheets import Cells, add_grid, each_sheet, first_of

MACROS = "The file holds macros; they were not read and never run."
_LOST = "{} formulas have no computed value; open and save the file once."


def read(data: bytes, limits: Limits) -> Document:
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Hidden sheets, rows and columns are read too and named in `metadata`; so are the cells whose
    number format shows a currency or a percent sign."""
    parts = Parts(data, limits)
    units = units_of(parts.maybe("xl/styles.xml"))
    paths = sheet_paths(parts)
    parts.maybe("xl/sharedStrings.xml")  # counted before native code inflates it again
    book = open_book(data)
    names = [sheet.name for sheet in book.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]
    names, cut = first_of(names, limits.pages)
    hidden = [s.name for s in book.sheets_metadata if not str(s.visible).endswith("Visible")]
    metadata = core_properties(parts) | metadata_of(names, hidden, {})
    macros = "xl/vbaProject.bin" in parts.names
    about = Document(
        "xlsx", (), title=metadata.pop("title", None), metadata=metadata,
        warnings=(*((MACROS,) if macros else ()), *cut),
    )  # fmt: skip
    yield Opened(len(names), about, "sheet", tuple(names[:NAMES_MAX]))
    cells = Cells(limits.cells)

    def sheet(number: int) -> Iterator[Step]:
        name = names[number - 1]
        told = parts.read(paths[name]) if name in paths else b""
        over, broken = sheet_drawings.texts(parts, paths.get(name, ""), limits)
        page, lost = _page(book, name, number, marks_of(told), cells, over)
        yield page
        facts = metadata_of([], [], {name: shown_of(told, units)})
        yield Facts(facts, {_LOST: lost}, warnings=broken)

    yield from each_sheet(names, first, cells, sheet)
    files, missed = embedded.files(parts, paths.values(), limits)
    yield from (Held(0, one) for one in files)
    return replace(embedded.with_files(about, files, missed), attachments=())


def _lost(page: Page, told: SheetMarks) -> int:
    """Formulas whose result the program that wrote the file did not keep."""
    grids = [table.rows for table in page.tables if isinstance(table.rows, Grid)]
    return len(told.formulas) - sum(
        grid.columns[col].kinds[row] != "-" for grid in grids for row, col in grid.formulas
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
    except BaseException as error:  # a panic of native code is no Exception, and has no name
        if type(error).__name__ != "PanicException":
            raise
        raise Unfinishable("The workbook is damaged.", code="corrupted") from error


def _page(
    book: Any, name: str, number: int, marks: SheetMarks, cells: Cells, over: list[str]
) -> tuple[Page, int]:
    """And how many formulas have no value, where all of them were read; below the cells what is
    drawn `over` them."""
    sheet, values = values_of(book, name, cells.left)
    cells.left -= len(values) * max(1, sheet.width)
    row0, col0 = sheet.start or (0, 0)
    text = PageText()
    add_grid(text, grid_of(values, row0, col0, marks), name)
    for told in over:
        text.add("paragraph", told)
    page = text.page(number, sheet=name)
    return page, _lost(page, marks) if cells.left > 0 else 0


def values_of(book: Any, name: str, left: int) -> tuple[Any, list[list[Any]]]:
    """A sheet and the rows of its used area, at most about `left` cells."""
    import python_calamine as calamine

    try:
        sheet = book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise Unfinishable(f"Sheet {name} is damaged: {error}", code="corrupted") from error
    rows = max(1, min(sheet.height, left // max(1, sheet.width)))
    return sheet, sheet.to_python(skip_empty_area=True, nrows=rows)
