"""Rows of an RTF table: cells with what they reach over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from core.documents import Cell
from ingestion.page_text import one_line
from ingestion.values import typed_cell

_WORDS = {"clmgf": "first", "clmrg": "across", "clvmgf": "top", "clvmrg": "down"}
_NEAR = 30  # twips: edges that are meant to be one
_COLUMNS_MAX = 512


@dataclass(slots=True)
class _Row:
    texts: list[str] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    marks: list[set[str]] = field(default_factory=list)


class Rows:
    def __init__(self, cells: int) -> None:
        self._left = cells
        self._cut = False
        self._rows: list[_Row] = []
        self._texts: list[str] = []
        self._edges: list[int] = []
        self._marks: list[set[str]] = []
        self._mark: set[str] = set()

    def describe(self, word: str, number: int) -> None:
        if word == "trowd":
            self._edges, self._marks, self._mark = [], [], set()
        elif word == "cellx" and len(self._edges) < _COLUMNS_MAX:
            self._edges.append(number)
            self._marks.append(self._mark)
            self._mark = set()
        elif word in _WORDS:
            self._mark.add(_WORDS[word])

    def cell(self, text: str) -> None:
        self._left -= 1
        if self._left < 0:
            self._cut = True
        elif len(self._texts) < _COLUMNS_MAX:
            self._texts.append(one_line(text))

    def row(self) -> None:
        if self._texts:
            self._rows.append(_Row(self._texts, self._edges, self._marks))
            self._texts = []

    def taken(self) -> tuple[list[list[Cell]], bool]:
        """The rows since the last time, and whether some were left out."""
        rows, self._rows = self._rows, []
        self.row()
        rows += self._rows
        self._rows = []
        cut, self._cut = self._cut, False
        return _placed(rows), cut


def _placed(rows: list[_Row]) -> list[list[Cell]]:
    columns = _columns(rows)
    made: list[list[Cell]] = []
    open_above: dict[int, tuple[int, int]] = {}  # column → where the cell stands that reaches down
    reach: dict[tuple[int, int], int] = defaultdict(int)
    for number, row in enumerate(rows):
        cells: list[Cell] = []
        col = 0
        for at, text in enumerate(row.texts):
            wide = _wide(row, at, col, columns)
            marks = row.marks[at] if at < len(row.marks) else set()
            if "across" in marks and cells:
                last = cells[-1]
                cells[-1] = last._replace(colspan=last.colspan + wide)
            elif "down" in marks and col in open_above:
                reach[open_above[col]] += 1
            else:
                open_above.pop(col, None)
                if "top" in marks:
                    open_above[col] = number, len(cells)
                cells.append(typed_cell(text, number, col)._replace(colspan=wide))
            col += wide
        made.append(cells)
    for (number, at), down in reach.items():
        made[number][at] = made[number][at]._replace(rowspan=down + 1)
    return [row for row in made if row]


def _columns(rows: list[_Row]) -> list[int]:
    """Edges of all rows; none where every row has as many cells, or where a row tells no edges."""
    if len({len(row.texts) for row in rows}) < 2:
        return []
    if any(len(row.edges) != len(row.texts) for row in rows):
        return []
    found: list[int] = []
    for edge in sorted({edge for row in rows for edge in row.edges}):
        if not found or edge - found[-1] > _NEAR:
            found.append(edge)
    return found


def _wide(row: _Row, at: int, col: int, columns: list[int]) -> int:
    if not columns:
        return 1
    return max(1, sum(edge <= row.edges[at] + _NEAR for edge in columns) - col)
