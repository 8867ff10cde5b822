"""A plan carried out over a table's cells: exact decimals, each with the rows it came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from agents.answers.tables import dates
from agents.answers.tables.conditions import additive, currency_column, money
from agents.answers.tables.dates import Period
from agents.answers.tables.grids import Column
from agents.answers.tables.numbers import decimals
from agents.answers.tables.plans import Group, Op, Plan, Unclear
from agents.answers.tables.rowsets import fitting, one_year, yearless
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import listed

_TEXT_SHARE_MAX = 0.2  # more cells of words than that, and a sum of the others says little
_PRECISION = 50
_NOT_KNOWN = listed("n/a na n.a. - – — k.a. tbd tba none nil null offen ? x n.v. nc n.c.")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number (or date) and where it comes from. `column` is None where rows were counted."""

    label: str
    value: Decimal | Period
    unit: str | None
    places: int
    rows: tuple[int, ...]
    column: int | None = None
    rounded: bool = False
    kind: str = "value"  # value | total | single | rest
    of: int = 0  # rows that were looked at


@dataclass(frozen=True, slots=True)
class Result:
    """`values` are the distinct values of a list, with their rows."""

    plan: Plan
    figures: tuple[Figure, ...]
    rows: tuple[int, ...]
    notes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    listed: tuple[tuple[str, tuple[int, ...]], ...] = ()
    extra: tuple[Figure, ...] = ()  # the difference, the other reading

    def key(self) -> tuple[Any, ...]:
        """Two readings with the same key say the same."""
        told = tuple((f.label, f.value, f.unit, f.kind) for f in (*self.figures, *self.extra))
        return told, tuple(value for value, _ in self.listed)


@dataclass(slots=True)
class Taken:
    """The numbers of a column in some rows, by unit."""

    by_unit: dict[str | None, list[int]] = field(default_factory=lambda: defaultdict(list))
    empty: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    as_text: int = 0


def compute(plan: Plan, vocabulary: Vocabulary) -> Result:
    """Raises `Unclear` where cells cannot be read surely, or currencies would be mixed."""
    with localcontext() as context:
        context.prec = _PRECISION
        return _Computing(plan, vocabulary).made()


