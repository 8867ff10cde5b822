"""The first of groups or of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.answers.tables.amounts import Amounts
from agents.answers.tables.columns import additive
from agents.answers.tables.figures import (
    Figure,
    Result,
    number_of,
)
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Op, Unclear


class Ranking(Amounts):
    """Plans with a rank."""

    def _ranked(self) -> Result:
        plan, rank = self.plan, self.plan.rank
        assert rank is not None
        column = self.column(plan.measures[0])
        if plan.group is None:
            return self._result(self._top_rows(column, rank.count))
        groups = self._groups(plan.group, self.rows)
        single = all(len(rows) == 1 for _, rows in groups)
        if plan.op == "avg" or plan.explicit or (rank.count > 1 and additive(column)):
            return self._result(self._top(self._totals(plan.op, column, groups)))
        if single or not additive(column):
            op: Op = "max" if rank.descending else "min"
            return self._result(self._top(self._totals(op, column, groups)))
        totals = self._top(self._totals("sum", column, groups), kind="total")
        op = "max" if rank.descending else "min"
        singles = self._top(self._totals(op, column, groups), kind="single")
        return self._result(totals, singles)

    def _totals(
        self, op: Op, column: Column, groups: Sequence[tuple[str, list[int]]]
    ) -> list[Figure]:
        figures = [f for label, rows in groups for f in self._by_unit(op, label, column, rows)]
        self._comparable(figures, column)
        return figures

    def _comparable(self, figures: Sequence[Figure], column: Column) -> None:
        units = {figure.unit for figure in figures}
        if len(units) > 1:
            raise Unclear("currencies", column.name, *sorted(str(unit) for unit in units))
        if not figures:
            raise Unclear("none")

    def _top(self, figures: list[Figure], kind: str = "value") -> list[Figure]:
        """The first ones, and those that are equal to the last of them."""
        rank = self.plan.rank
        assert rank is not None
        ordered = sorted(figures, key=number_of, reverse=rank.descending)
        kept = ordered[: rank.count]
        tied = [f for f in ordered[rank.count :] if f.value == kept[-1].value]
        if len(tied) > 10:
            raise Unclear("tied")
        if tied:
            self.note("tied", str(len(kept) + len(tied)))
        return [replace(figure, kind=kind) for figure in (*kept, *tied)]

    def _top_rows(self, column: Column, count: int) -> list[Figure]:
        taken = self._taken(column, self.rows)
        if len(taken.by_unit) > 1:
            raise Unclear("currencies", column.name, *sorted(map(str, taken.by_unit)))
        figures = [
            self._figure("max", self._label(row), column, unit, [row])
            for unit, rows in taken.by_unit.items() for row in rows
        ]  # fmt: skip
        if not figures:
            raise Unclear("none")
        return self._top(figures)

    def _label(self, row: int) -> str:
        """What a row is called: its id, else its first words."""
        columns = self.grid.columns
        named = [c for c in columns if c.identifies and c.texts[row]]
        words = [c for c in columns if c.kind == "text" and c.texts[row]]
        chosen = named[:1] or words[:1]
        return chosen[0].texts[row] if chosen else str(self.grid.rows[row].number)
