"""XLS (BIFF8 and older) as tables: values by native code, marks and units from the records."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.page_text import PageText
from ingestion.paging import NAMES_MAX, Facts, Opened, Reading, Skipped, Step
from ingestion.sheet_cells import SheetMarks, grid_of, metadata_of
from ingestion.sheets import Cells, add_grid, each_sheet, first_of
from ingestion.values import address
from ingestion.xls_records import SheetRecords, records_of
from ingestion.xlsx import MACROS, open_book, values_of

_MERGES_MAX = 10_000
_ENTRY, _SHEET, _NOTHING = struct.Struct("<HH"), 0x85, b"\xff\x00"  # the last: an index of texts
_SUSPECTS_MAX = 20  # sheets that are left out in turn to find the broken one
_CELLS_MAX = 2_000_000  # a place far out makes native code take memory for all before it


def read(data: bytes, limits: Limits) -> Document:
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """As `xlsx.pages`. A formula of Excel 95 or older, or with an unknown token, is told as
    `=(formula)`."""
    told, macros = records_of(data, limits)
    far = [name for name, one in told.items() if (one.rows + 1) * (one.columns + 1) > _CELLS_MAX]
    book, broken = _opened(data, far, told)
    names = [sheet.name for sheet in book.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]
    names = [name for name in told if name in (*names, *far, *broken)] or names
    names, cut = first_of(names, limits.pages)
    hidden = [s.name for s in book.sheets_metadata if not str(s.visible).endswith("Visible")]
    warnings = (*((MACROS,) if macros else ()), *cut)
    about = Document("xls", (), metadata=metadata_of(names, hidden, {}), warnings=warnings)
    yield Opened(len(names), about, "sheet", tuple(names[:NAMES_MAX]))
    cells = Cells(limits.cells)

    def sheet(number: int) -> Iterator[Step]:
        name = names[number - 1]
        if name in far:
            yield Skipped(number, "it is too large", "limit_memory")
            return
        if name in broken:
            yield Skipped(number, "its records are damaged")
            return
        records = told.get(name, SheetRecords())
        yield _page(book, name, number, records, cells)
        yield Facts(metadata_of([], [], {name: records.shown}))

    yield from each_sheet(names, first, cells, sheet)
    return about


def _opened(data: bytes, far: list[str], told: Mapping[str, SheetRecords]) -> tuple[Any, list[str]]:
    """The book, and the sheets that were left out because they are broken: native code reads all
    or none, and does not say which one stopped it."""
    broken = [name for name, one in told.items() if one.broken and name not in far]
    try:
        return open_book(_without(data, [*far, *broken])), broken
    except Unfinishable as error:
        others = [name for name in told if name not in (*far, *broken)]
        if error.slug != "corrupted" or len(others) < 2:
            raise
        for name in others[:_SUSPECTS_MAX]:
            with suppress(Unfinishable):
                return open_book(_without(data, [*far, *broken, name])), [*broken, name]
        raise


def _without(data: bytes, names: list[str]) -> bytes:
    """The file with the entries of these sheets made ones that say nothing: native code takes the
    memory of every sheet at once. An entry that is cut by a sector's end cannot be found."""
    patched = bytearray(data)
    for name in names:
        for text, wide in ((name.encode("latin-1", "replace"), 0), (name.encode("utf-16-le"), 1)):
            told = bytes((len(name), wide)) + text
            at = data.find(told)
            head = _ENTRY.pack(_SHEET, len(told) + 6)
            if at >= 10 and data[at - 10 : at - 6] == head:
                patched[at - 10 : at - 8] = _NOTHING
                break
        else:
            raise Unfinishable(f"Sheet {name} is too large.", code="limit_memory")
    return bytes(patched) if names else data


def _page(book: Any, name: str, number: int, records: SheetRecords, cells: Cells) -> Page:
    sheet, values = values_of(book, name, cells.left)
    cells.left -= len(values) * max(1, sheet.width)
    row0, col0 = sheet.start or (0, 0)
    merged = {
        address(top, begin): (bottom - top + 1, end - begin + 1)
        for (top, begin), (bottom, end) in (sheet.merged_cell_ranges or [])[:_MERGES_MAX]
    }
    formulas = {address(row, col): told for (row, col), told in records.formulas.items()}
    page = PageText()
    add_grid(page, grid_of(values, row0, col0, SheetMarks(formulas, merged)), name)
    return page.page(number, sheet=name)
