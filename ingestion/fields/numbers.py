"""Amounts in running text: 1.234,50 · 1 234,50 · 1,234.50 · 1'234.50 · (123.45) · € 1.234,-"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Mark = Literal[".", ","]

# Currency signs to ISO 4217; longer signs first. A bare "$" is settled by the document's context.
SIGNS: dict[str, str] = {
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "S$": "SGD",
    "HK$": "HKD", "R$": "BRL", "MX$": "MXN", "€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY",
    "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₩": "KRW", "₪": "ILS", "฿": "THB", "₫": "VND",
    "zł": "PLN", "Kč": "CZK",  "RM": "MYR", "Rp": "IDR", "Rs.": "INR", "Rs": "INR",
    "SFr.": "CHF",  "kr.": "", "kr": "", "euros": "EUR", "euro": "EUR", "Euro": "EUR",
}  # fmt: skip
CODES = [
    "EUR",
    "USD",
    "GBP",
    "CHF",
    "JPY",
    "CAD",
    "AUD",
    "NZD",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "HUF",
    "RON",
    "BGN",
    "TRY",
    "RUB",
    "UAH",
    "INR",
    "CNY",
    "HKD",
    "SGD",
    "MYR",
    "IDR",
    "THB",
    "VND",
    "KRW",
    "ILS",
    "ZAR",
    "BRL",
    "MXN",
    "ARS",
    "CLP",
    "COP",
    "PEN",
    "AED",
    "SAR",
    "EGP",
    "NGN",
    "KES",
    "PHP",
    "TWD",
    "ISK",
]

_SPACES = "\u00a0\u202f\u2009\u2007"
_SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
_CURRENCY = rf"(?:{_SIGN}|(?:{'|'.join(CODES)})(?![A-Za-z]))"
# Letters or digits glued to a number make it a code, not an amount.
_PATTERN = rf"""(?<![\w.,'’/#@])(?<!\d:)(?<!\w[-–])(?P<open>\(\s?)?(?P<minus1>[-–−+]\s?)?
    (?P<left>{_CURRENCY}\s?)?(?P<minus2>[-–−]\s?)?
    (?P<digits>\d{{1,3}}(?:[GAP]\d{{3}})+(?:[.,]\d{{1,4}})?(?!\d)
      |\d++(?:[.,'’]\d+)*+)
    (?P<dash>[.,](?:[-–—]{{1,2}}|=))?
    (?P<minus3>\s?[-–−](?![\w\d]))?(?:\s?(?P<right>{_CURRENCY}))?(?P<percent>\s?%)?(?P<close>\s?\))?
    (?![\w’'@])(?![/:]\d)"""
_TIGHT = re.compile(_PATTERN.replace("GAP", _SPACES), re.VERBOSE)
# A table's bar may have come between thousands that stand close on the page.
_BARRED = _PATTERN.replace("[GAP]", r"(?:[\ GAP]|\ \|\ )").replace("GAP", _SPACES)
_SPACED = re.compile(_BARRED, re.VERBOSE)
_GLUED = re.compile(r"[ |\u00a0\u202f\u2009\u2007'’]")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number at `start:end` of the text searched; `sign` is the currency written beside it."""

    start: int
    end: int
    value: Decimal
    currency: str | None
    decimals: int
    percent: bool
    sign_start: int = -1
    sign_end: int = -1


def find_amounts(text: str, decimal: Mark | None = None, *, spaced: bool = True) -> list[Amount]:
    """Every number of `text`, left to right. `decimal` is the document's decimal mark where it is
    known; `spaced` allows a plain space between thousands."""
    found = (_amount(m, decimal) for m in (_SPACED if spaced else _TIGHT).finditer(text))
    return [amount for amount in found if amount]


def _amount(match: re.Match[str], decimal: Mark | None) -> Amount | None:
    value = parse_number(match["digits"], decimal)
    if value is None:
        return None
    negative = bool(match["minus2"] or match["minus3"] or (match["open"] and match["close"]))
    negative = negative or (match["minus1"] or "+").strip() != "+"
    negative = negative and not match["percent"]
    start, end = match.span()
    if bool(match["open"]) != bool(match["close"]):  # one half of a pair belongs to the sentence
        start = match.end("open") if match["open"] else start
        end = match.start("close") if match["close"] else end
    side = "left" if match["left"] else "right"
    sign = (match[side] or "").strip()
    at = match.start(side) if sign else -1
    return Amount(
        start, end, -value if negative else value, _iso(sign), _decimals(value),
        bool(match["percent"]), at, at + len(sign) if sign else -1,
    )  # fmt: skip


def _iso(sign: str) -> str | None:
    return SIGNS.get(sign, sign) or None


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def parse_number(digits: str, decimal: Mark | None = None) -> Decimal | None:
    """`1.234,50` → 1234.50. A lone mark before three digits is read as thousands unless `decimal`
    says otherwise. None when the groups are not a number ("1.2.3")."""
    plain = _GLUED.sub("", digits)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        return Decimal(plain)
    last = plain.rfind(marks[-1])
    head, tail = plain[:last], plain[last + 1 :]
    if len(set(marks)) == 1 and _is_thousands(marks, head, tail, decimal):
        return _grouped(plain, marks[-1])
    if marks.count(marks[-1]) > 1:
        return None
    whole = _grouped(head, marks[0]) if len(marks) > 1 else Decimal(head)
    return None if whole is None else Decimal(f"{whole}.{tail}")


def _is_thousands(marks: list[str], head: str, tail: str, decimal: Mark | None) -> bool:
    if len(marks) > 1:
        return True
    if len(tail) != 3 or head.startswith("0") or len(head) > 3:
        return False
    return marks[0] != decimal


def _grouped(text: str, mark: str) -> Decimal | None:
    first, *groups = text.split(mark)
    good = 1 <= len(first) <= 3 and all(len(group) in (2, 3) for group in groups[:-1])
    return Decimal(first + "".join(groups)) if good and len(groups[-1]) == 3 else None


def decimal_mark(texts: Iterable[str]) -> Mark | None:
    """The decimal mark that the unambiguous numbers of a document use, else None."""
    votes: Counter[Mark] = Counter()
    for text in texts:
        for match in re.finditer(
            r"(?<![\w.,])\d[\d'’ ]{0,14}(?:[.,]\d{3}){0,4}([.,])(?:\d{2}(?!\w|[.,]\d)|[-–])", text
        ):
            votes["." if match[1] == "." else ","] += 1
    return votes.most_common(1)[0][0] if votes else None


def plain(value: Decimal, least: int = 2) -> str:
    """`1234.5` → `1234.50`: no exponent, no grouping, at least `least` decimals."""
    text = f"{value:f}"
    whole, _, tail = text.partition(".")
    tail = tail.rstrip("0").ljust(least, "0")
    return f"{whole}.{tail}" if tail else whole
