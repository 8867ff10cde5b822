"""Dates told from today: `last month`, `im nächsten Quartal`, `les 30 prochains jours`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from agents.answers.tables import dates
from agents.answers.tables.dates import Period
from agents.answers.tables.tokens import Doubtful, Token
from agents.answers.tables.words import parts

_DAYS = {"day": 1, "week": 7}


@cache
def _words(spoken: str) -> dict[tuple[str, ...], str]:
    every = tomllib.loads(Path(__file__).with_name("relative.toml").read_text(encoding="utf-8"))
    told: dict[str, list[str]] = every.get(spoken, every["en"])
    return {parts(phrase): what for what, phrases in told.items() for phrase in phrases}


def relative(
    tokens: Sequence[Token], at: int, spoken: str, today: date
) -> tuple[Period, int] | None:
    """The period that stands at a place, and its end. Raises `Doubtful` for `last 3 months`:
    calendar months, or from this day three months ago?"""
    flat = [token.fold if token.kind in ("word", "number") else "\0" for token in tokens[at:]]
    number = next((n for t in tokens[at : at + 4] if (n := _count(t))), None)
    for width in range(min(5, len(flat)), 0, -1):
        told = tuple(part for word in flat[:width] for part in (parts(word) or (word,)))
        counted = tuple("n" if _count(t) else p for t, p in zip(tokens[at:], told, strict=False))
        key = told if len(told) != width else counted
        what = _words(spoken).get(told) or _words(spoken).get(key)
        if what is not None:
            return _period(what, number, today), at + width
    return None


def _count(token: Token) -> int | None:
    number = token.number
    if number is None or token.ordinal is not None or token.unit is not None:
        return None
    return int(number) if number == int(number) and 1 <= number <= 1000 else None


def _period(what: str, number: int | None, today: date) -> Period:
    side, _, unit = what.partition("_")
    if unit == "n_days" or unit == "n_weeks":
        days = timedelta(days=(number or 0) * _DAYS[unit[2:-1]])
        return Period(today, today + days) if side == "next" else Period(today - days, today)
    if unit == "n_months":
        raise Doubtful
    if unit == "so_far":
        return Period(today.replace(month=1, day=1), today)
    step = {"last": -1, "this": 0, "next": 1}[side]
    if unit in _DAYS:
        first = today + timedelta(days=step * _DAYS[unit])
        if unit == "week":
            first -= timedelta(days=first.weekday())
        return Period(first, first + timedelta(days=_DAYS[unit] - 1))
    return _calendar(unit, step, today)


def _calendar(unit: str, step: int, today: date) -> Period:
    if unit == "year":
        return dates.year_of(today.year + step)
    size = {"month": 1, "quarter": 3}[unit]
    months = today.year * 12 + (today.month - 1) // size * size + step * size
    return dates.months(months // 12, months % 12 + 1, months % 12 + size)
