"""A table across pages: laid out once, cut by row, header repeated, nothing wider than the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.platypus import Flowable

from reports.pdf import fonts
from reports.pdf.ink import Ink, fill, marks_width, rounded, rule
from reports.theme import INK, LINE, MUTED, TINTS, ZEBRA, mixed
from reports.value import FIGURE_KINDS, Table, Value
from reports.wording import DASH, words

SIZE, LEADING, PAD_X, PAD_Y = 7.6, 10.0, 4.0, 3.4
LINES_MAX = 44  # of one cell: less than a landscape page holds; the XLSX has all of it
_RIGHT = frozenset({"money", "number", "percent"})


@dataclass(frozen=True, slots=True)
class _Cell:
    """`marks` are (line, x, number), x from the cell's text edge or, for figures, from its lane."""

    lines: list[str]
    value: Value
    figure: bool  # right-aligned, digits in line
    marks: list[tuple[int, float, int]]
    height: int  # in lines


@dataclass
class _Layout:
    """Column boxes, and for each row its cells and height; shared by all parts of a cut table."""

    table: Table
    widths: list[float]
    lanes: list[float]  # room right of a figure for its marks, so that digits stay in line
    header: list[list[str]]
    header_height: float
    rows: list[list[_Cell]]
    heights: list[float]


def natural_width(table: Table) -> float:
    """What the table would like to have, long texts counted as 130 points."""
    return sum(min(wish, 130.0) for wish in _wishes(table, _lanes(table)))


def _lanes(table: Table) -> list[float]:
    """Two marks beside each other at most; more go below."""
    return [
        max((marks_width(row[index].sources[-2:]) for row in table.rows), default=0.0)
        if column.kind in _RIGHT else 0.0
        for index, column in enumerate(table.columns)
    ]  # fmt: skip


def _wishes(table: Table, lanes: list[float]) -> list[float]:
    wishes = []
    for index, column in enumerate(table.columns):
        seen = {words(row[index]) for row in table.rows}
        widest = max((fonts.width(text, SIZE) for text in seen), default=0.0)
        chip = 8 if column.kind == "status" else 0
        inline = 0.0
        if column.kind not in _RIGHT:
            inline = max((marks_width(r[index].sources[-3:]) for r in table.rows), default=0)
        title = fonts.width(column.title, SIZE, True)
        wishes.append(max(title, widest + lanes[index] + chip + inline) + 2 * PAD_X + 0.5)
    return wishes


def _shares(table: Table, lanes: list[float], room: float) -> list[float]:
    """Figures get what they need while texts keep a readable rest; texts share by their wish."""
    wishes = _wishes(table, lanes)
    if sum(wishes) <= room:
        spare = (room - sum(wishes)) / len(wishes)
        return [wish + spare for wish in wishes]
    fixed = [c.kind in FIGURE_KINDS or c.kind == "status" for c in table.columns]
    firm = [w if stays else min(w, 44.0) for w, stays in zip(wishes, fixed, strict=True)]
    if sum(firm) > room:
        return [room * part / sum(firm) for part in firm]
    return _filled_up(firm, wishes, [c.weight or 1.0 for c in table.columns], room)


def _filled_up(
    widths: list[float], wishes: list[float], weights: list[float], room: float
) -> list[float]:
    """Shares what is left by weight among the columns that want more, none above its wish."""
    for _ in range(len(widths)):
        open_ = [index for index, width in enumerate(widths) if width < wishes[index] - 0.01]
        spare = room - sum(widths)
        if not open_ or spare < 0.5:
            break
        per_weight = spare / sum(weights[index] for index in open_)
        for index in open_:
            widths[index] = min(wishes[index], widths[index] + per_weight * weights[index])
    return widths


def _lay_out(table: Table, room: float) -> _Layout:
    lanes = _lanes(table)
    widths = _shares(table, lanes, room)
    inner = [max(6.0, w - 2 * PAD_X - lane) for w, lane in zip(widths, lanes, strict=True)]
    header = [
        fonts.wrapped(c.title, SIZE, w - 2 * PAD_X, True)[:4]
        for c, w in zip(table.columns, widths, strict=True)
    ]
    figures = [column.kind in _RIGHT for column in table.columns]
    rows = [
        [
            _cell(value, *box)
            for value, box in zip(row, zip(inner, lanes, figures, strict=True), strict=True)
        ]
        for row in table.rows
    ]
    heights = [max(map(_lines_of, row)) * LEADING + 2 * PAD_Y for row in rows]
    tall = max(map(len, header)) * LEADING + 2 * PAD_Y + 1
    return _Layout(table, widths, lanes, header, tall, rows, heights)


def _lines_of(cell: _Cell) -> int:
    return cell.height


