"""Cells by name: `D2:D41`, `D2, D5:D9 and 12 more`, or rows where a table has no addresses."""

from __future__ import annotations

from collections.abc import Sequence

from agents.answers.tables.grids import Column, Grid
from core.documents import Source

RANGES_MAX = 8
_QUOTES_MAX = 4


def runs(grid: Grid, rows: Sequence[int]) -> list[list[int]]:
    """Rows that stand right below one another."""
    found: list[list[int]] = []
    for row in rows:
        here = grid.rows[row]
        last = grid.rows[found[-1][-1]] if found else None
        if last and here.number == last.number + 1 and here.page == last.page:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def named(grid: Grid, column: Column | None, rows: Sequence[int], more: str = "+{n}") -> str:
    """The cells of a column (or whole rows) as ranges, at most eight."""
    found = runs(grid, rows)
    shown = [_range(grid, column, run) for run in found[:RANGES_MAX]]
    left = sum(len(run) for run in found[RANGES_MAX:])
    return ", ".join([*shown, more.format(n=left)] if left else shown)


def _range(grid: Grid, column: Column | None, run: Sequence[int]) -> str:
    first, last = grid.rows[run[0]].number, grid.rows[run[-1]].number
    if not grid.addressed:
        return f"{first}" if first == last else f"{first}–{last}"
    left = right = column.letter if column else ""
    if column is None:
        left, right = grid.columns[0].letter, grid.columns[-1].letter
    start, end = f"{left}{first}", f"{right}{last}"
    return start if start == end else f"{start}:{end}"


def sources(
    grid: Grid, column: Column | None, rows: Sequence[int], most: int = _QUOTES_MAX
) -> list[Source]:
    """A quote for each of the first runs; the last one's `cells` name all the rest."""
    found = runs(grid, rows)
    kept = []
    for place, run in enumerate(found[:most]):
        rest = [row for later in found[place:] for row in later] if place == most - 1 else run
        cells = named(grid, column, rest) if grid.addressed else None
        kept.append(grid.source(run, cells))
    return kept
