"""Numbers in cells: exact, with their unit; a lone mark before three digits is settled by the
other cells of its column, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from ingestion.fields.numbers import CODES, SIGNS

Mark = Literal[".", ","]

_GAPS = "\u00a0\u202f\u2009 '’"
_UNITS = (
    "kg g mg t km m cm mm l ml h hr hrs std stk pcs pc st min s gb mb tb kb kwh mwh kw w tage tag "
    "days day jours jour hours stunden heures uur uren pers points punkte pts m² m³ km²"
)
KNOWN_UNITS = frozenset(_UNITS.split())
_CURRENCY = "|".join(re.escape(sign) for sign in sorted({*SIGNS, *CODES}, key=len, reverse=True))
_CELL = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-–−+])?\s*(?P<left>{_CURRENCY})?\s*(?P<inner>[-–−])?\s*"
    rf"(?P<digits>\d(?:[\d.,{_GAPS}]*\d)?)(?P<dash>[.,](?:[-–—]{{1,2}}))?\s*(?P<after>[-–−])?\s*"
    rf"(?:(?P<right>{_CURRENCY})|(?P<percent>%)|(?P<unit>[^\W\d_]{{1,6}}[²³]?)\.?)?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.(?:\d\d?|\d{4,}))?", re.ASCII)  # read in one way
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(rf"\d{{1,3}}(?:[.,{_GAPS}]\d{{3}})*")


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell's text may be: one reading, or two where a mark may be either (`1.234`)."""

    as_point: Decimal | None  # where "." is the decimal mark
    as_comma: Decimal | None
    unit: str | None
    proves: Mark | None = None  # the decimal mark that this cell shows

    @property
    def sure(self) -> bool:
        return self.as_point is not None and self.as_point == self.as_comma

    def number(self, mark: Mark | None) -> Decimal | None:
        if self.as_point is None or self.as_comma is None:
            return self.as_point if self.as_comma is None else self.as_comma
        if self.sure:
            return self.as_point
        return None if mark is None else self.as_point if mark == "." else self.as_comma


def read(text: str) -> Read | None:
    """None for what is not a number as a whole: words, codes, ranges, formulas."""
    if _PLAIN.fullmatch(text):
        number = Decimal(text)
        return Read(number, number, None, "." if "." in text else None)
    return _read(text) if _DIGIT.search(text) else None


@lru_cache(8_192)
def _read(text: str) -> Read | None:
    match = _CELL.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    unit = _unit(match)
    if unit == "":
        return None
    digits = match["digits"]
    if re.match(r"0\d", digits):
        return None  # 007 is a code
    negative = bool(match["open"] or match["inner"] or match["after"])
    negative = negative or (match["minus"] or "+") != "+"
    point, comma, proves = _readings(digits)
    if point is None and comma is None:
        return None
    sign = -1 if negative else 1
    return Read(
        None if point is None else sign * point, None if comma is None else sign * comma,
        unit, proves,
    )  # fmt: skip


def _unit(match: re.Match[str]) -> str | None:
    """None without one, "" for a word that is no unit."""
    money = match["left"] or match["right"]
    if money:
        return SIGNS.get(money, SIGNS.get(money.lower(), money.upper())) or money
    if match["percent"]:
        return "%"
    if match["unit"]:
        return match["unit"] if match["unit"].lower() in KNOWN_UNITS else ""
    return None


def _readings(digits: str) -> tuple[Decimal | None, Decimal | None, Mark | None]:
    gapped = re.search(rf"[{_GAPS}]", digits) is not None
    if gapped:
        whole, mark, tail = _split_last(digits)
        if not _GROUPED.fullmatch(whole) or re.search("[.,]", whole):
            return None, None, None
        number = _decimal(whole, tail)
        return number, number, mark if tail else None
    marks = [c for c in digits if c in ".,"]
    if not marks:
        number = Decimal(digits)
        return number, number, None
    last = marks[-1]
    if len(set(marks)) == 2:
        whole, mark, tail = _split_last(digits)
        other = "," if mark == "." else "."
        if last in whole or not re.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}})+", whole):
            return None, None, None
        number = _decimal(whole, tail)
        return number, number, mark
    if len(marks) > 1:
        if not re.fullmatch(rf"\d{{1,3}}(?:\{last}\d{{3}})+", digits):
            return None, None, None
        number = _decimal(digits, "")
        return number, number, "," if last == "." else "."
    head, tail = digits.split(last)
    fraction = _decimal(head, tail)
    if len(tail) != 3 or len(head) > 3 or head.startswith("0"):
        return fraction, fraction, "." if last == "." else ","
    thousands = _decimal(head + tail, "")
    return (fraction, thousands, None) if last == "." else (thousands, fraction, None)


def _split_last(digits: str) -> tuple[str, Mark, str]:
    at = max(digits.rfind("."), digits.rfind(","))
    if at < 0:
        return digits, ".", ""
    return digits[:at], "." if digits[at] == "." else ",", digits[at + 1 :]


def _decimal(whole: str, tail: str) -> Decimal:
    plain = re.sub(r"\D", "", whole)
    return Decimal(f"{plain}.{tail}") if tail else Decimal(plain)


def mark_of(reads: Iterable[Read]) -> Mark | None:
    """The one decimal mark that these cells show; None when none or both do."""
    proofs = {one.proves for one in reads if one.proves}
    return proofs.pop() if len(proofs) == 1 else None


def plainly_ungrouped(reads: Sequence[Read], texts: Iterable[str]) -> bool:
    """Whether thousands are written without marks (`12500`): then a mark is a decimal one."""
    del reads
    return any(re.fullmatch(r"[-+]?\d{4,}", text) for text in texts)


def decimals(value: Decimal) -> int:
    """Digits after the mark, trailing zeros too."""
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


_MARKS = {
    "en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "nl": (".", ","), "es": (".", ","),
}  # fmt: skip


def shown(value: Decimal, unit: str | None, language: str, places: int) -> str:
    """`1.234,50 EUR` in German, for people."""
    group, mark = _MARKS[language]
    text = f"{value:,.{places}f}"
    text = text.replace(",", "\0").replace(".", mark).replace("\0", group)
    if unit == "%":
        return f"{text}%" if language == "en" else f"{text} %"
    return f"{text} {unit}" if unit else text
