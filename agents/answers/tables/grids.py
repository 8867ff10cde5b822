"""A table as columns of typed cells: what every question is computed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from agents.answers.evidence import orders_models
from agents.answers.tables.dates import Period
from agents.answers.tables.words import listed
from core.documents import Source
from ingestion.page_text import CELL_GAP

Kind = Literal["number", "date", "flag", "text", "empty"]
QUOTE_CHARS_MAX = 1_000
YES = listed("yes y true x 1 ja j wahr oui vrai si sí verdadero waar ✓ ✔")
NO = listed("no n false 0 nein falsch non faux nee onwaar falso ✗ ✘")


@dataclass(frozen=True, slots=True)
class Row:
    """Where a row stands: the number that people see, and its line in the page's text."""

    number: int  # of the sheet from 1, or of the table where there are no addresses
    page: int
    start: int
    end: int
    label: str = ""  # of a total row: what it is called


@dataclass(frozen=True, slots=True)
class Column:
    """One column's data cells, row by row. `numbers` and `periods` are None where a cell is none;
    `units` are currencies, % and the like as they stand in the cell."""

    place: int
    letter: str
    name: str
    kind: Kind
    texts: tuple[str, ...]
    numbers: tuple[Decimal | None, ...] = ()
    units: tuple[str | None, ...] = ()
    periods: tuple[Period | None, ...] = ()
    unit: str | None = None  # of the header
    unknown: frozenset[int] = frozenset()  # rows whose cell is a formula without value or an error
    doubtful: frozenset[int] = frozenset()  # rows whose number or date may be read in two ways
    as_text: frozenset[int] = frozenset()  # rows whose number is text in a typed sheet
    identifies: bool = False  # numbers that are names: ids, codes, telephone numbers
    places: int = 0  # the most decimals that one of its numbers has
    used: frozenset[str] = frozenset()  # the units of its cells, each once
    gapped: bool = False  # empty cells below a label may belong to it

    def number(self, row: int) -> Decimal | None:
        return self.numbers[row] if self.numbers else None

    def period(self, row: int) -> Period | None:
        return self.periods[row] if self.periods else None

    def unit_of(self, row: int) -> str | None:
        return (self.units[row] if self.units else None) or self.unit

    @property
    def measured(self) -> bool:
        """Whether its numbers may be added up or compared."""
        return self.kind == "number" and not self.identifies


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a header. `left_out` are its total rows."""

    document_id: str
    filename: str
    sheet: str | None
    title: str | None
    number: int  # of the table in its document, from 1
    addressed: bool  # cells have addresses as in a sheet
    header: Row
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    pages: Mapping[int, str] = field(repr=False, default_factory=dict)  # page → its text
    left_out: tuple[Row, ...] = ()
    hidden: bool = False
    partial: str | None = None  # why not every row was read
    over: str = ""  # headings above it
    wide: tuple[int, ...] = ()  # numbers of rows with more cells than names: which is which?
    unseen: tuple[int, ...] = ()  # numbers of hidden rows, which are left out

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return 4_000 + 300 * len(self.rows) * max(1, len(self.columns))

    def source(self, rows: Sequence[int], cells: str | None) -> Source:
        """The lines of rows that stand together, cut at about a thousand characters. Cells that
        speak to a model are not quoted."""
        first = self.rows[rows[0]]
        last = first
        for row in rows[1:]:
            after = self.rows[row]
            if after.page != first.page or after.end - first.start > QUOTE_CHARS_MAX:
                break
            last = after
        text = self.pages[first.page]
        start, end = first.start, last.end
        if _speaks(text[start:end]):
            start, end = _quiet(text, start, end)
        return Source(
            self.document_id, self.filename, first.page, start, end, text[start:end], self.sheet,
            cells,
        )  # fmt: skip


def _speaks(text: str) -> bool:
    cells = (cell for line in text.split("\n") for cell in line.split(CELL_GAP))
    return any(orders_models(cell) for cell in cells)


def _quiet(text: str, start: int, end: int) -> tuple[int, int]:
    """The longest stretch of cells of one line that says nothing to a model."""
    best, at = (start, start), start
    for line in text[start:end].split("\n"):
        first = at
        for cell in line.split(CELL_GAP):
            if orders_models(cell):
                first = at + len(cell) + len(CELL_GAP)
            elif at + len(cell) - first > best[1] - best[0]:
                best = (first, at + len(cell))
            at += len(cell) + len(CELL_GAP)
        at += 1 - len(CELL_GAP)
    return best
