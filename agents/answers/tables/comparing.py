"""Shares, differences, lists and single cells."""

from __future__ import annotations

from dataclasses import replace

from agents.answers.tables.columns import additive
from agents.answers.tables.planner import SUPERLATIVES, Planner
from agents.answers.tables.plans import Condition, NotThis, Plan, Unclear
from agents.answers.tables.words import listed

_OPEN = listed("what was que wat")


class Comparing(Planner):
    """Plans of two sides, and those that show cells as they are."""

    def _share(self) -> Plan:
        marker = self._take("share")
        self._take_all("share")
        assert marker is not None
        self._take_all("much", "sum", "count")
        self._flags()
        where = [c for _, c in sorted(self.pieces.placed, key=lambda p: p[0])]
        if not where or self._any(*SUPERLATIVES) or self._group() is not None:
            raise NotThis
        if len(where) > 1:
            raise Unclear("share")
        measures = self._measures()
        chosen = self._measure() if measures or self._any("money") else ()
        if len(chosen) > 1:
            raise NotThis
        if not chosen and not self._any("rows"):
            raise Unclear("what", *(c.name for c in self.vocabulary.columns if c.measured))
        self._nouns()
        return Plan("share", chosen, where=tuple(where))

    def _difference(self) -> Plan:
        self._take_all(
            "diff", "compare", "more", "less", "than", "sum", "much", "between", "and", "to"
        )
        self._flags()
        placed = [c for _, c in sorted(self.pieces.placed, key=lambda p: p[0])]
        measures = self._measure() if self._measures() or self._any("money") else ()
        pairs = [c for c in placed if c.kind == "in" and len(c.values) == 2 and not c.negated]
        if len(pairs) == 1 and len(measures) <= 1:
            both = tuple((replace(pairs[0], values=(v,)),) for v in pairs[0].values)
            rest = tuple(c for c in placed if c is not pairs[0])
            return self._sides(measures, rest, both)
        periods = [c for c in placed if c.kind == "period" and c.values == ("during",)]
        single = [c for c in placed if c.kind == "in" and len(c.values) == 1 and not c.negated]
        for same in (periods, single):
            if len(same) == 2 and same[0].column == same[1].column and len(measures) <= 1:
                rest = tuple(c for c in placed if c not in same)
                return self._sides(measures, rest, ((same[0],), (same[1],)))
        if len(measures) == 2:
            self._nouns()
            return Plan("diff", measures, where=tuple(placed))
        raise NotThis

    def _sides(
        self, measures: tuple[int, ...], rest: tuple[Condition, ...],
        both: tuple[tuple[Condition, ...], ...],
    ) -> Plan:  # fmt: skip
        if not measures and not self._any("rows"):
            measures = self._measure()
        self._nouns()
        # The shared conditions are kept apart: an empty `where` would be taken for all of them.
        return Plan("diff", measures, base=rest, where=(both[0][0],), sides=both)

    def _listed(self) -> Plan:
        """`Which orders are open?` needs a condition, else everything would be listed."""
        distinct = self._take("distinct") is not None
        asked = [e.text for e in self.left if e.has("which", "list")]
        if not distinct and not self._measures() and asked and all(t in _OPEN for t in asked):
            raise NotThis  # `what is the cut-off time of …`: sentences say it better
        self._take_all("which", "list")
        self._flags()
        if not self.pieces.placed and not distinct:
            raise NotThis
        if self._measures() and not distinct:
            return self._looked_up()
        if self._any("money", "num"):
            raise NotThis
        dims = self._dims()
        if dims:
            first = dims[0]
            self.left.remove(first)
            self._nouns()
            columns = [c for c in first.columns if self.column(c).kind != "date"]
            ids = [c for c in columns if self.column(c).identifies]
            shown = self.pieces.only(ids or columns or self._key())
            bounds = [c for c in self.where if c.kind == "cmp" and additive(self.column(c.column))]
            if bounds and len(set(self.column(shown).texts)) < len(self.column(shown).texts):
                raise NotThis  # of one row, or of all rows together?
            return Plan("list", shown=shown)
        if not self._any("rows"):
            raise NotThis
        return Plan("list", shown=self._key()[0])

    def _looked_up(self) -> Plan:
        """`What is the amount of order SO-1006?`: one cell, when just one row is that."""
        measures = self._measure()
        self._nouns()
        if len(measures) != 1 or not any(c.kind == "in" and not c.negated for c in self.where):
            raise NotThis
        return Plan("value", measures)

    def _key(self) -> list[int]:
        """The column that names a row: its id, else the first one of words."""
        for column in self.vocabulary.columns:
            if column.identifies and len(set(column.texts)) == len(column.texts):
                return [column.place]
        text = [c.place for c in self.vocabulary.columns if c.kind == "text"]
        if not text:
            raise NotThis
        return text[:1]
