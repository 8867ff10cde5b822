"""The report value: what all three renderers read, and nothing else. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from core.documents import Source

Kind = Literal["text", "money", "number", "date", "percent", "status", "source"]
Tone = Literal["good", "warn", "bad", "info", "neutral"]
ChartKind = Literal["bar", "stacked", "line", "donut"]

FIGURE_KINDS: frozenset[str] = frozenset({"money", "number", "date", "percent"})


@dataclass(frozen=True, slots=True)
class Value:
    """One printed value. `sources` are numbers into `Report.sources` (from 1).

    Amounts and numbers are `Decimal`, percents are fractions (0.25 is 25 %), None prints a dash.
    A value whose text did not parse keeps its words and the kind `text`.
    """

    kind: Kind
    value: str | Decimal | date | None
    currency: str = ""
    sources: tuple[int, ...] = ()
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of running text, with the sources that prove it."""

    text: str
    sources: tuple[int, ...] = ()
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: tuple[Span, ...]
    heading: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    paragraphs: tuple[Paragraph, ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure. `computed` says from which rows, for figures that no document states."""

    label: str
    value: Value
    computed: str = ""


@dataclass(frozen=True, slots=True)
class KeyFigures:
    title: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    kind: Kind
    computed: str = ""
    weight: float = 0.0  # share of the page's width; 0 = as wide as its content needs


@dataclass(frozen=True, slots=True)
class Table:
    """`role` "main" and "exceptions" come first in the CSV."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    role: str = ""
    empty: str = "Nothing to show."
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels[i]` names `series[*].values[i]`; `unit` is a currency or a word."""

    title: str
    kind: ChartKind
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    computed: str = ""


Section = Text | KeyFigures | Table | Chart


@dataclass(frozen=True, slots=True)
class Branding:
    """`accent` is `#rrggbb`; `logo` is PNG or JPEG bytes."""

    name: str = "Weft"
    accent: str = "#2f5bea"
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`withheld` counts figures that had neither a source nor a computation and were left out."""

    title: str
    created_ms: int
    branding: Branding = field(default_factory=Branding)
    subtitle: str = ""
    template: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    withheld: int = 0

    @property
    def tables(self) -> tuple[Table, ...]:
        """Main first, then exceptions, then the others in their order."""
        order = {"main": 0, "exceptions": 1}
        found = [section for section in self.sections if isinstance(section, Table)]
        return tuple(sorted(found, key=lambda table: order.get(table.role, 2)))
