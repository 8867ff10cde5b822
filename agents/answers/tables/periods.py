"""Dates in a question: in, before, after, since, until, between."""

from __future__ import annotations

from agents.answers.tables.dates import NO_YEAR, Period
from agents.answers.tables.pieces import DATE_OPS, OPS, Pieces
from agents.answers.tables.plans import Condition, NotThis
from agents.answers.tables.rowsets import yearless


class Periods(Pieces):
    """Each date is bound to a column of dates."""

    def _dates(self) -> None:
        for at, elem in enumerate(self.elems):
            if at in self.used or not elem.has("date") or elem.period is None:
                continue
            self._dated(at, elem.period)

    def _dated(self, at: int, period: Period) -> None:
        lead = self._plain_before(at)
        while lead is not None and self._is_article(lead):
            self.used.add(lead)
            lead = lead - 1 if lead > 0 and lead - 1 not in self.used else None
        role = ""
        if lead is not None and not self.elems[lead].has("col", "val"):
            options = self.elems[lead].roles
            role = next((r for r in DATE_OPS if r in options), "")
            if "between" in options and (end := self._until(at)) is not None:
                last = self.elems[end].period
                assert last is not None
                self._place(lead, end, _spanned(period, last))
                return
            if role:
                self.used.add(lead)
        self.used.add(at)
        if not role and lead is not None and self.elems[lead].has(*OPS, "ge_after", "le_after"):
            raise NotThis
        self._place(lead if role and lead is not None else at, at, period, role)

    def _is_article(self, at: int) -> bool:
        """`entre le 1er mars et le 15 avril`: `le` behind a word that says when."""
        before = self.elems[at - 1] if at > 0 else None
        if before is None or not self.elems[at].has("during") or self.elems[at].has("between"):
            return False
        return before.has("between", "before", "after", "since", "until", "to", "and")

    def _until(self, at: int) -> int | None:
        link = self._plain_next(at)
        end = None if link is None else self._plain_next(link)
        if end is not None and self._is_article(end):
            end = self._plain_next(end)
        if link is None or end is None or not self.elems[link].has("and", "to"):
            return None
        if not self.elems[end].has("date"):
            return None
        self.used |= set(range(at, end + 1))
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
                return self.only(dated), near
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
        return self.only(dated), None

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
        return self.only(years) if years else self._none()


def _year(period: Period) -> Period:
    return Period(period.first.replace(month=1, day=1), period.first.replace(month=12, day=31))


def _spanned(first: Period, last: Period) -> Period:
    if first.yearless and not last.yearless:
        first = first.in_year(last.first.year)
    if first.first > last.last or first.yearless != last.yearless:
        raise NotThis
    return Period(first.first, last.last)
