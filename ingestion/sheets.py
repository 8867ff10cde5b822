"""Rows of a sheet as tables: an empty row ends one, lone cells above one are its title."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.documents import Cell
from core.grid import Grid
from ingestion.page_text import PageText, one_line
from ingestion.paging import Facts, Step, each

Row = Sequence[Cell]


@dataclass
class Cells:
    """How many cells of a workbook may still be read."""

    left: int


def each_sheet(
    names: Sequence[str], first: int, cells: Cells, read: Callable[[int], Iterable[Step]]
) -> Generator[Step, Any, None]:
    """The steps of each sheet from number `first` on, as far as the limit of cells reaches."""
    for number in range(first, len(names) + 1):
        if cells.left > 0:
            yield from each([number], read)
        if cells.left <= 0:
            yield Facts(warnings=(stopped(names[number - 1]),))
            return


def first_of(names: list[str], most: int) -> tuple[list[str], tuple[str, ...]]:
    """As many sheets as are read, and what to tell when there are more."""
    if len(names) <= most:
        return names, ()
    return names[:most], (f"Only the first {most} of {len(names)} sheets were read.",)


def stopped(sheet: str) -> str:
    return f"Reading stopped in sheet {sheet}: cell limit."


def add_rows(page: PageText, rows: Iterable[Row], sheet: str | None) -> None:
    """Appends tables and headings; rows keep their places and addresses."""
    run: list[Row] = []
    for row in rows:
        if any(map(_used, row)):
            run.append(row)
        else:
            _add_table(page, run, sheet)
            run = []
    _add_table(page, run, sheet)


def add_grid(page: PageText, grid: Grid[Cell], sheet: str) -> None:
    """The same for cells that are kept by columns."""
    begin = 0
    for end in [*_unused(grid), len(grid)]:
        _add_part(page, grid, begin, end, sheet)
        begin = end + 1


def _unused(grid: Grid[Cell]) -> list[int]:
    """Rows in which nothing stands."""
    kinds = [column.kinds for column in grid.columns]
    if not all("-" in one for one in kinds):
        return []
    told = {row for row, _col in grid.formulas}
    empty = ("-",) * len(kinds)
    return [row for row, one in enumerate(zip(*kinds, strict=True))
            if one == empty and row not in told]  # fmt: skip


def _add_part(page: PageText, grid: Grid[Cell], top: int, bottom: int, sheet: str) -> None:
    title, told = None, {row for row, _col in grid.formulas}
    wide = len(grid.columns)
    while bottom - top > 1 and wide > 1 and top not in told and (alone := _alone(grid, top)):
        title = one_line(alone)
        page.add("heading", title, 2)
        top += 1
    if top >= bottom:
        return
    here = {col for row, col in grid.formulas if top <= row < bottom}
    used = [
        col for col, column in enumerate(grid.columns)
        if col in here or column.kinds[top:bottom].count("-") < bottom - top
    ]  # fmt: skip
    if not used:
        return
    if bottom - top == 1 and top not in told and (alone := _alone(grid, top)):
        page.add("heading", one_line(alone), 2)
        return
    part = grid.part(top, bottom, used[0], used[-1] + 1)
    first = {column.kinds[0] for column in part.columns}
    page.add_grid(part, sheet=sheet, header_rows=0 if first & set("ndb") else 1, title=title)


def _alone(grid: Grid[Cell], row: int) -> str:
    """The words of a row that has nothing else; else empty."""
    filled = [column for column in grid.columns if column.kinds[row] != "-"]
    if len(filled) == 1 and filled[0].kinds[row] == "t":
        return filled[0].texts[row]
    return ""


def _used(cell: Cell) -> bool:
    return cell.kind != "empty" or cell.formula is not None


def _add_table(page: PageText, rows: list[Row], sheet: str | None) -> None:
    title = None
    while len(rows) > 1 and _lone(rows[0]) and len(rows[0]) > 1:
        title = one_line(next(cell.text for cell in rows[0] if cell.text))
        page.add("heading", title, 2)
        rows = rows[1:]
    if not rows:
        return
    used = [c for c in range(len(rows[0])) if any(_used(row[c]) for row in rows)]
    if not used:
        return
    kept = [row[used[0] : used[-1] + 1] for row in rows] if len(used) < len(rows[0]) else rows
    if len(kept) == 1 and _lone(kept[0]):
        page.add("heading", one_line(kept[0][0].text), 2)
        return
    page.add_table(kept, sheet=sheet, header_rows=header_rows(kept), title=title)


def _lone(row: Row) -> bool:
    filled = [cell for cell in row if cell.kind != "empty"]
    text = len(filled) == 1 and filled[0].kind == "text"
    return text and not any(cell.formula for cell in row)


def header_rows(rows: Sequence[Row]) -> int:
    """1 when the first row is words alone, as the names of columns are."""
    return 0 if any(cell.kind in ("number", "date", "bool") for cell in rows[0]) else 1
