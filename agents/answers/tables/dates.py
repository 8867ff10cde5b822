"""Days, months, quarters and years: in cells, and compared with those of a question."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ingestion.fields.dates import MONTHS, DateHit, Order, find_dates, order_of
from vectorstore.words import fold

NO_YEAR = 4  # a leap year long ago stands for months and quarters without a year
MONTH_NAMES: dict[str, int] = {fold(name): number for name, number in MONTHS.items()}
_MONTH = "|".join(sorted(MONTH_NAMES, key=len, reverse=True))
_YEAR = r"(?:19|20)\d\d"
_PERIODS = (
    (re.compile(rf"(?P<y>{_YEAR})[-/.](?P<m>\d\d?)"), "month"),
    (re.compile(rf"(?P<m>\d\d?)[-/.](?P<y>{_YEAR})"), "month"),
    (re.compile(rf"(?P<name>{_MONTH})\.?[\s,'/-]*(?P<y>{_YEAR}|(?<=[-/'])\d\d)?"), "month"),
    (re.compile(rf"(?P<y>{_YEAR})[\s-]*(?P<name>{_MONTH})\.?"), "month"),
    (re.compile(rf"[qt](?P<q>[1-4])[\s,'/-]*(?P<y>{_YEAR})?"), "quarter"),
    (re.compile(rf"(?P<y>{_YEAR})[\s/-]*[qt](?P<q>[1-4])"), "quarter"),
    (re.compile(rf"(?P<y>{_YEAR})"), "year"),
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole days from `first` to `last`; of the year `NO_YEAR` where none was told."""

    first: date
    last: date

    @property
    def yearless(self) -> bool:
        return self.first.year == NO_YEAR

    @property
    def kind(self) -> str:
        """`range` where it is no whole month, quarter or years: from the 10th to the 25th."""
        if self.first == self.last:
            return "day"
        if self.first.day > 1 or (self.last + timedelta(days=1)).day > 1:
            return "range"
        count = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        if count == 3 and self.first.month % 3 == 1:
            return "quarter"
        return "month" if count == 1 else "year" if count % 12 == 0 else "range"

    def within(self, other: Period) -> bool:
        return other.first <= self.first and self.last <= other.last

    def told(self) -> str:
        """ISO 8601: `2026-03-01`, `2026-03`, `2026-Q1`, `2026`."""
        year = "" if self.yearless else f"{self.first.year}"
        if self.kind == "day":
            return self.first.isoformat()
        if self.kind == "month":
            return f"{year}-{self.first.month:02d}" if year else f"{self.first.month:02d}"
        if self.kind == "quarter":
            return f"{year}-Q{self.first.month // 3 + 1}".lstrip("-")
        whole = (self.first.month, self.last.month) == (1, 12) and self.last.day == 31
        one = self.first.year == self.last.year
        return year if whole and one else f"{self.first.isoformat()} – {self.last.isoformat()}"

    def in_year(self, year: int) -> Period:
        last_day = calendar.monthrange(year, self.last.month)[1]
        last = min(self.last.day, last_day) if self.kind in ("day", "range") else last_day
        return Period(self.first.replace(year=year), date(year, self.last.month, last))


def month(year: int, number: int) -> Period | None:
    return months(year, number, number) if 1 <= number <= 12 else None


def months(year: int, first: int, last: int) -> Period:
    return Period(date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1]))


def quarter(year: int, number: int) -> Period:
    return months(year, 3 * number - 2, 3 * number)


def year_of(number: int) -> Period:
    return months(number, 1, 12)


def part(period: Period, unit: str) -> Period | None:
    """The month, quarter or year that a period lies in; None when it is longer."""
    year, number = period.first.year, period.first.month
    whole = {
        "day": Period(period.first, period.first), "month": months(year, number, number),
        "quarter": quarter(year, (number + 2) // 3), "year": year_of(year),
    }[unit]  # fmt: skip
    return whole if period.within(whole) else None


def iso(text: str) -> Period | None:
    """Of a typed cell: `2026-03-01`, with or without a time."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return Period(day, day)


def period_in(text: str) -> Period | None:
    """A month, quarter or year as a whole cell: `2026-03`, `Mar 2026`, `Q1 2026`, `2026`."""
    plain = fold(text).strip()
    for pattern, kind in _PERIODS:
        match = pattern.fullmatch(plain)
        if match is None:
            continue
        groups = match.groupdict()
        told = groups.get("y")
        year = int(told) + (2000 if len(told) == 2 else 0) if told else NO_YEAR
        if kind == "quarter":
            return quarter(year, int(groups["q"]))
        if kind == "year":
            return year_of(year)
        number = MONTH_NAMES[groups["name"]] if groups.get("name") else int(groups["m"])
        return month(year, number)
    return None


def day_in(text: str) -> DateHit | None:
    """A day as a whole cell, perhaps with a time behind it."""
    for hit in find_dates(text):
        rest = text[hit.end :].strip(" ,T")
        if hit.start == 0 and re.fullmatch(r"(?:\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?Z?)?", rest):
            return hit
    return None


def column_of(texts: Sequence[str], language: str | None) -> tuple[list[Period | None], bool]:
    """The days or periods of a column's cells; and whether some may be read in two ways, day or
    month first, and nothing tells which."""
    distinct = {text for text in texts if text}
    hits = {text: hit for text in distinct if (hit := day_in(text)) is not None}
    order = _order(hits.values(), language)
    doubtful = order is None and any(hit.other is not None for hit in hits.values())
    found: dict[str, Period | None] = {}
    for text in distinct:
        hit = hits.get(text)
        if hit is None:
            found[text] = period_in(text)
        elif hit.other is None or order is not None:
            found[text] = Period(hit.read(order), hit.read(order))
    return [found.get(text) for text in texts], doubtful


def _order(hits: Iterable[DateHit], language: str | None) -> Order | None:
    """English alone says nothing: it is written both ways."""
    return order_of(list(hits), None if language == "en" else language, None)


def before(period: Period) -> date:
    return period.first - timedelta(days=1)
