"""Amounts in running text: 1.234,50 · 1 234,50 · 1,234.50 · 1'234.50 · (123.45) · € 1.234,-"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ingestion.fields import scales

Mark = Literal[".", ","]

# Currency signs to ISO 4217; longer signs first. A bare "$" is settled by the document's context.
SIGNS: dict[str, str] = {
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "S$": "SGD",
    "HK$": "HKD", "R$": "BRL", "MX$": "MXN", "€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY",
    "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₩": "KRW", "₪": "ILS", "฿": "THB", "₫": "VND",
    "zł": "PLN", "Kč": "CZK",  "RM": "MYR", "Rp": "IDR", "Rs.": "INR", "Rs": "INR",
    "SFr.": "CHF", "SFr": "CHF", "Fr.": "CHF", "Franken": "CHF", "francs suisses": "CHF",
    "kr.": "", "kr": "", "euros": "EUR", "euro": "EUR", "Euro": "EUR", "Euros": "EUR",
    "EUROS": "EUR", "EURO": "EUR", "dollars": "USD", "US dollars": "USD",
}  # fmt: skip
_SPELLED = frozenset(("euros", "euro", "Euro", "Euros", "Franken", "francs suisses", "dollars"))
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

# Blanks that only stand within a number, the plain one, and marks that look like an apostrophe.
FIXED = "\u00a0\u202f\u2009\u2007\u2008\u2006\u2005\u200a"
TICKS = "'’´`ʼ‘"
_ODD = "·˙٫٬，．′"  # beside a digit they make it part of a number of another spelling
_SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
CURRENCY = rf"(?:{_SIGN}|(?:{'|'.join(CODES)})(?![A-Za-z]))"
_MANY = rf"(?:{scales.PREFIX}\s?)?"
# Letters or digits glued to a number make it a code, not an amount.
_PATTERN = rf"""(?<![\w.,'’/#@])(?<!\d:)(?<!\w[-–])(?<!\d[{_ODD}{TICKS}])
    (?P<open>\(\s?)?(?P<minus1>[-–−+△▲]\s?)?
    (?P<left>(?P<many>{_MANY}){CURRENCY}\s?)?(?P<minus2>[-–−]\s?)?
    (?P<digits>\d{{1,3}}(?:[GAP]\d{{3}})+(?!\d)(?:[.,{TICKS}]\d+)*+|\d++(?:[.,{TICKS}]\d+)*+)
    (?P<dash>[.,](?:[-–—]{{1,2}}|=))?
    (?P<minus3>\s?[-–−](?![\w\d]))?
    (?P<scale>{scales.WORDS}(?![^\W\d_]|[€$£])\.?)?
    (?:\s?(?:d[e’']\s?|of\s)?(?P<right>(?P<more>{_MANY}){CURRENCY}))?
    (?P<percent>\s?(?:%|(?i:percent|per\ cent|pour\s?cent|prozent|procent|por\ ciento)\b))?
    (?P<side>\s?(?:[CD][Rr]\b|[SH](?=\s*$)))?(?P<close>\s?\))?
    (?![\w’'@{_ODD}])(?!\s?‰)(?![/:´`]\d)(?!\s\d+/\d)(?!\s?[½¼¾])"""
_TIGHT = re.compile(_PATTERN.replace("GAP", FIXED), re.VERBOSE)
# A table's bar may have come between thousands that stand close on the page.
_BARRED = _PATTERN.replace("[GAP]", r"(?:[\ GAP]|\ \|\ )").replace("GAP", FIXED)
_SPACED = re.compile(_BARRED, re.VERBOSE)
_BLANKS = rf"[ |{FIXED}]"
_PARTED = re.compile(
    rf"\d{{1,3}}(?:{_BLANKS}+\d{{3}})+(?:[.,]\d+)?|\d{{1,3}}(?:[{TICKS}]\d{{3}})+(?:[.,]\d+)?"
)
_PLACE = re.compile(
    r"(?:\bart(?:icle|ikel|\.)?|§|\bn[r°ºo]\.?|\bpages?|\bseite|\bpos\.?|#)\s*$", re.I
)


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


def find_amounts(
    text: str, decimal: Mark | None = None, *, spaced: bool | None = True,
    likely: Mark | None = None,
) -> list[Amount]:  # fmt: skip
    """Every number of `text` that can be read in one way, left to right. `decimal` is the
    document's decimal mark where it is known, `likely` the usual one of its language. `spaced`:
    whether a plain space stands between thousands; with None `3 100` may also be two numbers and
    is left out, unless a currency holds it together."""
    found: list[Amount] = []
    for match in _SPACED.finditer(text):
        for one in _parts(text, match, spaced):
            amount = _amount(one, decimal, likely)
            if amount:
                found.append(amount)
    return found


def _parts(text: str, match: re.Match[str], spaced: bool | None) -> Iterator[re.Match[str]]:
    """The match, its tight parts, or nothing where neither is sure."""
    digits = match["digits"]
    if match["side"] or (match["left"] and scales.APART.match(text, match.end())):
        return
    if " " not in digits or (" | " in digits and spaced is not False):
        yield match
        return
    bound = bool(match["left"]) or (match["right"] or "") in _SPELLED
    lone = digits.count(" ") == 1 or len(digits.split(" ")[0]) == 3
    if digits[0] == "0" or _PLACE.search(text, max(match.start() - 12, 0), match.start()):
        return
    if spaced or (spaced is None and (bound or not lone)):
        yield match
    elif spaced is False and not bound:
        yield from _TIGHT.finditer(text, match.start(), match.end())


def _amount(match: re.Match[str], decimal: Mark | None, likely: Mark | None) -> Amount | None:
    money = match["left"] or match["right"]
    value = _settled(match["digits"], decimal, likely, bool(money))
    scale = scales.scale(match["scale"], match["many"] or match["more"], (money or "").strip())
    bare = bool(match["minus1"]) and match["minus1"][0] in "–" and match["minus1"][-1:].isspace()
    if value is None or scale is None:
        return None
    negative = bool(match["minus2"] or match["minus3"] or (match["open"] and match["close"]))
    negative = negative or (not bare and (match["minus1"] or "+").strip() != "+")
    negative = negative and not match["percent"]
    value = scales.times(value, scale)
    start, end = match.span()
    if bool(match["open"]) != bool(match["close"]):  # one half of a pair belongs to the sentence
        start = match.end("open") if match["open"] else start
        end = match.start("close") if match["close"] else end
    if bare:  # a dash between words
        start = match.end("minus1")
    side = "left" if match["left"] else "right"
    sign = (match[side] or "").strip()
    sign = sign[len(match["many" if match["left"] else "more"] or "") :].strip()
    at = match[side].index(sign) + match.start(side) if sign else -1
    return Amount(
        start, end, -value if negative else value, _iso(sign), _decimals(value),
        bool(match["percent"]), at, at + len(sign) if sign else -1,
    )  # fmt: skip


def _settled(digits: str, decimal: Mark | None, likely: Mark | None, money: bool) -> Decimal | None:
    """`1.234` is read where the paper or its language tells how; beside a currency, which has no
    three decimals, it is thousands unless they say otherwise."""
    unsure = decimal is None and _LONE.fullmatch(digits)
    if unsure and (digits[-4] == likely or not (likely or money)):
        return None
    return parse_number(digits, decimal)


def _iso(sign: str) -> str | None:
    return SIGNS.get(sign, sign) or None


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def parse_number(digits: str, decimal: Mark | None = None) -> Decimal | None:
    """`1.234,50` → 1234.50. A lone mark before three digits is read as thousands unless `decimal`
    says otherwise. None when the groups are not a number ("1.2.3")."""
    if re.search(rf"[|\s{TICKS}]", digits):
        whole = _PARTED.fullmatch(digits)
        plain = re.sub(rf"[|\s{TICKS}]", "", digits) if whole else ""
        return Decimal(plain.replace(",", ".")) if plain and plain[0] != "0" else None
    marks = [c for c in digits if c in ".,"]
    if not marks:
        return Decimal(digits)
    last = digits.rfind(marks[-1])
    head, tail = digits[:last], digits[last + 1 :]
    if len(set(marks)) == 1 and _is_thousands(marks, head, tail, decimal):
        return _grouped(digits, marks[-1])
    if marks.count(marks[-1]) > 1:
        return None
    whole_part = _grouped(head, marks[0]) if len(marks) > 1 else Decimal(head)
    return None if whole_part is None else Decimal(f"{whole_part}.{tail}")


_LONE = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def _is_thousands(marks: list[str], head: str, tail: str, decimal: Mark | None) -> bool:
    if len(marks) > 1:
        return True
    if len(tail) != 3 or head.startswith("0") or len(head) > 3:
        return False
    return marks[0] != decimal


def _grouped(text: str, mark: str) -> Decimal | None:
    """Groups of three, or as in India of two before the last three."""
    first, *groups = text.split(mark)
    wide = {len(group) for group in groups[:-1]}
    good = 1 <= len(first) <= 3 and (wide <= {3} or (wide == {2} and mark == ","))
    good = good and first[0] != "0" and (wide != {2} or len(first) <= 2)
    return Decimal(first + "".join(groups)) if good and len(groups[-1]) == 3 else None


def plain(value: Decimal, least: int = 2) -> str:
    """`1234.5` → `1234.50`: no exponent, no grouping, at least `least` decimals."""
    text = f"{value:f}"
    whole, _, tail = text.partition(".")
    tail = tail.rstrip("0").ljust(least, "0")
    return f"{whole}.{tail}" if tail else whole
