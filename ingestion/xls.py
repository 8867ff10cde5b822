"""XLS (BIFF8 and older) as tables: values by native code, marks and units from the records."""

from __future__ import annotations

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.page_text import PageText
from ingestion.sheet_cells import SheetMarks, grid_of, metadata_of
from ingestion.sheets import add_grid
from ingestion.values import address
from ingestion.xls_records import SheetRecords, records_of
from ingestion.xlsx import open_book, values_of

_MERGES_MAX = 10_000
_CELLS_MAX = 2_000_000  # a place far out makes native code take memory for all before it


def read(data: bytes, limits: Limits) -> Document:
    """As `xlsx.read`. A formula is told as `=(formula)`: the format keeps it as numbers."""
    told, macros = records_of(data, limits)
    book = open_book(data)
    pages: list[Page] = []
    warnings, left = [], limits.cells
    for number, sheet in enumerate(book.sheets_metadata, 1):
        if not str(sheet.typ).endswith("WorkSheet"):
            continue
        records = told.get(sheet.name, SheetRecords())
        if (records.rows + 1) * (records.columns + 1) > _CELLS_MAX:
            raise Unfinishable(f"Sheet {sheet.name} is too large.", code="limit_memory")
        page, cells = _page(book, sheet.name, number, records, left)
        left -= cells
        pages.append(page)
        if left <= 0:
            warnings.append(f"Reading stopped in sheet {sheet.name}: cell limit.")
            break
    if macros:
        warnings.append("The file holds macros; they were not read and never run.")
    hidden = [s.name for s in book.sheets_metadata if not str(s.visible).endswith("Visible")]
    shown = {name: records.shown for name, records in told.items()}
    metadata = metadata_of([str(page.sheet) for page in pages], hidden, shown)
    return Document("xls", tuple(pages), metadata=metadata, warnings=tuple(warnings))


def _page(
    book: object, name: str, number: int, records: SheetRecords, left: int
) -> tuple[Page, int]:
    sheet, values = values_of(book, name, left)
    row0, col0 = sheet.start or (0, 0)
    merged = {
        address(top, begin): (bottom - top + 1, end - begin + 1)
        for (top, begin), (bottom, end) in (sheet.merged_cell_ranges or [])[:_MERGES_MAX]
    }
    formulas = {address(row, col): "=(formula)" for row, col in records.formulas}
    page = PageText()
    add_grid(page, grid_of(values, row0, col0, SheetMarks(formulas, merged)), name)
    return page.page(number, sheet=name), len(values) * max(1, sheet.width)
