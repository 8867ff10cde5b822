"""Tables of Word: cells with the rows and columns that they span; a deleted row is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.documents import Cell
from ingestion.docx_text import PAGE, Notes, W, is_on, whole, words
from ingestion.page_text import one_line
from ingestion.values import typed_cell

_COLUMNS = 512  # no page shows more; what lies beyond is cut
_VAL = f"{W}val"


class TableRows:
    """A table in the making, row by row, so that a long one is never whole in memory as XML."""

    def __init__(self) -> None:
        self.rows: list[list[Cell]] = []
        self.header_rows = 0
        self.pages = 0  # that ended within the table
        self._open: dict[int, tuple[int, int]] = {}  # column → row and place of the cell above

    def add(self, row: Any, notes: Notes | None) -> int:
        """Cells added."""
        properties = row.find(f"{W}trPr")
        if properties is not None and properties.find(f"{W}del") is not None:
            return 0
        if next(row.iter(f"{W}lastRenderedPageBreak"), None) is not None:
            self.pages += 1
        cells: list[Cell] = []
        joined: list[tuple[int, int]] = []
        col = _before(properties)
        for cell in _cells(row)[:_COLUMNS]:
            wide, down, across = _spans(cell.find(f"{W}tcPr"))
            if down == "on" and col in self._open:
                joined.append(self._open[col])
            elif across != "on":
                if down:
                    self._open[col] = (len(self.rows), len(cells))
                else:
                    self._open.pop(col, None)
                made = typed_cell(_text(cell, notes), len(self.rows), col)
                cells.append(made if wide == 1 else replace(made, colspan=wide))
            elif cells:
                cells[-1] = replace(cells[-1], colspan=cells[-1].colspan + wide)
            col += wide
        if cells:  # else every cell goes on from the row above
            self._put(cells, joined, _is_header(properties))
        return len(cells)

    def _put(self, cells: list[Cell], joined: list[tuple[int, int]], header: bool) -> None:
        at = len(self.rows)
        self.rows.append(cells)
        for row, place in joined:
            self.rows[row][place] = replace(self.rows[row][place], rowspan=at - row + 1)
        if header and self.header_rows == at:
            self.header_rows += 1


def _spans(properties: Any) -> tuple[int, str, str]:
    """Columns; how the cell is merged down and across: `begin`, `on`, or empty."""
    if properties is None:
        return 1, "", ""
    span = properties.find(f"{W}gridSpan")
    wide = 1 if span is None else max(1, min(whole(span.get(_VAL), 1), _COLUMNS))
    return wide, _merge(properties.find(f"{W}vMerge")), _merge(properties.find(f"{W}hMerge"))


def _merge(told: Any) -> str:
    if told is None:
        return ""
    return "begin" if told.get(_VAL) == "restart" else "on"


def _before(properties: Any) -> int:
    skipped = properties.find(f"{W}gridBefore") if properties is not None else None
    return 0 if skipped is None else max(0, min(whole(skipped.get(_VAL)), _COLUMNS))


def _is_header(properties: Any) -> bool:
    return properties is not None and is_on(properties.find(f"{W}tblHeader"))


def _cells(row: Any) -> list[Any]:
    """Also those in content controls, none of tables within."""
    own: list[Any] = row.findall(f"{W}tc")
    if row.find(f"{W}sdt") is None and row.find(f"{W}customXml") is None:
        return own
    inner = (cell for cell in row.iter(f"{W}tc"))
    return [cell for cell in inner if next(cell.iterancestors(f"{W}tr"), None) is row]


def _text(cell: Any, notes: Notes | None) -> str:
    return one_line(words(cell, notes).replace(PAGE, " "))
