"""Values as words, the same in every rendering."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from reports.value import Value

DASH = "–"
# Controls, lone surrogates, non-characters, and marks that reorder the text around them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Without characters that no page or cell can hold; line ends become `\\n`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def decimals(value: Decimal, least: int = 0) -> int:
    """Digits after the point: all that the value has, at least `least`, at most 20."""
    exponent = value.normalize().as_tuple().exponent
    return min(20, max(least, -exponent)) if isinstance(exponent, int) else least


def plain(value: Decimal, least: int = 0) -> str:
    """`1234.50`: for machines."""
    return f"{value:.{decimals(value, least)}f}"


def words(value: Value) -> str:
    """`1,234.50 EUR`, `12.5 %`, `3 Nov 2026`: for people."""
    held = value.value
    if held is None:
        return DASH
    if isinstance(held, Decimal):
        return _number(value.kind, held, value.currency)
    if isinstance(held, date):
        return day(held)
    return clean(held)


def _number(kind: str, held: Decimal, currency: str) -> str:
    if kind == "money":
        amount = f"{held:,.{decimals(held, 2)}f}"
        return f"{amount} {clean(currency)}".rstrip()
    if kind == "percent":
        share = held * 100
        return f"{share:,.{decimals(share)}f} %"
    return f"{held:,.{decimals(held)}f}"


def day(held: date) -> str:
    return f"{held.day} {_MONTHS[held.month - 1]} {held.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
