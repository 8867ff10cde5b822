"""From a reading to a plan: every element has a part in it, or the question is another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agents.answers.tables.columns import additive
from agents.answers.tables.comparing import Comparing
from agents.answers.tables.extremes import Extremes
from agents.answers.tables.planner import DOCUMENTS, SUPERLATIVES
from agents.answers.tables.plans import Group, NotThis, Op, Plan, Unclear
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import concepts


def plan(elems: Sequence[Elem], vocabulary: Vocabulary) -> Plan:
    """Raises `NotThis` for another kind of question, `Unclear` when the table has several answers
    to what was asked."""
    return _Planner(elems, vocabulary).made()


class _Planner(Extremes, Comparing):
    def made(self) -> Plan:
        made = self._made()
        self._flags()
        used = {*made.measures, made.shown, *(c.column for _, c in self.pieces.placed)}
        self.left = [e for e in self.left if not (e.has("col") and set(e.columns) & used)]
        if rest := [e for e in self.left if not self._means_nothing(e)]:
            raise NotThis(f"left over: {rest[0].text}")
        where = tuple(condition for _, condition in self.pieces.placed)
        return replace(made, where=made.where or where, score=self.score)

    def _made(self) -> Plan:
        if self._any("share"):
            return self._share()
        if self._any("diff", "compare") or (self._any("more", "less") and self._any("than")):
            return self._difference()
        self._take("more", "less") if not self._any("most") else None
        group = self._group()
        if self._any(*SUPERLATIVES) or any(r.startswith(("max:", "min:")) for r in self._roles()):
            return self._extreme(group)
        if self._any("median"):
            return self._measured("median", "median", group)
        if self._any("avg"):
            return self._measured("avg", "avg", group)
        if self._any("count") or self._counts():
            return self._counted(group)
        if self._any("sum", "much"):
            return self._measured("sum", "sum", group)
        if group is not None and self._measures():
            return self._measured("sum", "group", group)
        if self._any("distinct", "list", "which"):
            return self._listed()
        if self.pieces.placed and self.left and self.left[0] in self._measures():
            return self._plainly()
        raise NotThis

    def _plainly(self) -> Plan:
        """`Net amount of the open invoices`: of several rows the sum, and it is called so."""
        measures = self._measure()
        if len(measures) != 1 or not additive(self.column(measures[0])):
            raise NotThis
        self._nouns()
        return Plan("sum", measures)

    def _counts(self) -> bool:
        """`combien d'articles`: how much of what is no number is how many."""
        for elem, after in pairwise(self.left):
            near = after.start - elem.end <= 1 and after.has("rows", "col")
            if (
                elem.has("much")
                and near
                and not any(self.column(c).measured for c in after.columns)
            ):
                self.left.remove(elem)
                return True
        return False

    def _measured(self, op: Op, role: str, group: Group | None) -> Plan:
        ranked = None
        self._any_money, self._any_sum = self._any("money", "much"), op == "sum"
        self._take_all(role, "much", "sum")
        if self._measures():
            self._take("count")  # `the average number of visitors`
        measures = self._measure()
        if op == "sum" and any(self.column(c).unit == "%" for c in measures):
            raise Unclear("rate", *(self.column(c).name for c in measures))
        if op == "sum" and any(self._is_price(c) for c in measures):
            raise Unclear("rate", *(self.column(c).name for c in measures))
        if group is not None and len(measures) > 1:
            raise NotThis
        self._nouns()
        return Plan(op, measures, group=group, rank=ranked)

    def _counted(self, group: Group | None) -> Plan:
        self._take("count")
        self._flags()
        distinct = self._take("distinct") is not None
        if not distinct and self._counts_things() and (units := self._quantity()) is not None:
            self._nouns()
            return Plan("sum", (units,), group=group)
        target = next(
            (e for e in self.left if e.has("col", "rows", "money", "many") and not e.has("sum")),
            None,
        )
        if target is None or (target.has("rows") and not target.columns):
            if distinct or (target is None and not self.pieces.placed and group is None
                            and not self._cols()):  # fmt: skip
                raise NotThis
            if target is None and (quantity := self._quantity()) is not None:
                return Plan("sum", (quantity,), group=group)
            self._nouns()
            return Plan("count", group=group)
        self.left.remove(target)
        measured = [c for c in target.columns if self.column(c).measured]
        if measured and not distinct:
            if not self.where and group is None and not self._any("sum"):
                raise Unclear("what", self.column(measured[0]).name)
            self._nouns()
            return Plan("sum", (self.pieces.only(measured),), group=group)
        flags = [c for c in target.columns if self.column(c).kind == "flag"]
        if flags and not distinct:
            self.left.append(target)
            return Plan("count", group=group)
        if self._are_documents(target):
            raise Unclear("what")
        if target.has("rows") and not distinct and self._is_row(target):
            self._nouns()
            return Plan("count", group=group)
        place = self._countable(target)
        self._nouns()
        return Plan("distinct", shown=place, group=group)

    def _are_documents(self, target: Elem) -> bool:
        """`How many invoices do we have?` may ask for the documents themselves."""
        grid = self.vocabulary.grid
        listing = grid.addressed and not re.search(r"\d{3}", grid.filename)
        named = target.quality >= 2.9 and listing
        named = named or any(e.has("table") for e in self.elems)
        return bool(concepts(target.text) & DOCUMENTS) and not self.pieces.placed and not named

    def _is_price(self, place: int) -> bool:
        """Of one unit: a total would be of prices times quantities."""
        told = concepts(self.column(place).name)
        return "rate" in told or (
            "price" in told
            and any(concepts(c.name) & {"quantity", "stock"} for c in self.vocabulary.columns)
        )

    def _countable(self, target: Elem) -> int:
        fitting = [c for c in target.columns if self.column(c).kind in ("text", "number")]
        ids = [c for c in fitting if self.column(c).identifies]
        return self.pieces.only(ids or fitting)

    def _counts_things(self) -> bool:
        """`How many standing desks …`: a value is counted, not what a row is."""
        pairs = pairwise(self.elems)
        return any(a.has("count", "much") and b.has("val") and not c for a, b, c in (
            (a, b, self._before_rows(b)) for a, b in pairs))  # fmt: skip

    def _before_rows(self, value: Elem) -> bool:
        """`How many desk lamp orders`: the value describes the rows."""
        at = self.elems.index(value)
        after = self.elems[at + 1] if at + 1 < len(self.elems) else None
        return after is not None and after.has("rows") and after.start == value.end

    def _quantity(self) -> int | None:
        """`How many laptops were sold`: of a product, the quantity column counts."""
        columns = [
            c for c in self.vocabulary.columns if c.measured and "quantity" in concepts(c.name)
        ]
        products = {c.column for c in self.where if concepts(self.column(c.column).name)
                    & {"product", "description", "name", "=item"}}  # fmt: skip
        return columns[0].place if len(columns) == 1 and products else None
