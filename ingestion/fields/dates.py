"""Dates in running text, in five languages, with the two readings of 03/04/2026 kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

Order = Literal["dmy", "mdy"]

_NAMES = (
    "january jan jän jänner januar janvier janv januari enero ene gennaio",
    "february feb februar février févr fév fevrier februari febrero",
    "march mar märz mär mrz maerz mars maart mrt marzo",
    "april apr avril avr abril abr",
    "may mai mei mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug août aout augustus agosto ago",
    "september sep sept septembre septiembre set",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre déc decembre diciembre dic",
)
MONTHS: dict[str, int] = {
    name: number for number, names in enumerate(_NAMES, 1) for name in names.split()
}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?:(?:19|20)\d\d)"
_PATTERNS = (
    ("iso", rf"(?P<y>{_YEAR})(?P<s>[-/.])(?P<m>\d\d?)(?P=s)(?P<d>\d\d?)(?=T\d|(?![\d]))"),
    ("named", (rf"(?P<d>\d\d?)(?:st|nd|rd|th|er|º|\.)?[\s.,/-]*(?:day\s+)?(?:de\s+|of\s+)?"
              rf"(?P<name>{_MONTH})\b\.?[\s.,/-]*(?:de[l]?\s+|')?(?P<y>{_YEAR}|\d\d(?!\d|:))")),
    ("named", (rf"(?P<name>{_MONTH})\b\.?[\s-]*(?P<d>\d\d?)(?:st|nd|rd|th)?"
              rf"(?:\s*,\s*|\s+|-)(?P<y>{_YEAR})")),
    ("named", rf"(?P<y>{_YEAR})[\s-]+(?P<name>{_MONTH})\b\.?[\s-]+(?P<d>\d\d?)"),
    ("numeric", rf"(?P<a>\d\d?)\s?(?P<s>[-/.])\s?(?P<b>\d\d?)\s?(?P=s)\s?(?P<y>{_YEAR}|\d\d)"),
)  # fmt: skip
_COMPILED = tuple(
    (kind, re.compile(rf"(?<![\w./-]){pattern}(?![\d])(?![-/.]\d)", re.IGNORECASE))
    for kind, pattern in _PATTERNS
)
_COMPACT = re.compile(rf"(?<!\d)({_YEAR})(\d\d)(\d\d)(?!\d)")


@dataclass(frozen=True, slots=True)
class DateHit:
    """A date at `start:end`. `other` is its second reading, where day and month could be swapped;
    `value` is then the day-first one."""

    start: int
    end: int
    value: date
    other: date | None = None
    order: Order | None = None  # what this date proves about the document's order

    def read(self, order: Order | None) -> date:
        return self.other if order == "mdy" and self.other else self.value


def find_dates(text: str, *, compact: bool = False) -> list[DateHit]:
    """Every date of `text`, left to right; `compact` also reads 20260312."""
    hits = [hit for kind, pattern in _COMPILED for hit in _hits(kind, pattern, text)]
    if compact:
        hits += [h for m in _COMPACT.finditer(text) if (h := _made(m, m[1], m[2], m[3]))]
    kept: list[DateHit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _hits(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[DateHit]:
    for match in pattern.finditer(text):
        hit: DateHit | None
        if kind == "numeric":
            hit = _numeric(match)
        elif kind == "iso":
            hit = _made(match, match["y"], match["m"], match["d"])
        else:
            hit = _made(match, match["y"], str(MONTHS[match["name"].lower()]), match["d"])
        if hit:
            yield hit


def _made(match: re.Match[str], year: str, month: str, day: str) -> DateHit | None:
    value = _date(year, int(month), int(day))
    return DateHit(match.start(), match.end(), value) if value else None


def _numeric(match: re.Match[str]) -> DateHit | None:
    a, b = int(match["a"]), int(match["b"])
    day_first, month_first = _date(match["y"], b, a), _date(match["y"], a, b)
    start, end = match.span()
    if match["s"] == ".":  # written with dots, the day always comes first
        return DateHit(start, end, day_first) if day_first else None
    if day_first and month_first and day_first != month_first:
        return DateHit(start, end, day_first, other=month_first)
    if day_first:
        return DateHit(start, end, day_first, order="dmy" if a != b else None)
    return DateHit(start, end, month_first, order="mdy") if month_first else None


def _date(year: str, month: int, day: int) -> date | None:
    full = int(year) if len(year) == 4 else _century(int(year)) + int(year)
    try:
        return date(full, month, day)
    except ValueError:
        return None


def _century(year: int) -> int:
    """Of two figures: `9/9/97` is of the last century."""
    return 2000 if year < 70 else 1900


def order_of(hits: Iterable[DateHit], language: str | None, currency: str | None) -> Order | None:
    """Day or month first in this document: by its own unambiguous dates, then by language, then by
    currency; None when nothing tells."""
    proofs = {hit.order for hit in hits if hit.order}
    if len(proofs) == 1:
        return proofs.pop()
    if language and language != "en":
        return "dmy"
    if currency == "USD":
        return "mdy"
    return "dmy" if currency else None
