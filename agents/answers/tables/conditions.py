"""The conditions of a question: values, comparisons, dates, empty cells, with their negations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.answers.tables.dates import NO_YEAR, Period
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Condition, NotThis, Unclear
from agents.answers.tables.rowsets import yearless
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import ADDITIVE, concepts, listed
from ingestion.fields.numbers import CODES

_OPS = {"gt": (">", True), "ge": (">", False), "lt": ("<", True), "le": ("<", False)}
_DATE_OPS = ("before", "after", "since", "until", "during", "le", "ge")
_LINKS = ("eq", "during")  # may stand between a column and its value


class Conditions:
    """Takes the conditions out of a reading; `left` is what remains, in order."""

    def __init__(self, elems: Sequence[Elem], vocabulary: Vocabulary) -> None:
        self.elems = list(elems)
        self.vocabulary = vocabulary
        self.used: set[int] = set()
        self.placed: list[tuple[int, Condition]] = []
        self.compared: list[int] = []  # numeric columns that a comparison was bound to
        self._texts()
        self._values()
        self._empty()
        self._numbers()
        self._dates()

    @property
    def left(self) -> list[Elem]:
        return [elem for at, elem in enumerate(self.elems) if at not in self.used]

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

    def _next(self, at: int, step: int, skip: tuple[str, ...] = ()) -> int | None:
        """The nearest unused element in a direction, over those of the roles `skip`."""
        at += step
        while 0 <= at < len(self.elems):
            elem = self.elems[at]
            if at in self.used or (elem.has(*skip) and not elem.has("col", "val")):
                at += step
                continue
            return at
        return None

    def _texts(self) -> None:
        """`contains "x"`, `starting with "x"`: of the column named before it."""
        for at, elem in enumerate(self.elems):
            if not elem.has("contains", "starts"):
                continue
            told = self._next(at, 1)
            if told is not None and self.elems[told].has(*_OPS, "num", "between"):
                self.used.add(at)  # `orders that contain at least 5 units`
                continue
            col = self._next(at, -1)
            if told is None or col is None or not self.elems[col].has("col"):
                raise NotThis
            text = self.elems[told]
            if not text.text or not text.has("text", "val", "rows", "col"):
                raise NotThis
            column = self._only(self.elems[col].columns)
            kind = "contains" if elem.has("contains") else "starts"
            negated = self._negation(col)
            self.placed.append((at, Condition(column, kind, (text.text,), negated=negated)))
            self.used |= {at, told, col}
        if any(e.has("text") and at not in self.used for at, e in enumerate(self.elems)):
            raise NotThis

    def _only(self, columns: Sequence[int]) -> int:
        if len(columns) != 1:
            raise Unclear("columns", *(self.column(c).name for c in columns))
        return columns[0]

    def _negation(self, at: int) -> bool:
        """Whether `not` stands before this, perhaps with a link between."""
        before = self._next(at, -1, _LINKS)
        if before is not None and self.elems[before].roles == ("not",):
            self.used.add(before)
            return True
        if before is not None and self.elems[before].has("not"):
            self.used.add(before)
            return True
        return False

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
            if joined and not same and last is not None and self._is_or(last[1], start):
                raise Unclear("or")
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
            if same and not negated and last is not None and not last[2]:
                raise NotThis  # two values of one column that nothing joins
            self.placed.append((at, Condition(column, "in", values, negated=negated)))
            last = (len(self.placed) - 1, max(at, col_at or 0), negated)

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
            near = self._next(at, step, _LINKS if step < 0 else ())
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
            elif elem.has("empty"):
                self.placed.append((at, Condition(column.place, "empty")))
            else:
                raise NotThis
            self.used |= {at, after}

    def _numbers(self) -> None:
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has(*_OPS, "between", "ge_after", "le_after"):
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
            role = next((role for role in elem.roles if role in _OPS), None)
            if elem.has("between") and self._range(at, after):
                return
            if role is not None:
                self._bound(at, after, *_OPS[role])

    def _plain_next(self, at: int) -> int | None:
        return at + 1 if at + 1 < len(self.elems) and at + 1 not in self.used else None

    def _plain_before(self, at: int) -> int | None:
        return at - 1 if at > 0 and at - 1 not in self.used else None

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
        for near in (self._next(first, -1, ("eq", "which")), self._next(last, 1)):
            if near is None or not self.elems[near].has("col"):
                continue
            fitting = [c for c in self.elems[near].columns if self.column(c).measured]
            if fitting:
                self.used.add(near)
                return self._only(fitting)
        fitting = [
            c.place for c in self.vocabulary.columns
            if c.measured and (unit is None or unit not in CODES or money(c) or c.unit == unit)
        ]  # fmt: skip
        summed = [c for c in fitting if additive(self.column(c))]
        if unit in CODES and len(summed) == 1:
            return summed[0]  # of an order that is over 1,000 EUR, the amount is, not the price
        return self._only(fitting) if fitting else self._none()

    def _none(self) -> int:
        raise NotThis

    def _equals(self, at: int, elem: Elem) -> None:
        """`year 2025`, `quantity = 5`: a number right behind a column's name."""
        before = self._next(at, -1, ("eq",))
        if before is None or not self.elems[before].has("col") or elem.number is None:
            return
        if self.elems[at - 1].has("top", "bottom", "max", "min"):
            return
        columns = [c for c in self.elems[before].columns if self.column(c).measured]
        if len(columns) != 1:
            return
        negated = self._negation(before)
        made = Condition(columns[0], "cmp", low=elem.number, high=elem.number, negated=negated)
        self.used |= {at, before}
        self._compare(at, made, elem.unit)

    def _dates(self) -> None:
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has("date") or elem.period is None:
                continue
            self._dated(at, elem.period)

    def _dated(self, at: int, period: Period) -> None:
        lead = self._plain_before(at)
        role = ""
        if lead is not None and not self.elems[lead].has("col", "val"):
            options = self.elems[lead].roles
            role = next((r for r in _DATE_OPS if r in options), "")
            if "between" in options and (end := self._until(at)) is not None:
                last = self.elems[end].period
                assert last is not None
                self._place(lead, end, _spanned(period, last))
                return
            if role:
                self.used.add(lead)
        self.used.add(at)
        if not role and lead is not None and self.elems[lead].has(*_OPS, "ge_after", "le_after"):
            raise NotThis
        self._place(lead if role and lead is not None else at, at, period, role)

    def _until(self, at: int) -> int | None:
        link = self._plain_next(at)
        end = None if link is None else self._plain_next(link)
        if link is None or end is None or not self.elems[link].has("and", "to"):
            return None
        if not self.elems[end].has("date"):
            return None
        self.used |= {at, link, end}
        return end

    def _place(self, start: int, end: int, period: Period, role: str = "during") -> None:
        self.used |= set(range(start, end + 1))
        column, near = self._date_column(start, end)
        negated = self._negation(near if near is not None and near < start else start)
        other = self._other_year(period, column)
        if other is not None:
            self.placed.append(
                (start, Condition(other, "period", ("during",), period=_year(period)))
            )
            period = period.in_year(NO_YEAR)
        made = Condition(column, "period", (role or "during",), period=period, negated=negated)
        self.placed.append((start, made))

    def _date_column(self, start: int, end: int) -> tuple[int, int | None]:
        for near in (self._next(start, -1, ("eq", "which", "during")), self._next(end, 1)):
            if near is None or not self.elems[near].has("col"):
                continue
            dated = [c for c in self.elems[near].columns if self.column(c).kind == "date"]
            if dated:
                if not self.elems[near].has("rows"):
                    self.used.add(near)
                return self._only(dated), near
        dated = [c.place for c in self.vocabulary.columns if c.kind == "date"]
        if len(dated) == 2:
            both = [self.column(c) for c in dated]
            split = sorted(both, key=lambda c: not yearless(c))
            if yearless(split[0]) and not yearless(split[1]):
                whole = self._whole_year(end)
                return split[1 if whole else 0].place, None
        if not dated:
            raise NotThis
        if len(dated) > 1:
            named = [c for e in self.left if e.has("col") for c in e.columns if c in dated]
            if len(set(named)) == 1:
                return named[0], None
        return self._only(dated), None

    def _whole_year(self, at: int) -> bool:
        period = self.elems[at].period
        return period is not None and not period.yearless and period.kind == "year"

    def _other_year(self, period: Period, column: int) -> int | None:
        """`March 2026` over a column of months beside one of years."""
        if period.yearless or not yearless(self.column(column)):
            return None
        years = [
            c.place for c in self.vocabulary.columns
            if c.kind == "date" and c.place != column and not yearless(c)
        ]  # fmt: skip
        return self._only(years) if years else self._none()