def _cell(value: Value, room: float, lane: float, figures: bool) -> _Cell:
    figure = figures and (value.kind in _RIGHT or value.value is None)
    chip = 8.0 if value.kind == "status" else 0.0
    lines = fonts.wrapped(words(value), SIZE, room - chip)
    if len(lines) > LINES_MAX:
        lines = [*lines[: LINES_MAX - 1], lines[LINES_MAX - 1][:-1] + "…"]
    if not value.sources:
        return _Cell(lines, value, figure, [], len(lines))
    if figure:
        marks = _placed(value.sources[: 2 * LINES_MAX], 0, 1.0, 1.0, lane + 1)
    else:
        end = fonts.width(lines[-1], SIZE) + chip + 1.5
        marks = _placed(value.sources[:LINES_MAX], len(lines) - 1, end, 0.0, room)
    return _Cell(lines, value, figure, marks, max(len(lines), marks[-1][0] + 1))


def _placed(
    numbers: Sequence[int], line: int, x: float, left: float, room: float
) -> list[tuple[int, float, int]]:
    placed = []
    for number in numbers:
        wide = marks_width((number,))
        if x + wide > room + 0.5 and (x > left or line == 0):
            line, x = line + 1, left
        placed.append((line, x, number))
        x += wide
    return placed


class Grid(Flowable):
    """Rows `first:last` of a table."""

    def __init__(self, table: Table, ink: Ink, first: int = 0, last: int | None = None) -> None:
        super().__init__()
        self.table, self.ink = table, ink
        self.first, self.last = first, len(table.rows) if last is None else last
        self._layout: _Layout | None = None

    def _part(self, first: int, last: int) -> Grid:
        part = Grid(self.table, self.ink, first, last)
        part._layout = self._layout
        return part

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        layout = self._layout
        if layout is None or abs(sum(layout.widths) - room) > 0.1:
            layout = self._layout = _lay_out(self.table, room)
        self.width = room
        self.height = layout.header_height + sum(layout.heights[self.first : self.last])
        return self.width, self.height

    def split(self, room: float, height: float) -> list[Any]:
        self.wrap(room, height)
        assert self._layout is not None
        left, cut = height - self._layout.header_height, self.first
        while cut < self.last and self._layout.heights[cut] <= left:
            left -= self._layout.heights[cut]
            cut += 1
        if cut == self.first:
            return []
        return [self._part(self.first, cut), self._part(cut, self.last)]

    def draw(self) -> None:
        layout, y = self._layout, self.height
        assert layout is not None
        y = self._header(layout, y)
        for index in range(self.first, self.last):
            high = layout.heights[index]
            if index % 2:
                fill(self.canv, ZEBRA, 0, y - high, self.width, high - 0.3)
            self._row(layout, layout.rows[index], y)
            y -= high
            rule(self.canv, LINE, 0, self.width, y, 0.4)

    def _header(self, layout: _Layout, y: float) -> float:
        high = layout.header_height
        fill(self.canv, mixed(self.ink.accent, 0.10), 0, y - high, self.width, high)
        rule(self.canv, self.ink.accent, 0, self.width, y - high, 0.9)
        x = 0.0
        for index, lines in enumerate(layout.header):
            right = layout.table.columns[index].kind in _RIGHT
            place = x + layout.widths[index] - PAD_X - layout.lanes[index] if right else x + PAD_X
            for number, line in enumerate(lines, 1):
                self.ink.text(self.canv, place, y - PAD_Y - number * LEADING + 2.4, line, SIZE,
                              bold=True, align="right" if right else "left")  # fmt: skip
            x += layout.widths[index]
        return y - high

    def _row(self, layout: _Layout, row: Sequence[_Cell], y: float) -> None:
        x, base = 0.0, y - PAD_Y - LEADING + 2.4
        for wide, lane, cell in zip(layout.widths, layout.lanes, row, strict=True):
            if cell.figure:
                self._figure(cell, x + wide - PAD_X - lane, base)
            else:
                self._words(cell, x + PAD_X, base)
            x += wide

    def _figure(self, cell: _Cell, right: float, base: float) -> None:
        for number, line in enumerate(cell.lines):
            colour = MUTED if line == DASH else INK
            self.ink.text(self.canv, right, base - number * LEADING, line, SIZE, colour=colour,
                          align="right")  # fmt: skip
        self._marks(cell, right, base)

    def _words(self, cell: _Cell, x: float, base: float) -> None:
        colour = MUTED if cell.value.value is None else INK
        left = x
        if cell.value.kind == "status" and cell.value.value is not None:
            left, colour = self._chip(cell, x, base)
        for number, line in enumerate(cell.lines):
            if line:
                self.ink.text(self.canv, left, base - number * LEADING, line, SIZE, colour=colour)
        self._marks(cell, x, base)

    def _marks(self, cell: _Cell, x: float, base: float) -> None:
        for line, offset, number in cell.marks:
            self.ink.marks(self.canv, x + offset, base - line * LEADING, (number,))

    def _chip(self, cell: _Cell, x: float, base: float) -> tuple[float, tuple[float, float, float]]:
        tint, colour = TINTS[cell.value.tone]
        wide = max(fonts.width(line, SIZE) for line in cell.lines) + 8
        high = len(cell.lines) * LEADING
        rounded(self.canv, tint, x, base - high + LEADING - 2.6, wide, high, 3.2)
        return x + 4, colour
