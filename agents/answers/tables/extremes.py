"""The highest, the lowest, the first three: of values, of rows, of groups."""

from __future__ import annotations

from itertools import pairwise

from agents.answers.tables.columns import additive
from agents.answers.tables.planner import (
    DOWN,
    PERSON,
    SUPERLATIVES,
    Planner,
    kinded,
    unit_of,
)
from agents.answers.tables.plans import Group, NotThis, Op, Plan, Rank
from agents.answers.tables.spelling import Elem
from agents.answers.tables.words import KINDS, concepts


class Extremes(Planner):
    """Plans with a rank, and extremes."""

    def _extreme(self, group: Group | None) -> Plan:
        self._take_all("much")
        marker, count = self._superlative()
        descending = marker.has(*DOWN) or any(r.startswith("max:") for r in marker.roles)
        whole = self._take("sum") is not None
        average = self._take("avg") is not None
        counted = self._take("count") is not None
        dated = self._date_extreme(marker)
        if dated is not None:
            return self._dated_extreme(dated, descending, count)
        entity = self._entity()
        if entity is None and group is not None:
            entity, group = group, None
        elif group is not None and entity is not None and group != entity:
            if marker.has("top", "bottom"):
                raise NotThis
            raise NotThis
        by_most = marker.has("most", "least") and not self._measures()
        if entity is not None and (counted or by_most):
            self._nouns()
            extra = [e for e in self._dims() if not e.has("rows")]
            if extra:
                raise NotThis
            return Plan("count", group=entity, rank=Rank(count or 1, descending), explicit=True)
        measure = self._of_kind(marker)
        if len(measure) != 1:
            raise NotThis
        op: Op = "avg" if average else "sum"
        if entity is not None:
            explicit = whole or average or marker.has("most", "least")
            if explicit and not average and not additive(self.column(measure[0])):
                explicit = False
            return Plan(op, measure, group=entity, rank=Rank(count or 1, descending),
                        explicit=explicit or self._by_measure)  # fmt: skip
        if whole or average:
            raise NotThis
        rows = self._any("rows") or count is not None
        self._nouns()
        if rows and (count or self._any("which", "list")):
            return Plan("max" if descending else "min", measure,
                        rank=Rank(count or 1, descending))  # fmt: skip
        return Plan("max" if descending else "min", measure)

    _by_measure = False

    def _superlative(self) -> tuple[Elem, int | None]:
        """The marker with the number beside it: `top 3`, `3 largest`, `the largest`."""
        at = next(i for i, e in enumerate(self.left) if e.has(*SUPERLATIVES) or kinded(e))
        marker = self.left[at]
        count = None
        for near in (at + 1, at - 1):
            if 0 <= near < len(self.left) and self.left[near].has("num"):
                number = self.left[near].number
                if number is None or number != int(number) or not 1 <= number <= 100:
                    raise NotThis
                count = int(number)
                self.left.remove(self.left[near])
                break
        self.left.remove(marker)
        if count is None:
            count = self._counted_entity()
        if marker.text == "top" and count is None:
            raise NotThis
        if (
            marker.text in ("first", "last", "best", "worst", "erste", "ersten", "premiers")
            and count
        ):
            raise NotThis  # in the order of the rows, or by what?
        while more := next((e for e in self.left if e.has("max", "min", "top", "bottom")), None):
            if count is None or more.has(*DOWN) != marker.has(*DOWN):
                raise NotThis
            self.left.remove(more)  # `top 3 highest`
        for elem, after in pairwise(self.left):
            named = any(self.column(c).measured for c in after.columns)
            if elem.has("group") and after.has("col", "money") and (after.has("money") or named):
                self.left.remove(elem)
                self._by_measure = True
                break
        return marker, count

    def _counted_entity(self) -> int | None:
        """`The 3 customers with the highest amount`."""
        for elem, after in pairwise(self.left):
            if elem.has("num") and after.has("col", "rows") and after.start == elem.end:
                if elem.number is None or elem.number != int(elem.number):
                    raise NotThis
                self.left.remove(elem)
                return int(elem.number)
        return None

    def _date_extreme(self, marker: Elem) -> int | None:
        if not marker.has("latest", "earliest") or marker.has("max", "min"):
            return None
        dated = [c.place for c in self.vocabulary.columns if c.kind == "date"]
        named = next((e for e in self._cols() if set(e.columns) & set(dated)), None)
        if named is not None:
            self.left.remove(named)
            return self.pieces.only([c for c in named.columns if c in dated])
        if kinded(marker) and self._kind_columns(marker):
            return None
        if not dated:
            raise NotThis
        return self.pieces.only(dated)

    def _dated_extreme(self, column: int, descending: bool, count: int | None) -> Plan:
        if count is not None or self._measures():
            raise NotThis
        self._nouns()
        self._take_all("rows")
        return Plan("max" if descending else "min", (column,))

    def _kind_columns(self, marker: Elem) -> list[int]:
        kind = next((r.partition(":")[2] for r in marker.roles if ":" in r), "")
        for name in KINDS.get(kind, []):
            found = [c.place for c in self.vocabulary.columns
                     if c.measured and name in concepts(c.name)]  # fmt: skip
            if found:
                return found
        return []

    def _of_kind(self, marker: Elem) -> tuple[int, ...]:
        if kinded(marker) and not self._measures():
            columns = self._kind_columns(marker)
            if not columns:
                raise NotThis
            return (self.pieces.only(columns),)
        return self._measure()

    def _entity(self) -> Group | None:
        """Whose extreme is asked for: `which vendor`, `top 3 customers`, `in which month`."""
        for elem in self.left:
            if (unit := unit_of(elem)) is not None and self._any("which", "list"):
                self.left.remove(elem)
                return Group(self._dated(), unit)
        dims = [e for e in self._dims() if not (e.has("rows") and self._rows_only(e))]
        if dims:
            first = dims[0]
            self.left.remove(first)
            return Group(self.pieces.only(first.columns))
        who = next((e for e in self.left if e.text in ("who", "wer", "qui", "wie", "quien")), None)
        if who is not None:
            people = [c.place for c in self.vocabulary.columns
                      if c.kind == "text" and concepts(c.name) & PERSON]  # fmt: skip
            self.left.remove(who)
            return Group(self.pieces.only(people)) if people else self._no_group()
        return None

    def _rows_only(self, elem: Elem) -> bool:
        """`orders` that are named by an id or a date column are rows, not a group."""
        return all(self.column(c).identifies or self.column(c).kind == "date" for c in elem.columns)

    def _no_group(self) -> Group | None:
        raise NotThis
