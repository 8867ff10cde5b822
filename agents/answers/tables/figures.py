"""Figures with the rows they come from, and how they are rounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from agents.answers.tables import dates
from agents.answers.tables.dates import Period
from agents.answers.tables.grids import Column
from agents.answers.tables.numbers import decimals
from agents.answers.tables.plans import Group, Op, Plan, Unclear


@dataclass(frozen=True, slots=True)
class Figure:
    """One number (or date) and where it comes from. `column` is None where rows were counted."""

    label: str
    value: Decimal | Period
    unit: str | None
    places: int
    rows: tuple[int, ...]
    column: int | None = None
    rounded: bool = False
    kind: str = "value"  # value | total | single | rest
    of: int = 0  # rows that were looked at


@dataclass(frozen=True, slots=True)
class Result:
    """`values` are the distinct values of a list, with their rows."""

    plan: Plan
    figures: tuple[Figure, ...]
    rows: tuple[int, ...]
    notes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    listed: tuple[tuple[str, tuple[int, ...]], ...] = ()
    extra: tuple[Figure, ...] = ()  # the difference, the other reading

    def key(self) -> tuple[Any, ...]:
        """Two readings with the same key say the same."""
        told = tuple((f.label, f.value, f.unit, f.kind) for f in (*self.figures, *self.extra))
        return told, tuple(value for value, _ in self.listed)


@dataclass(slots=True)
class Taken:
    """The numbers of a column in some rows, by unit."""

    by_unit: dict[str | None, list[int]] = field(default_factory=lambda: defaultdict(list))
    empty: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    as_text: int = 0


def grouped(column: Column, group: Group, row: int) -> tuple[Any, str]:
    if column.kind == "date":
        period = column.period(row)
        if row in column.doubtful:
            raise Unclear("doubtful", column.name, column.texts[row])
        whole = dates.part(period, group.unit) if period and group.unit else period
        if period is not None and whole is None:
            raise Unclear("dates", column.name)
        return whole, whole.told() if whole else ""
    text = column.texts[row]
    return (text.casefold(), text) if text else (None, "")


def count_of(label: str, rows: Sequence[int], of: int) -> Figure:
    return Figure(label, Decimal(len(rows)), None, 0, tuple(rows), of=of)


def number_of(figure: Figure) -> Decimal:
    assert isinstance(figure.value, Decimal)
    return figure.value


def aligned(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Figures of one unit with the same number of decimals."""
    most: dict[str | None, int] = defaultdict(int)
    for figure in figures:
        most[figure.unit] = max(most[figure.unit], figure.places)
    return tuple(replace(figure, places=most[figure.unit]) for figure in figures)


def made_of(op: Op, values: Sequence[Decimal], unit: str | None) -> tuple[Decimal, bool]:
    """The value, and whether it had to be rounded."""
    simple: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
        "sum": lambda v: sum(v, Decimal(0)), "max": max, "min": min, "value": max,
    }  # fmt: skip
    if op in simple:
        return simple[op](values), False
    if op == "median":
        ordered = sorted(values)
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return (low + high) / 2, False
    most = max(decimals(value) for value in values)
    return round_to(sum(values, Decimal(0)) / len(values), max(2, most if unit else most + 1))


def round_to(value: Decimal, places: int) -> tuple[Decimal, bool]:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded, rounded != value


def places_of(value: Decimal, most: int, unit: str | None) -> int:
    """Decimals to show: as the column has; money with a fraction has two."""
    shown = decimals(value.normalize())
    places = max(shown, min(most, 2))
    return max(places, 2) if (shown or most) and unit not in (None, "%") else places