def _year(period: Period) -> Period:
    return Period(period.first.replace(month=1, day=1), period.first.replace(month=12, day=31))


def _spanned(first: Period, last: Period) -> Period:
    if first.yearless and not last.yearless:
        first = first.in_year(last.first.year)
    if first.first > last.last or first.yearless != last.yearless:
        raise NotThis
    return Period(first.first, last.last)


_MONEY = listed(
    "amount value revenue price cost payment tax net gross discount total budget profit salary "
    "invoice order purchase balance fee"
)
_NOT_MONEY = frozenset(("rate", "quantity", "hour", "day", "weight", "age", "number", "stock"))


def money(column: Column) -> bool:
    """Whether its numbers are amounts of a currency."""
    if column.unit in CODES or any(unit in CODES for unit in set(column.units)):
        return True
    told = concepts(column.name)
    return column.measured and column.unit is None and bool(told & _MONEY) and not told & _NOT_MONEY


def currency_column(vocabulary: Vocabulary) -> Column | None:
    """The column that says the currency of each row."""
    for column in vocabulary.columns:
        texts = {text.upper() for text in column.texts if text}
        if column.kind == "text" and texts and texts <= set(CODES):
            return column
    return None


def additive(column: Column) -> bool:
    """Whether a sum over rows says something: of amounts and quantities, not of prices or rates."""
    told = concepts(column.name)
    if column.unit == "%" or told & {"rate", "price", "age", "score"}:
        return False
    return bool(told & ADDITIVE) or (column.unit is not None and column.unit != "%")
