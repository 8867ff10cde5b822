"""From a reading to a plan: every element has a part in it, or the question is another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agents.answers.tables.conditions import Conditions, additive, money
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Condition, Group, NotThis, Op, Plan, Rank, Unclear, Unit
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import KINDS, concepts, listed

_SUPERLATIVES = ("max", "min", "top", "bottom", "most", "least", "latest", "earliest")
_DOWN = ("max", "top", "most", "latest")
_SOFT = ("during", "to", "and", "which", "list", "eq", "table", "column", "since", "until", "than",
         "after", "between", "of")  # fmt: skip
_SOFT_WORDS = listed(
    "in of from for on by at to a au de du d le en von im am vom aus fur des und et and the with van"
    " uit op voor y del el zum bei ab bis dans pour"
)  # fmt: skip
_BY_PLACE = listed("first last best worst erste ersten premiers")
_PERSON = frozenset(
    ("employee", "name", "customer", "contact", "seller", "member", "manager", "owner")
)


def plan(elems: Sequence[Elem], vocabulary: Vocabulary) -> Plan:
    """Raises `NotThis` for another kind of question, `Unclear` when the table has several answers
    to what was asked."""
    return _Planner(elems, vocabulary).made()


def _score(elems: Sequence[Elem]) -> float:
    return sum(
        max(e.quality, 0.5) * (e.end - e.start) for e in elems if e.has("col", "val", "rows")
    )


class _Planner:
    def __init__(self, elems: Sequence[Elem], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.score = _score(elems)
        self.elems = list(elems)
        self.pieces = Conditions(self.elems, vocabulary)
        self.left = self.pieces.left
        self.where = tuple(condition for _, condition in self.pieces.placed)
        self._any_money = False  # whether an amount of money is asked for, in whatever words

    def made(self) -> Plan:
        made = self._made()
        self._flags()
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
        if self._any(*_SUPERLATIVES) or any(r.startswith(("max:", "min:")) for r in self._roles()):
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
        raise NotThis

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

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

    def _roles(self) -> set[str]:
        return {role for elem in self.left for role in elem.roles}

    def _any(self, *roles: str) -> bool:
        return any(elem.has(*roles) for elem in self.left)

    def _take(self, *roles: str) -> Elem | None:
        """Takes the first element of one of the roles."""
        for elem in self.left:
            if elem.has(*roles):
                self.left.remove(elem)
                return elem
        return None

    def _take_all(self, *roles: str) -> None:
        while self._take(*roles):
            pass

    def _means_nothing(self, elem: Elem) -> bool:
        if elem.has("col", "val", "num", "date", "text", "unit"):
            return elem.has("rows") and not elem.has("val", "num", "date")
        if elem.has("not", "empty", "group", "gt", "ge", "lt", "le", "before"):
            return elem.text in _SOFT_WORDS
        return elem.has("rows", "money", "sum") or elem.has(*_SOFT) or elem.text in _SOFT_WORDS

    # Columns

    def _cols(self) -> list[Elem]:
        return [elem for elem in self.left if elem.has("col")]

    def _measures(self) -> list[Elem]:
        return [e for e in self._cols() if any(self.column(c).measured for c in e.columns)]

    def _dims(self) -> list[Elem]:
        return [e for e in self._cols() if e not in self._measures()]

    def _narrowed(self, elem: Elem) -> int:
        fitting = [c for c in elem.columns if self.column(c).measured]
        return self.pieces._only(fitting)

    def _measure(self) -> tuple[int, ...]:
        """The columns to compute over: named, or the only one that can be meant."""
        named = self._measures()
        if named:
            for elem in named:
                self.left.remove(elem)
            return tuple(dict.fromkeys(self._narrowed(elem) for elem in named))
        if self.pieces.compared:
            return (self.pieces.compared[0],)
        totals = [c.place for c in self.vocabulary.columns
                  if c.measured and concepts(c.name) == {"total"}]  # fmt: skip
        if len(totals) == 1 and self._roles() & {"sum", "much", "money"}:
            return (totals[0],)
        fitting = [c for c in self.vocabulary.columns if c.measured]
        amounts = [c for c in fitting if money(c) and additive(c)]
        if (self._any_money or self._any("money", "much")) and amounts:
            fitting = amounts
        return (self.pieces._only([c.place for c in fitting]),) if fitting else self._nothing()

    def _nothing(self) -> tuple[int, ...]:
        raise NotThis

    def _group(self) -> Group | None:
        """`per vendor`, `by month`: a marker with a column or a unit of time behind it."""
        for at, elem in enumerate(self.left):
            if not elem.has("group") or at + 1 >= len(self.left):
                continue
            target = self.left[at + 1]
            near = target.start - elem.end <= 2
            if (
                near
                and target.has("col")
                and not any(self.column(c).measured for c in target.columns)
            ):
                self.left.remove(elem)
                self.left.remove(target)
                if target.has("rows") and self._any("avg") and self._is_row(target):
                    return None  # an average per row is the average
                ids = [c for c in target.columns if self.column(c).identifies]
                place = self.pieces._only(ids or target.columns)
                if self.column(place).kind == "date" and not _coarse(self.column(place)):
                    raise Unclear("dates", self.column(place).name)
                return Group(place)
            if near and (unit := _unit(target)) is not None:
                self.left.remove(elem)
                self.left.remove(target)
                return Group(self._dated(), unit)
        return None

    def _dated(self) -> int:
        dated = [c.place for c in self.vocabulary.columns if c.kind == "date"]
        named = [c for e in self._dims() for c in e.columns if c in dated]
        if len(dated) > 1 and len(set(named)) == 1:
            return named[0]
        if not dated:
            raise NotThis
        return self.pieces._only(dated)

    def _flags(self) -> None:
        """A column of yes and no that is named alone is a condition: `how many are paid`."""
        for elem in list(self._cols()):
            flags = [c for c in elem.columns if self.column(c).kind == "flag"]
            if len(flags) == 1:
                self.left.remove(elem)
                self.pieces.placed.append((elem.start, Condition(flags[0], "flag")))

    # Kinds of question

    def _measured(self, op: Op, role: str, group: Group | None) -> Plan:
        ranked = None
        self._any_money = self._any("money", "much")
        self._take_all(role, "much", "sum")
        if self._measures():
            self._take("count")  # `the average number of visitors`
        measures = self._measure()
        if op == "sum" and any(self.column(c).unit == "%" for c in measures):
            raise Unclear("rate", *(self.column(c).name for c in measures))
        if group is not None and len(measures) > 1:
            raise NotThis
        self._nouns()
        return Plan(op, measures, group=group, rank=ranked)

    def _nouns(self) -> None:
        """What a row is may be named beside what is asked: `amount of the orders`."""
        for elem in list(self._dims()):
            if elem.has("rows"):
                self.left.remove(elem)

    def _counted(self, group: Group | None) -> Plan:
        self._take("count")
        distinct = self._take("distinct") is not None
        if not distinct and self._counts_things() and (units := self._quantity()) is not None:
            self._nouns()
            return Plan("sum", (units,), group=group)
        target = next((e for e in self.left if e.has("col", "rows", "money", "many")), None)
        if target is None or (target.has("rows") and not target.columns):
            if distinct:
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
            return Plan("sum", (self.pieces._only(measured),), group=group)
        flags = [c for c in target.columns if self.column(c).kind == "flag"]
        if flags and not distinct:
            self.left.append(target)
            return Plan("count", group=group)
        if target.has("rows") and not distinct and self._is_row(target):
            self._nouns()
            return Plan("count", group=group)
        place = self._countable(target)
        self._nouns()
        return Plan("distinct", shown=place, group=group)

    def _is_row(self, target: Elem) -> bool:
        """Rows and their ids are the same number: no id stands twice or is missing."""
        ids = [self.column(c) for c in target.columns if self.column(c).identifies]
        if not ids:
            return target.quality < 2 or all(self.column(c).kind == "date" for c in target.columns)
        return all(len(set(c.texts)) == len(c.texts) and all(c.texts) for c in ids)

    def _countable(self, target: Elem) -> int:
        fitting = [c for c in target.columns if self.column(c).kind in ("text", "number")]
        ids = [c for c in fitting if self.column(c).identifies]
        return self.pieces._only(ids or fitting)

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

    def _extreme(self, group: Group | None) -> Plan:
        marker, count = self._superlative()
        descending = marker.has(*_DOWN) or any(r.startswith("max:") for r in marker.roles)
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
        at = next(i for i, e in enumerate(self.left) if e.has(*_SUPERLATIVES) or _kinded(e))
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
            if count is None or more.has(*_DOWN) != marker.has(*_DOWN):
                raise NotThis
            self.left.remove(more)  # `top 3 highest`
        by = next((i for i, e in enumerate(self.left) if e.has("group") and i + 1 < len(self.left)
                   and self.left[i + 1].has("col", "money")
                   and (self.left[i + 1].has("money")
                        or any(self.column(c).measured for c in self.left[i + 1].columns))), None)  # fmt: skip
        if by is not None:
            del self.left[by]
            self._by_measure = True
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
            return self.pieces._only([c for c in named.columns if c in dated])
        if _kinded(marker) and self._kind_columns(marker):
            return None
        if not dated:
            raise NotThis
        return self.pieces._only(dated)

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
        if _kinded(marker) and not self._measures():
            columns = self._kind_columns(marker)
            if not columns:
                raise NotThis
            return (self.pieces._only(columns),)
        return self._measure()

    def _entity(self) -> Group | None:
        """Whose extreme is asked for: `which vendor`, `top 3 customers`, `in which month`."""
        for elem in self.left:
            if (unit := _unit(elem)) is not None and self._any("which", "list"):
                self.left.remove(elem)
                return Group(self._dated(), unit)
        dims = [e for e in self._dims() if not (e.has("rows") and self._rows_only(e))]
        if dims:
            first = dims[0]
            self.left.remove(first)
            return Group(self.pieces._only(first.columns))
        who = next((e for e in self.left if e.text in ("who", "wer", "qui", "wie", "quien")), None)
        if who is not None:
            people = [c.place for c in self.vocabulary.columns
                      if c.kind == "text" and concepts(c.name) & _PERSON]  # fmt: skip
            self.left.remove(who)
            return Group(self.pieces._only(people)) if people else self._no_group()
        return None

    def _rows_only(self, elem: Elem) -> bool:
        """`orders` that are named by an id or a date column are rows, not a group."""
        return all(self.column(c).identifies or self.column(c).kind == "date" for c in elem.columns)

    def _no_group(self) -> Group | None:
        raise NotThis

    def _share(self) -> Plan:
        marker = self._take("share")
        self._take_all("share")
        assert marker is not None
        self._take_all("much", "sum", "count")
        self._flags()
        where = [c for _, c in sorted(self.pieces.placed, key=lambda p: p[0])]
        if not where or self._any(*_SUPERLATIVES) or self._group() is not None:
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
            shown = self.pieces._only(ids or columns or self._key())
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


def _unit(elem: Elem) -> Unit | None:
    units: tuple[Unit, ...] = ("day", "month", "quarter", "year")
    return next((unit for unit in units if elem.has(f"unit:{unit}")), None)


def _kinded(elem: Elem) -> bool:
    return any(role.startswith(("max:", "min:")) for role in elem.roles)


def _coarse(column: Column) -> bool:
    """Months, quarters or years: each is a group of its own."""
    return all(p.kind != "day" for p in column.periods if p is not None)
