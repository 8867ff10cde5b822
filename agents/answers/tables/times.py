"""Dates of a question out of its words: `March 2026`, `1. Quartal`, `le 3 mai`, `H1 2026`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from agents.answers.tables import dates
from agents.answers.tables.dates import MONTH_NAMES, NO_YEAR, Period
from agents.answers.tables.relative import relative
from agents.answers.tables.tokens import Doubtful, Token
from agents.answers.tables.words import listed
from vectorstore.words import fold

_QUARTERS = listed("quarter quartal quartals quartales trimestre kwartaal")
_HALVES = listed("half halbjahr halbjahres semestre")
_OF = listed("of de des du d von the le la del im en in")
_MONTH_LEADS = listed(
    "in of for since from to until between and before after during through till by"
)
_NOT_MONTHS = frozenset(("ago", "set", "dic", "ene", "mar", "jan", "dec", "may"))


def dated(tokens: Sequence[Token], spoken: str) -> Iterator[Token]:
    at = 0
    while at < len(tokens):
        found = _period(tokens, at, spoken)
        if found is None:
            yield tokens[at]
            at += 1
        else:
            period, end = found
            text = " ".join(token.text for token in tokens[at:end])
            yield Token(text, fold(text), "date", period=period)
            at = end


def since_today(tokens: Sequence[Token], spoken: str, today: date) -> Iterator[Token]:
    """`last month` as one date."""
    at = 0
    while at < len(tokens):
        found = relative(tokens, at, spoken, today)
        if found is None:
            yield tokens[at]
            at += 1
            continue
        period, end = found
        text = " ".join(token.text for token in tokens[at:end])
        yield Token(text, fold(text), "date", period=period)
        at = end


def _period(tokens: Sequence[Token], at: int, spoken: str) -> tuple[Period, int] | None:
    first = tokens[at]
    if first.kind == "date" and first.period:
        return first.period, at + 1
    if (quarter := _quarter(tokens, at)) is not None:
        return quarter
    month = _month(tokens, at, spoken)
    day = _day_number(first)
    if month is None and day:
        after = at + 1 + (tokens[at + 1 : at + 2] != [] and tokens[at + 1].fold in _OF)
        later = _month(tokens, after, spoken, led=True)
        if later is not None:
            year, end = _year_at(tokens, after + 1)
            return _day(year, later, day), end
    if month is not None:
        after_day = _day_number(tokens[at + 1]) if at + 1 < len(tokens) else None
        if after_day:
            year, end = _year_at(tokens, at + 2)
            return _day(year, month, after_day), end
        year, end = _year_at(tokens, at + 1)
        made = dates.month(year, month)
        return (made, end) if made else None
    year, end = _year_at(tokens, at)
    if year != NO_YEAR and end == at + 1:
        if at + 1 < len(tokens) and (q := re.fullmatch(r"([qth])([1-4])", tokens[at + 1].fold)):
            return _part(q[1] == "h", year, int(q[2]), at + 2)
        return dates.year_of(year), end
    return None


def _day(year: int, month: int, day: int) -> Period:
    hit = dates.iso(f"{year:04d}-{month:02d}-{day:02d}")
    if hit is None:
        raise Doubtful
    return hit


def _day_number(token: Token) -> int | None:
    if token.unit or token.number is None or token.number != token.number.to_integral_value():
        return None
    plain = token.kind == "number" or (token.ordinal is not None and token.text[:1].isdigit())
    return int(token.number) if plain and 1 <= token.number <= 31 else None


def _month(tokens: Sequence[Token], at: int, spoken: str, *, led: bool = False) -> int | None:
    if at >= len(tokens) or tokens[at].kind != "word" or tokens[at].fold not in MONTH_NAMES:
        return None
    word = tokens[at]
    led = led or (at > 0 and tokens[at - 1].fold in _MONTH_LEADS)
    dated = at + 1 < len(tokens) and (_year_at(tokens, at + 1)[0] != NO_YEAR)
    if spoken == "en" and not word.text[:1].isupper() and not (led or dated):
        return None
    if word.fold in _NOT_MONTHS and not word.text[:1].isupper() and spoken not in ("es",):
        return None
    if word.fold in ("ago", "set", "dic", "ene") and spoken != "es":
        return None
    if word.fold == "mars" and spoken == "en":
        return None
    return MONTH_NAMES[word.fold]


def _year_at(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """(year, end); `NO_YEAR` and where it looked when there is none."""
    start = at
    if at < len(tokens) and tokens[at].fold in _OF and tokens[at].kind == "word":
        at += 1
    if at < len(tokens) and re.fullmatch(r"(?:19|20)\d\d", tokens[at].fold):
        token = tokens[at]
        if token.kind == "number" and token.unit is None:
            return int(token.fold), at + 1
    return NO_YEAR, start


def _quarter(tokens: Sequence[Token], at: int) -> tuple[Period, int] | None:
    """`Q1 2026`, `first quarter of 2026`, `2. Quartal`, `quarter 3`, `H1 2026`."""
    first = tokens[at]
    short = re.fullmatch(r"([qth])([1-4])", first.fold)
    if short and first.kind == "word":
        year, end = _year_at(tokens, at + 1)
        return _part(short[1] == "h", year, int(short[2]), end)
    follow = tokens[at + 1].fold if at + 1 < len(tokens) else ""
    number = first.ordinal or _day_number(first)
    if number and number <= 4 and follow in _QUARTERS | _HALVES:
        year, end = _year_at(tokens, at + 2)
        return _part(follow in _HALVES, year, number, end)
    if first.fold in _QUARTERS and at + 1 < len(tokens) and (n := _day_number(tokens[at + 1])):
        year, end = _year_at(tokens, at + 2)
        return _part(False, year, n, end) if n <= 4 else None
    return None


def _part(half: bool, year: int, number: int, end: int) -> tuple[Period, int] | None:
    if not half:
        return dates.quarter(year, number), end
    if number > 2:
        return None
    return dates.months(year, 6 * number - 5, 6 * number), end
