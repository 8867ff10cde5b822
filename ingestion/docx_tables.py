"""Tables of Word: cells with the rows and columns that they span; a deleted row is gone."""

from __future__ import annotations

from typing import Any

from core.documents import Cell
from ingestion.docx_text import PAGE, Notes, W, is_on, whole, words
from ingestion.page_text import one_line
from ingestion.values import typed_cell

_COLUMNS = 512  # no page shows more; what lies beyond is cut
_VAL = f"{W}val"
_TURN = f"{W}lastRenderedPageBreak"
_AROUND = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "customXml"))


class TableRows:
    """A table in the making, row by row, so that a long one is never whole in memory as XML."""

    def __init__(self) -> None:
        self.rows: list[list[Cell]] = []
        self.header_rows = 0
        self.pages = 0  # that ended within the table
        self._open: dict[int, tuple[int, int]] = {}  # column → row and place of the cell above

    def add(self, row: Any, notes: Notes | None) -> int:
        """Cells added."""
        found: list[Any] = []
        properties = _cells(row, found)
        if properties is not None and properties.find(f"{W}del") is not None:
            return 0
        if next(row.iter(_TURN), None) is not None:
            self.pages += 1
        cells: list[Cell] = []
        joined: list[tuple[int, int]] = []
        at, col = len(self.rows), _before(properties)
        for cell in found[:_COLUMNS]:
            wide, down, across = _spans(cell)
            if down == "on" and col in self._open:
                joined.append(self._open[col])
            elif across != "on":
                if down:
                    self._open[col] = (at, len(cells))
                else:
                    self._open.pop(col, None)
                made = typed_cell(_text(cell, notes), at, col)
                cells.append(made if wide == 1 else made._replace(colspan=wide))
            elif cells:
                cells[-1] = cells[-1]._replace(colspan=cells[-1].colspan + wide)
            col += wide
        if cells:  # else every cell goes on from the row above
            self._put(cells, joined, _is_header(properties))
        return len(cells)

    def _put(self, cells: list[Cell], joined: list[tuple[int, int]], header: bool) -> None:
        at = len(self.rows)
        self.rows.append(cells)
        for row, place in joined:
            self.rows[row][place] = self.rows[row][place]._replace(rowspan=at - row + 1)
        if header and self.header_rows == at:
            self.header_rows += 1


def _spans(cell: Any) -> tuple[int, str, str]:
    """Columns; how the cell is merged down and across: `begin`, `on`, or empty."""
    wide, down, across = 1, "", ""
    if len(cell) and cell[0].tag == f"{W}tcPr":
        for told in cell[0]:
            tag = told.tag
            if tag == f"{W}gridSpan":
                wide = max(1, min(whole(told.get(_VAL), 1), _COLUMNS))
            elif tag == f"{W}vMerge":
                down = _merge(told)
            elif tag == f"{W}hMerge":
                across = _merge(told)
    return wide, down, across


def _merge(told: Any) -> str:
    return "begin" if told.get(_VAL) == "restart" else "on"


def _before(properties: Any) -> int:
    skipped = properties.find(f"{W}gridBefore") if properties is not None else None
    return 0 if skipped is None else max(0, min(whole(skipped.get(_VAL)), _COLUMNS))


def _is_header(properties: Any) -> bool:
    return properties is not None and is_on(properties.find(f"{W}tblHeader"))


def _cells(row: Any, found: list[Any]) -> Any:
    """Adds the row's cells, also those in content controls; gives the row's properties."""
    properties = None
    for node in row:
        tag = node.tag
        if tag == f"{W}tc":
            found.append(node)
        elif tag == f"{W}trPr":
            properties = node
        elif tag in _AROUND:
            _cells(node, found)
    return properties


def _text(cell: Any, notes: Notes | None) -> str:
    return one_line(words(cell, notes).replace(PAGE, " "))
