"""The rows that fit a question's conditions; a cell that cannot be read surely is never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.answers.tables.dates import NO_YEAR, Period
from agents.answers.tables.grids import YES, Column
from agents.answers.tables.plans import Condition, Unclear
from agents.answers.tables.vocabulary import Vocabulary
from vectorstore.words import fold


def fitting(
    vocabulary: Vocabulary, conditions: Sequence[Condition], rows: Iterable[int]
) -> list[int]:
    """In order. Raises `Unclear` for cells of two readings and for labels that span rows."""
    found = list(rows)
    for condition in conditions:
        found = _kept_of(vocabulary, condition, found)
    months = (c for c in conditions if c.kind == "period" and yearless(vocabulary.column(c.column)))
    if any(months):
        one_year(vocabulary, found)
    return found


def yearless(column: Column) -> bool:
    """Whether it holds months or quarters of no year."""
    return all(p.yearless for p in column.periods if p is not None)


def one_year(vocabulary: Vocabulary, rows: Sequence[int]) -> None:
    """Raises `Unclear` when months without a year stand beside several years."""
    for column in vocabulary.columns:
        if column.kind != "date" or yearless(column):
            continue
        years = {p.first.year for row in rows if (p := column.period(row)) is not None}
        if len(years) > 1:
            raise Unclear("year", column.name, *map(str, sorted(years)))


def _kept_of(vocabulary: Vocabulary, condition: Condition, rows: list[int]) -> list[int]:
    column = vocabulary.column(condition.column)
    if column.gapped:
        raise Unclear("gapped", column.name)
    return _kept(vocabulary, condition, column, rows)


def _kept(
    vocabulary: Vocabulary, condition: Condition, column: Column, rows: list[int]
) -> list[int]:
    match condition.kind:
        case "in":
            wanted = {value.casefold() for value in condition.values}
            return [r for r in rows if (column.texts[r].casefold() in wanted) != condition.negated]
        case "empty":
            return [r for r in rows if (not column.texts[r]) != condition.negated]
        case "flag":
            return [r for r in rows if _flag(column, r) is not None
                    and _flag(column, r) != condition.negated]  # fmt: skip
        case "contains" | "starts":
            return [r for r in rows if _holds(condition, column.texts[r]) != condition.negated]
        case "any":
            return sorted({r for one in condition.either for r in _kept_of(vocabulary, one, rows)})
        case "cmp":
            return _compared(condition, column, rows)
    return _dated(condition, column, rows)


def _flag(column: Column, row: int) -> bool | None:
    text = column.texts[row]
    return fold(text) in YES if text else None


def _holds(condition: Condition, text: str) -> bool:
    wanted, here = fold(condition.values[0]), fold(text)
    return here.startswith(wanted) if condition.kind == "starts" else wanted in here


def _compared(condition: Condition, column: Column, rows: list[int]) -> list[int]:
    kept = []
    for row in rows:
        if row in column.unknown or row in column.doubtful:
            raise Unclear("doubtful", column.name, column.texts[row])
        value = column.number(row)
        if value is None:
            continue
        low, high = condition.low, condition.high
        fits = (low is None or value > low or (value == low and not condition.low_open)) and (
            high is None or value < high or (value == high and not condition.high_open)
        )
        if fits != condition.negated:
            kept.append(row)
    return kept


def _dated(condition: Condition, column: Column, rows: list[int]) -> list[int]:
    assert condition.period is not None
    if any(row in column.doubtful for row in rows):
        raise Unclear("doubtful", column.name, next(text for text in column.texts if text))
    wanted = _with_year(condition.period, condition.values[0], column, rows)
    if not wanted.yearless and _beyond(column, wanted):
        raise Unclear("none")  # of a time before or after all of its dates it says nothing
    kept = []
    for row in rows:
        period = column.period(row)
        if period is None:
            if column.texts[row]:
                raise Unclear("doubtful", column.name, column.texts[row])
            continue
        if period.yearless != wanted.yearless:
            raise Unclear("year", column.name)
        if _in_time(condition.values[0], period, wanted, column) != condition.negated:
            kept.append(row)
    return kept


def _beyond(column: Column, wanted: Period) -> bool:
    known = [p for p in column.periods if p is not None and not p.yearless]
    if not known or any(p.yearless for p in column.periods if p is not None):
        return False
    return wanted.last < min(p.first for p in known) or wanted.first > max(p.last for p in known)


def _with_year(period: Period, role: str, column: Column, rows: Sequence[int]) -> Period:
    """`In March` is of the one year that there is; of several it is asked which."""
    if not period.yearless:
        return period
    found = [p for row in rows if (p := column.period(row)) is not None]
    if not found or all(p.yearless for p in found):
        return period
    if role == "during":
        years = {
            p.first.year for p in found
            if not p.yearless and p.within(period.in_year(p.first.year))
        }  # fmt: skip
    else:
        years = {p.first.year for p in found}
    if len(years) > 1:
        raise Unclear("year", column.name, *map(str, sorted(years)))
    year = years.pop() if years else max(p.last.year for p in found)
    return period if year == NO_YEAR else period.in_year(year)


def _in_time(role: str, period: Period, wanted: Period, column: Column) -> bool:
    before, after = period.last < wanted.first, period.first > wanted.last
    inside = period.within(wanted)
    if not (before or after or inside):
        raise Unclear("dates", column.name)
    match role:
        case "before":
            return before
        case "after":
            return after
        case "until" | "le":
            return before or inside
        case "since" | "ge":
            return after or inside
    return inside
