"""Numbers in a question: `over 1,000 EUR`, `between 5 and 10 units`, `size 42`."""

from __future__ import annotations

from dataclasses import replace

from agents.answers.tables.columns import additive, currency_column, money
from agents.answers.tables.grids import Column
from agents.answers.tables.pieces import OPS, Pieces
from agents.answers.tables.plans import Condition, NotThis, Unclear
from agents.answers.tables.spelling import Elem
from ingestion.fields.numbers import CODES


def _is_in(column: Column, unit: str) -> bool:
    return column.unit == unit or unit in column.used


class Comparisons(Pieces):
    """Each number is bound to a column, or the question is not understood."""

    def _numbers(self) -> None:
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has(*OPS, "between", "ge_after", "le_after"):
                continue
            self._comparison(at, elem)
        for at, elem in enumerate(self.elems):
            if at not in self.used and elem.has("num"):
                self._equals(at, elem)

    def _comparison(self, at: int, elem: Elem) -> None:
        after = self._plain_next(at)
        if elem.has("ge_after", "le_after"):
            before = self._plain_before(at)
            if before is None or not self.elems[before].has("num"):
                raise NotThis
            self._bound(at, before, ">" if elem.has("ge_after") else "<", False)
        elif after is not None and self.elems[after].has("num"):
            role = next((role for role in elem.roles if role in OPS), None)
            if elem.has("between") and self._range(at, after):
                return
            if role is not None:
                self._bound(at, after, *OPS[role])

    def _bound(self, at: int, num: int, side: str, is_open: bool) -> None:
        number, unit = self.elems[num].number, self.elems[num].unit
        column = self._numeric(min(at, num), max(at, num), unit)
        if side == ">":
            made = Condition(column, "cmp", low=number, low_open=is_open)
        else:
            made = Condition(column, "cmp", high=number, high_open=is_open)
        self.used |= {at, num}
        self._compare(at, replace(made, negated=self._negation(min(at, num))), unit)

    def _range(self, at: int, first: int) -> bool:
        link = self._plain_next(first)
        second = None if link is None else self._plain_next(link)
        if link is None or second is None or not self.elems[link].has("and", "to"):
            return False
        low, high = self.elems[first], self.elems[second]
        if not high.has("num") or low.number is None or high.number is None:
            return False
        if low.number > high.number:
            raise NotThis
        unit = low.unit or high.unit
        column = self._numeric(at, second, unit)
        self.used |= {at, first, link, second}
        self._compare(at, Condition(column, "cmp", low=low.number, high=high.number), unit)
        return True

    def _compare(self, at: int, condition: Condition, unit: str | None) -> None:
        """With a currency beside the number, rows of other currencies do not count."""
        self.placed.append((at, condition))
        self.compared.append(condition.column)
        column = self.column(condition.column)
        currency = currency_column(self.vocabulary)
        if unit and unit in CODES and currency is not None and money(column):
            named = tuple(t for t in set(currency.texts) if t.upper() == unit)
            if not named:
                raise Unclear("unit", unit, column.name)
            self.placed.append((at, Condition(currency.place, "in", named)))
        elif unit and unit != "%" and unit in CODES and column.unit not in (None, unit):
            raise Unclear("unit", unit, column.name)

    def _numeric(self, first: int, last: int, unit: str | None) -> int:
        """The column that a number is compared with: named beside it, or the only one it fits."""
        for near in (self._next(first, -1, ("eq", "which", "during")), self._next(last, 1)):
            if near is None or not self.elems[near].has("col"):
                continue
            fitting = [c for c in self.elems[near].columns if self.column(c).measured]
            if fitting:
                self.used.add(near)
                return self.only(fitting)
        fitting = [
            c.place for c in self.vocabulary.columns
            if c.measured and (unit is None or unit not in CODES or money(c) or c.unit == unit)
        ]  # fmt: skip
        if unit is not None and unit not in CODES:
            fitting = [c for c in fitting if _is_in(self.column(c), unit)] or fitting
        summed = [c for c in fitting if additive(self.column(c))]
        if unit in CODES and len(summed) == 1:
            return summed[0]  # of an order that is over 1,000 EUR, the amount is, not the price
        return self.only(fitting) if fitting else self._none()

    def _equals(self, at: int, elem: Elem) -> None:
        """`year 2025`, `quantity = 5`: a number right behind a column's name."""
        before = self._next(at, -1, ("eq",))
        if elem.unit == "%" and (after := self._next(at, 1, ("during",))) is not None:
            named = [c for c in self.elems[after].columns if _is_in(self.column(c), "%")]
            before = after if self.elems[after].has("col") and named else before
        if before is None or not self.elems[before].has("col") or elem.number is None:
            return
        if at > 0 and self.elems[at - 1].has("top", "bottom", "max", "min"):
            return
        columns = [c for c in self.elems[before].columns if self.column(c).measured]
        if len(columns) != 1:
            return
        negated = self._negation(before)
        made = Condition(columns[0], "cmp", low=elem.number, high=elem.number, negated=negated)
        self.used |= {at, before}
        self._compare(at, made, elem.unit)
