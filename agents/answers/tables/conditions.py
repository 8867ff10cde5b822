"""The conditions of a question: values, comparisons, dates, empty cells, with their negations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from agents.answers.tables.comparisons import Comparisons
from agents.answers.tables.grids import Column
from agents.answers.tables.periods import Periods
from agents.answers.tables.pieces import LINKS, OPS
from agents.answers.tables.plans import Condition, NotThis, Unclear
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import listed

_NONE = listed("no without ohne keine keinen kein sans sin zonder geen") | {
    "have no", "has no", "had no", "with no", "hat kein", "haben kein", "hat keine", "haben keine",
}  # fmt: skip


def _zero(column: Column) -> Condition:
    """`No units in stock`: 0, or an empty cell where no cell says 0."""
    zeros = any(number == 0 for number in column.numbers)
    if zeros and not all(column.texts):
        raise Unclear("doubtful", column.name, "0")
    if not zeros:
        return Condition(column.place, "empty")
    return Condition(column.place, "cmp", low=Decimal(0), high=Decimal(0))


class Conditions(Comparisons, Periods):
    """Takes the conditions out of a reading; `left` is what remains, in order."""

    def __init__(self, elems: Sequence[Elem], vocabulary: Vocabulary) -> None:
        super().__init__(elems, vocabulary)
        self._texts()
        self._values()
        self._empty()
        self._numbers()
        self._dates()
        self._once()
        self._alone()

    def _once(self) -> None:
        """Two periods of one column that nothing joins are not understood: `2026 … in May`."""
        periods = [
            c.column for _, c in self.placed if c.kind == "period" and c.values == ("during",)
        ]
        compared = any(e.has("diff", "compare", "than", "more", "less") for e in self.elems)
        if len(set(periods)) < len(periods) and not compared:
            raise NotThis

    def _texts(self) -> None:
        """`contains "x"`, `starting with "x"`: of the column named before it."""
        for at, elem in enumerate(self.elems):
            if not elem.has("contains", "starts"):
                continue
            told = self._next(at, 1)
            if told is not None and self.elems[told].has(*OPS, "num", "between"):
                self.used.add(at)  # `orders that contain at least 5 units`
                continue
            col = self._next(at, -1)
            if told is None or col is None or not self.elems[col].has("col"):
                raise NotThis
            text = self.elems[told]
            if not text.text or not text.has("text", "val", "rows", "col"):
                raise NotThis
            column = self.only(self.elems[col].columns)
            kind = "contains" if elem.has("contains") else "starts"
            negated = self._negation(col)
            self.placed.append((at, Condition(column, kind, (text.text,), negated=negated)))
            self.used |= {at, told, col}
        if any(e.has("text") and at not in self.used for at, e in enumerate(self.elems)):
            raise NotThis

    def _values(self) -> None:
        """Values of one column that `and`, `or` or a comma joins are one condition."""
        last: tuple[int, int, bool] | None = None  # place of the condition, of its end, negated
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has("val"):
                continue
            column, col_at = self._column_of(at, elem)
            start = at if col_at is None or col_at > at else col_at
            joined = last is not None and self._joined(last[1], start)
            same = last is not None and self.placed[last[0]][1].column == column
            either = joined and not same and last is not None and self._is_or(last[1], start)
            negated = self._negation(start)
            values = tuple(value for place, value in elem.values if place == column)
            self.used.add(at)
            if col_at is not None:
                self.used.add(col_at)
            if joined and same and last is not None and (negated == last[2] or not negated):
                place, condition = self.placed[last[0]]
                merged = replace(condition, values=(*condition.values, *values))
                self.placed[last[0]] = (place, merged)
                links = range(last[1] + 1, start)
                self.used |= {k for k in links if self.elems[k].has("and", "or", "not")}
                last = (last[0], max(at, col_at or 0), last[2])
                continue
            if either and last is not None:
                self._either(last, Condition(column, "in", values, negated=negated), start)
                continue
            if same and not negated and last is not None and not last[2]:
                raise NotThis  # two values of one column that nothing joins
            self.placed.append((at, Condition(column, "in", values, negated=negated)))
            last = (len(self.placed) - 1, max(at, col_at or 0), negated)

    def _either(self, last: tuple[int, int, bool], other: Condition, start: int) -> None:
        """`from Leeds or of the supplier Norbar`: a row that fits one or both counts once."""
        place, first = self.placed[last[0]]
        if first.negated or other.negated or first.kind != "in":
            raise Unclear("or")
        self.placed[last[0]] = (place, Condition(first.column, "any", either=(first, other)))
        self.used |= set(range(last[1] + 1, start))

    def _alone(self) -> None:
        """With a third condition it is not clear what the `or` takes in."""
        if any(c.kind == "any" for _, c in self.placed) and len(self.placed) > 1:
            raise Unclear("or")

    def _joined(self, end: int, start: int) -> bool:
        between = self.elems[end + 1 : start]
        near = self.elems[start].start - self.elems[end].end
        return all(e.has("and", "or", "not", "during", "compare", "than") for e in between) and (
            bool(between) or near <= 0
        )

    def _is_or(self, end: int, start: int) -> bool:
        return any(e.has("or") for e in self.elems[end + 1 : start])

    def _column_of(self, at: int, elem: Elem) -> tuple[int, int | None]:
        """The column that a value stands in, and the element that names it beside the value."""
        options = {place for place, _ in elem.values}
        for step in (-1, 1):
            near = self._next(at, step, LINKS if step < 0 else ())
            if near is None or not self.elems[near].has("col") or near in self.used:
                continue
            both = options & set(self.elems[near].columns)
            if len(both) == 1:
                return both.pop(), near
        if len(options) != 1:
            raise Unclear("value", elem.text, *(self.column(c).name for c in sorted(options)))
        return options.pop(), None

    def _empty(self) -> None:
        """`without a PO number`; `no` before anything else is not understood."""
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has("empty", "not"):
                continue
            after = self._next(at, 1)
            if after is None:
                before = self._next(at, -1)
                after = before if elem.has("empty") else None
            if after is None:
                raise NotThis
            target = self.elems[after]
            column = self.column(target.columns[0]) if len(target.columns) == 1 else None
            if column is None or not target.has("col"):
                raise NotThis
            if column.kind == "flag":
                self.placed.append((at, Condition(column.place, "flag", negated=True)))
            elif column.measured and elem.text in _NONE:
                self.placed.append((at, _zero(column)))
            elif elem.has("empty"):
                self.placed.append((at, Condition(column.place, "empty")))
            else:
                raise NotThis
            self.used |= {at, after}
