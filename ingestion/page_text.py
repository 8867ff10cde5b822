"""Writes a page's text and its blocks together, so that every offset is exact by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.documents import Block, Cell, Page, Table, Word
from core.grid import KINDS, Column, Grid

CELL_GAP = " | "
_MANY = 500  # rows
_BARE = Cell("", 0, 0)[5:]  # no address, no formula, no spans
_LETTERS = {kind: letter for letter, kind in KINDS.items()}
_NOT_ONE_LINE = ("  ", "\x00 ", " \x00", *filter(str.isspace, map(chr, (
    *range(9, 32), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F,
    0x3000,
))))  # fmt: skip


def one_line(text: str) -> str:
    """`text` without line breaks, runs of white space as one blank."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """Line breaks as `\\n`, no NUL and no lone surrogates, which JSON and PostgreSQL refuse."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8")


def _lines(rows: Sequence[Sequence[str]]) -> str:
    """A line for each row. Texts are looked at together: hardly any needs to be made one line."""
    whole = "\x00".join(map("\x00".join, rows))
    if any(mark in whole for mark in _NOT_ONE_LINE) or whole[:1] == " " or whole[-1:] == " ":
        rows = [[one_line(text) for text in row] for row in rows]
    return "\n".join(map(CELL_GAP.join, rows))


def _kept(rows: tuple[tuple[Cell, ...], ...]) -> Sequence[tuple[Cell, ...]]:
    """Many rows of one width by columns: made into cells, they stop the whole platform."""
    width = len(rows[0]) if len(rows) > _MANY else 0
    if not width or any(
        len(row) != width or any((cell.row, cell.col) != (at, col) or cell[5:] != _BARE
                                 for col, cell in enumerate(row))
        for at, row in enumerate(rows)
    ):  # fmt: skip
        return rows
    columns = [
        Column([cell.text for cell in cells], "".join(_LETTERS[cell.kind] for cell in cells),
               [cell.value for cell in cells])
        for cells in zip(*rows, strict=True)
    ]  # fmt: skip
    return Grid(0, 0, columns, Cell, addresses=False)


class PageText:
    """One page in the making. Lines are joined by one line break, blocks by two."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self.tables: list[Table] = []
        self.words: list[Word] = []

    @property
    def length(self) -> int:
        return self._length

    def _put(self, text: str) -> int:
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start

    def add(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> Block | None:
        """Appends a block of `kind`; empty text adds nothing."""
        text = tidy(text).strip("\n ")
        if not text.strip():
            return None
        if self._length:
            self._put(gap)
        start = self._put(text)
        block = Block(kind, start, self._length, level)
        self.blocks.append(block)
        return block

    def add_table(
        self,
        rows: Iterable[Sequence[Cell]],
        *,
        sheet: str | None = None,
        header_rows: int = 1,
        title: str | None = None,
    ) -> Table | None:
        """Appends a table: line k of its text is row k, cells apart by ` | `."""
        kept = tuple(map(tuple, rows))
        if not kept:
            return None
        block = self._rows(kept)
        table = Table(0, _kept(kept), block.start, block.end, sheet, header_rows, title)
        self.tables.append(table)
        return table

    def add_grid(
        self, grid: Grid[Cell], *, sheet: str | None, header_rows: int, title: str | None
    ) -> None:
        """Appends a table whose cells are kept by columns."""
        block = self._texts(grid.texts())
        self.tables.append(Table(0, grid, block.start, block.end, sheet, header_rows, title))

    def _rows(self, rows: Iterable[Sequence[Cell]]) -> Block:
        return self._texts([[cell.text for cell in row] for row in rows])

    def _texts(self, rows: Sequence[Sequence[str]]) -> Block:
        if self._length:
            self._put("\n\n")
        start = self._length
        self._put(_lines(rows))
        block = Block("table", start, self._length)
        self.blocks.append(block)
        return block

    def line(self, text: str, gap: str) -> int:
        """Appends raw text after `gap` and gives its start; the caller keeps the blocks."""
        if self._length or "\n" not in gap:
            self._put(gap)
        return self._put(text)

    def close_block(self, kind: str, start: int, level: int = 0) -> None:
        """Everything written since `start` is one block."""
        self.blocks.append(Block(kind, start, self._length, level))

    def close_table(self, rows: Sequence[tuple[Cell, ...]], start: int) -> None:
        """Everything written since `start` is a table, a line for each row."""
        self.blocks.append(Block("table", start, self._length))
        self.tables.append(Table(0, _kept(tuple(rows)), start, self._length))

    def page(
        self, number: int, *, sheet: str | None = None, width: float = 0.0, height: float = 0.0
    ) -> Page:
        return Page(
            number,
            "".join(self._parts),
            tuple(self.blocks),
            tuple(replace(table, page=number) for table in self.tables),
            tuple(self.words),
            sheet,
            width,
            height,
        )