class _Computing:
    def __init__(self, plan: Plan, vocabulary: Vocabulary) -> None:
        self.plan, self.vocabulary, self.grid = plan, vocabulary, vocabulary.grid
        if self.grid.partial:
            raise Unclear("partial", self.grid.filename)
        self.notes: dict[tuple[str, tuple[str, ...]], None] = {}
        self.currency = currency_column(vocabulary)
        base = plan.base if plan.sides else plan.where
        self.rows = fitting(vocabulary, base, range(len(self.grid.rows)))

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

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

    def _result(self, figures: Sequence[Figure], extra: Sequence[Figure] = ()) -> Result:
        self._left_out()
        return Result(
            self.plan, _aligned(figures), tuple(self.rows), tuple(self.notes), extra=_aligned(extra)
        )

    def _left_out(self) -> None:
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
        value, rounded = _made(op, values, unit)
        if op in ("max", "min"):
            rows = [row for row in rows if column.number(row) == value]
        places = _places(value, column.places, unit)
        return Figure(label, value, unit, places, tuple(rows), column.place, rounded)

    # Kinds of question

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

    def _by_unit(self, op: Op, label: str, column: Column, rows: Sequence[int]) -> list[Figure]:
        taken = self._taken(column, rows)
        return [self._figure(op, label, column, unit, used) for unit, used in taken.by_unit.items()]

    def _ordered(self, figures: list[Figure]) -> list[Figure]:
        """Months in order, other groups from the largest."""
        group = self.plan.group
        if group is None or group.unit or self.column(group.column).kind == "date":
            return figures
        return sorted(figures, key=lambda f: (f.unit or "", -_number(f)))

    def _groups(self, group: Group, rows: Sequence[int]) -> list[tuple[str, list[int]]]:
        column = self.column(group.column)
        if column.gapped:
            raise Unclear("gapped", column.name)
        if column.kind == "date" and yearless(column):
            one_year(self.vocabulary, rows)
        found: dict[Any, list[int]] = defaultdict(list)
        labels: dict[Any, str] = {}
        for row in rows:
            key, label = _grouped(column, group, row)
            if key is None:
                self.note("ungrouped", column.name, self.cell(column, row) or str(row))
                continue
            found[key].append(row)
            labels.setdefault(key, label)
        keys = sorted(found) if column.kind == "date" else list(found)
        return [(labels[key], found[key]) for key in keys]

    def _date_extreme(self, column: Column) -> Figure:
        dated = [(p, row) for row in self.rows if (p := column.period(row)) is not None]
        if any(row in column.doubtful for row in self.rows):
            raise Unclear("doubtful", column.name, next(t for t in column.texts if t))
        if not dated:
            raise Unclear("none")
        best = (max if self.plan.op == "max" else min)(period for period, _ in dated)
        rows = tuple(row for period, row in dated if period == best)
        return Figure("", best, None, 0, rows, column.place)

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
        ordered = sorted(figures, key=_number, reverse=rank.descending)
        kept = ordered[: rank.count]
        tied = [f for f in ordered[rank.count :] if f.value == kept[-1].value]
        if len(tied) > 10:
            raise Unclear("tied")
        if tied:
            self.note("tied", str(len(kept) + len(tied)))
        return [_as(figure, kind) for figure in (*kept, *tied)]

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

    def _counts(self) -> list[Figure]:
        plan = self.plan
        if plan.group is None:
            return [_count("", self.rows, len(self.grid.rows))]
        figures = [_count(label, rows, 0) for label, rows in self._groups(plan.group, self.rows)]
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
            part, whole = _count("", self.rows, 0), _count("", everything, 0)
        else:
            column = self.column(self.plan.measures[0])
            wholes = self._by_unit("sum", "", column, everything)
            if len(wholes) != 1:
                raise Unclear("currencies", column.name, *sorted(str(f.unit) for f in wholes))
            self.notes.clear()
            parts = self._by_unit("sum", "", column, self.rows)
            whole = wholes[0]
            part = parts[0] if parts else Figure("", Decimal(0), whole.unit, 0, (), column.place)
        if _number(whole) <= 0 or _number(part) < 0:
            raise Unclear("none")
        value, rounded = _round(_number(part) / _number(whole) * 100, 1)
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
        value = abs(_number(figures[0]) - _number(figures[1]))
        places = max(f.places for f in figures)
        extra = Figure("", value, figures[0].unit, places, (), kind="rest")
        return self._result(figures, [extra])

    def _side(self, label: str, rows: Sequence[int]) -> Figure:
        if not self.plan.measures:
            return _count(label, rows, 0)
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


def _grouped(column: Column, group: Group, row: int) -> tuple[Any, str]:
    if column.kind == "date":
        period = column.period(row)
        if row in column.doubtful:
            raise Unclear("doubtful", column.name, column.texts[row])
        whole = dates.part(period, group.unit) if period and group.unit else period
        if period is not None and whole is None:
            raise Unclear("dates", column.name)
        return whole, whole.told() if whole else ""
    text = column.texts[row]
    return (text.casefold(), text) if text else (None, "")


def _count(label: str, rows: Sequence[int], of: int) -> Figure:
    return Figure(label, Decimal(len(rows)), None, 0, tuple(rows), of=of)


def _number(figure: Figure) -> Decimal:
    assert isinstance(figure.value, Decimal)
    return figure.value


def _aligned(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Figures of one unit with the same number of decimals."""
    most: dict[str | None, int] = defaultdict(int)
    for figure in figures:
        most[figure.unit] = max(most[figure.unit], figure.places)
    return tuple(replace(figure, places=most[figure.unit]) for figure in figures)


def _as(figure: Figure, kind: str) -> Figure:
    return replace(figure, kind=kind)


def _made(op: Op, values: Sequence[Decimal], unit: str | None) -> tuple[Decimal, bool]:
    """The value, and whether it had to be rounded."""
    simple: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
        "sum": lambda v: sum(v, Decimal(0)), "max": max, "min": min, "value": max,
    }  # fmt: skip
    if op in simple:
        return simple[op](values), False
    if op == "median":
        ordered = sorted(values)
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return (low + high) / 2, False
    most = max(decimals(value) for value in values)
    return _round(sum(values, Decimal(0)) / len(values), max(2, most if unit else most + 1))


def _round(value: Decimal, places: int) -> tuple[Decimal, bool]:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded, rounded != value


def _places(value: Decimal, most: int, unit: str | None) -> int:
    """Decimals to show: as the column has; money with a fraction has two."""
    shown = decimals(value.normalize())
    places = max(shown, min(most, 2))
    return max(places, 2) if (shown or most) and unit not in (None, "%") else places
