"""A plan carried out over a table's cells: exact decimals, each with the rows it came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

from agents.answers.tables.figures import (
    Figure,
    Result,
    count_of,
    number_of,
    round_to,
)
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Plan, Unclear
from agents.answers.tables.ranking import Ranking
from agents.answers.tables.rowsets import fitting
from agents.answers.tables.vocabulary import Vocabulary

_PRECISION = 50


def compute(plan: Plan, vocabulary: Vocabulary) -> Result:
    """Raises `Unclear` where cells cannot be read surely, or currencies would be mixed."""
    with localcontext() as context:
        context.prec = _PRECISION
        return _Computing(plan, vocabulary).made()


class _Computing(Ranking):
    def made(self) -> Result:
        match self.plan.op:
            case "count":
                figures = self._counts()
            case "distinct":
                figures = self._distinct()
            case "list":
                return self._list()
            case "share":
                figures = self._share()
            case "diff":
                return self._diff()
            case _:
                return self._amounts()
        return self._result(figures)

    def _amounts(self) -> Result:
        plan = self.plan
        first = self.column(plan.measures[0])
        if first.kind == "date":
            return self._result([self._date_extreme(first)])
        if plan.rank is not None:
            return self._ranked()
        figures = []
        for place in plan.measures:
            column = self.column(place)
            if plan.group is None:
                figures += self._by_unit(plan.op, "", column, self.rows)
                continue
            for label, rows in self._groups(plan.group, self.rows):
                figures += self._by_unit(plan.op, label, column, rows)
        if not figures or (plan.op == "value" and (len(figures) > 1 or len(self.rows) > 1)):
            raise Unclear("none")
        return self._result(self._ordered(figures))

    def _date_extreme(self, column: Column) -> Figure:
        dated = [(p, row) for row in self.rows if (p := column.period(row)) is not None]
        if any(row in column.doubtful for row in self.rows):
            raise Unclear("doubtful", column.name, next(t for t in column.texts if t))
        if not dated:
            raise Unclear("none")
        best = (max if self.plan.op == "max" else min)(period for period, _ in dated)
        rows = tuple(row for period, row in dated if period == best)
        return Figure("", best, None, 0, rows, column.place)

    def _counts(self) -> list[Figure]:
        plan = self.plan
        if plan.group is None:
            return [count_of("", self.rows, len(self.grid.rows))]
        figures = [count_of(label, rows, 0) for label, rows in self._groups(plan.group, self.rows)]
        if plan.rank is not None:
            if not figures:
                raise Unclear("none")
            return self._top(figures)
        return self._ordered(figures)

    def _distinct(self) -> list[Figure]:
        assert self.plan.shown is not None
        column = self.column(self.plan.shown)
        if column.gapped:
            raise Unclear("gapped", column.name)
        groups: list[tuple[str, Sequence[int]]] = [("", self.rows)]
        if self.plan.group is not None:
            groups = list(self._groups(self.plan.group, self.rows))
        figures = []
        for label, rows in groups:
            filled = tuple(row for row in rows if column.texts[row])
            different = {column.texts[row].casefold() for row in filled}
            figures.append(
                Figure(label, Decimal(len(different)), None, 0, filled, column.place, of=len(rows))
            )
        return figures

    def _list(self) -> Result:
        assert self.plan.shown is not None
        column = self.column(self.plan.shown)
        found: dict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            found[column.texts[row] or self._label(row)].append(row)
        self._left_out()
        listed = tuple((value, tuple(rows)) for value, rows in found.items())
        return Result(self.plan, (), tuple(self.rows), tuple(self.notes), listed)

    def _share(self) -> list[Figure]:
        everything = list(fitting(self.vocabulary, self.plan.base, range(len(self.grid.rows))))
        if not self.plan.measures:
            part, whole = count_of("", self.rows, 0), count_of("", everything, 0)
        else:
            column = self.column(self.plan.measures[0])
            wholes = self._by_unit("sum", "", column, everything)
            if len(wholes) != 1:
                raise Unclear("currencies", column.name, *sorted(str(f.unit) for f in wholes))
            self.notes.clear()
            parts = self._by_unit("sum", "", column, self.rows)
            whole = wholes[0]
            part = parts[0] if parts else Figure("", Decimal(0), whole.unit, 0, (), column.place)
        if number_of(whole) <= 0 or number_of(part) < 0:
            raise Unclear("none")
        value, rounded = round_to(number_of(part) / number_of(whole) * 100, 1)
        share = Figure("share", value, "%", 1, part.rows, part.column, rounded)
        return [share, part, whole]

    def _diff(self) -> Result:
        figures = []
        if self.plan.sides:
            for side in self.plan.sides:
                rows = fitting(self.vocabulary, side, self.rows)
                figures.append(self._side(_side_label(side), rows))
        else:
            for place in self.plan.measures:
                column = self.column(place)
                figures += self._by_unit("sum", column.name, column, self.rows)
        if len(figures) != 2 or figures[0].unit != figures[1].unit:
            raise Unclear("currencies", "", *sorted({str(f.unit) for f in figures}))
        value = abs(number_of(figures[0]) - number_of(figures[1]))
        places = max(f.places for f in figures)
        extra = Figure("", value, figures[0].unit, places, (), kind="rest")
        return self._result(figures, [extra])

    def _side(self, label: str, rows: Sequence[int]) -> Figure:
        if not self.plan.measures:
            return count_of(label, rows, 0)
        column = self.column(self.plan.measures[0])
        found = self._by_unit("sum", label, column, rows)
        if len(found) > 1:
            raise Unclear("currencies", column.name, *sorted(str(f.unit) for f in found))
        if not found:
            raise Unclear("none")
        return found[0]


def _side_label(side: Sequence[Any]) -> str:
    condition = side[0]
    return condition.period.told() if condition.period else ", ".join(condition.values)
