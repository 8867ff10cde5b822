"""Numbers of a column in some rows, by unit; what is left out is noted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from agents.answers.tables.columns import currency_column, money
from agents.answers.tables.figures import (
    Figure,
    Result,
    Taken,
    aligned,
    grouped,
    made_of,
    number_of,
    places_of,
)
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Group, Op, Plan, Unclear
from agents.answers.tables.rowsets import fitting, one_year, yearless
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import listed

_TEXT_SHARE_MAX = 0.2  # more cells of words than that, and a sum of the others says little
_NOT_KNOWN = listed("n/a na n.a. - – — k.a. tbd tba none nil null offen ? x n.v. nc n.c.")


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return f"{shown} +{len(numbers) - 8}" if len(numbers) > 8 else shown


class Amounts:
    """A plan over one table's cells."""

    def __init__(self, plan: Plan, vocabulary: Vocabulary) -> None:
        self.plan, self.vocabulary, self.grid = plan, vocabulary, vocabulary.grid
        if self.grid.partial:
            raise Unclear("partial", self.grid.filename)
        if self.grid.wide:
            raise Unclear("wide", self.grid.filename, _listed(self.grid.wide))
        self.notes: dict[tuple[str, tuple[str, ...]], None] = {}
        self.currency = currency_column(vocabulary)
        base = plan.base if plan.sides else plan.where
        self.rows = fitting(vocabulary, base, range(len(self.grid.rows)))

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

    def _result(self, figures: Sequence[Figure], extra: Sequence[Figure] = ()) -> Result:
        self._left_out()
        return Result(
            self.plan, aligned(figures), tuple(self.rows), tuple(self.notes), extra=aligned(extra)
        )

    def _left_out(self) -> None:
        if self.grid.unseen:
            self.note("hidden", _listed(self.grid.unseen))
        if self.grid.left_out:
            labels = [f"{row.number} ({row.label})" for row in self.grid.left_out[:4]]
            more = len(self.grid.left_out) - len(labels)
            self.note("totals", ", ".join(labels) + (f" +{more}" if more > 0 else ""))

    def note(self, key: str, *names: str) -> None:
        self.notes[(key, names)] = None

    # Numbers

    def _taken(self, column: Column, rows: Sequence[int]) -> Taken:
        found = Taken()
        currency = self.currency if money(column) and not column.unit else None
        for row in rows:
            if row in column.unknown:
                raise Unclear("unknown", column.name, self.cell(column, row))
            if row in column.doubtful:
                raise Unclear("doubtful", column.name, column.texts[row])
            if column.number(row) is None:
                (found.words if column.texts[row] else found.empty).append(row)
                continue
            unit = column.unit_of(row)
            if unit is None and currency is not None:
                unit = currency.texts[row].upper() or None
            found.by_unit[unit].append(row)
            found.as_text += row in column.as_text
        self._one_unit(found, column)
        self._noted(found, column, len(rows))
        return found

    def _one_unit(self, found: Taken, column: Column) -> None:
        """Cells without a unit count as of the only one there is, and it is said."""
        bare = found.by_unit.get(None)
        if bare and len(found.by_unit) == 2:
            unit = next(unit for unit in found.by_unit if unit is not None)
            if unit == "%" or len(bare) > len(found.by_unit[unit]):
                raise Unclear("units", column.name)
            found.by_unit[unit] = sorted([*found.by_unit[unit], *bare])
            del found.by_unit[None]
            self.note("bare", str(len(bare)), unit)
        elif bare and len(found.by_unit) > 2:
            raise Unclear("units", column.name)

    def _noted(self, found: Taken, column: Column, looked_at: int) -> None:
        if found.words:
            told = [r for r in found.words if column.texts[r].casefold() not in _NOT_KNOWN]
            if len(told) > _TEXT_SHARE_MAX * looked_at:
                raise Unclear("words", column.name)
            shown = [f"{self.cell(column, r)}: {column.texts[r][:30]}" for r in found.words[:3]]
            self.note("words", str(len(found.words)), "; ".join(shown))
        if found.empty:
            self.note("empty", str(len(found.empty)), column.name)
        if found.as_text:
            self.note("as_text", str(found.as_text), column.name)

    def cell(self, column: Column, row: int) -> str:
        return f"{column.letter}{self.grid.rows[row].number}"

    def _figure(
        self, op: Op, label: str, column: Column, unit: str | None, rows: list[int]
    ) -> Figure:
        values = [n for row in rows if (n := column.number(row)) is not None]
        value, rounded = made_of(op, values, unit)
        if op in ("max", "min"):
            rows = [row for row in rows if column.number(row) == value]
        places = places_of(value, column.places, unit)
        return Figure(label, value, unit, places, tuple(rows), column.place, rounded)

    # Kinds of question

    def _by_unit(self, op: Op, label: str, column: Column, rows: Sequence[int]) -> list[Figure]:
        taken = self._taken(column, rows)
        if op == "sum" and "%" in taken.by_unit:
            raise Unclear("rate", column.name)
        return [self._figure(op, label, column, unit, used) for unit, used in taken.by_unit.items()]

    def _ordered(self, figures: list[Figure]) -> list[Figure]:
        """Months in order, other groups from the largest."""
        group = self.plan.group
        if group is None or group.unit or self.column(group.column).kind == "date":
            return figures
        return sorted(figures, key=lambda f: (f.unit or "", -number_of(f)))

    def _groups(self, group: Group, rows: Sequence[int]) -> list[tuple[str, list[int]]]:
        column = self.column(group.column)
        if column.gapped:
            raise Unclear("gapped", column.name)
        if column.kind == "date" and yearless(column):
            one_year(self.vocabulary, rows)
        found: dict[Any, list[int]] = defaultdict(list)
        labels: dict[Any, str] = {}
        for row in rows:
            key, label = grouped(column, group, row)
            if key is None:
                self.note("ungrouped", column.name, self.cell(column, row) or str(row))
                continue
            found[key].append(row)
            labels.setdefault(key, label)
        keys = sorted(found) if column.kind == "date" else list(found)
        return [(labels[key], found[key]) for key in keys]
