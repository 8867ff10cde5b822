"""Which marks and blanks part the numbers of a document: told by those that can be read in one
way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ingestion.fields.numbers import CURRENCY, FIXED, TICKS, Mark

_STRONG = re.compile(
    rf"(?<![\w.,])(?:\d{{1,3}}(?:\.\d{{3}})+(,)\d\d?|\d{{1,3}}(?:,\d{{2,3}})+(\.)\d\d?"
    rf"|\d{{1,3}}(?:[{FIXED}{TICKS}]\d{{3}})+([.,])\d\d?|\d+([.,])\d\d(?=\s?{CURRENCY})"
    rf"|(?<=[€$£\u00a0])\d+([.,])\d\d)(?![\w]|[.,]\d)"
)
_GROUPS = re.compile(
    r"(?<![\w.,])\d{1,3}(?:\.\d{3}){2,}(?![\w.])|(?<![\w.,])\d{1,3}(?:,\d{3}){2,}(?![\w,])"
)
_WEAK = re.compile(
    r"(?<![\w.,])\d[\d'’ ]{0,14}(?:[.,]\d{3}){0,4}([.,])"
    r"(?:\d{2}(?!\w|[.,]\d|\.?\s?(?:Uhr|h|am|pm)\b)|[-–])"
)


def decimal_mark(texts: Iterable[str], likely: Mark | None = None) -> Mark | None:
    """The decimal mark that the unambiguous numbers of a document use, else None. Numbers that may
    also be days or times (`12.30`) tell nothing against `likely`, the language's own."""
    strong: Counter[str] = Counter()
    weak: Counter[str] = Counter()
    for text in texts:
        strong.update(next(filter(None, m.groups())) for m in _STRONG.finditer(text))
        strong.update("," if "." in m[0] else "." for m in _GROUPS.finditer(text))
        weak.update(m[1] for m in _WEAK.finditer(text))
    found = _clearly(strong) if strong else _clearly(weak) if weak.total() > 1 else None
    return None if not strong and likely and found != likely else found


def _clearly(votes: Counter[str]) -> Mark | None:
    point, comma = votes["."], votes[","]
    return "." if point > 3 * comma else "," if comma > 3 * point else None


_BLANK_GROUPS = re.compile(
    rf"(?<![\w.,])\d{{1,3}}(?:[{FIXED}]\d{{3}})+(?!\d)"
    r"|(?<![\w.,])(?<!\d\s)[1-9]\d?(?:\ \d{3}){2,}(?!\w|\s\d)"
    rf"|(?<=:\s)[1-9]\d{{0,2}}(?:\ \d{{3}})+(?:[.,]\d\d)?\s?{CURRENCY}"
    rf"|{CURRENCY}\s?[1-9]\d{{0,2}}(?:\ \d{{3}})+(?!\d)"
    rf"|(?<![\w.,])(?<!\d\s)[1-9]\d{{0,2}}(?:\ \d{{3}})+(?:[.,]\d\d)?\s(?:euros?|Euros?|francs)\b"
)
_MARK_GROUPS = re.compile(
    rf"(?<![\w.,])\d{{1,3}}(?:(?:\.\d{{3}})+,\d\d|(?:,\d{{2,3}})+\.\d\d|(?:[{TICKS}]\d{{3}})+)(?!\d)"
)


def blank_groups(texts: Iterable[str]) -> bool | None:
    """Whether blanks part the thousands of a document: as its sure numbers do; None where none
    tells, or some do and others not."""
    blanks = marks = 0
    for text in texts:
        blanks += len(_BLANK_GROUPS.findall(text))
        marks += len(_MARK_GROUPS.findall(text))
    return None if bool(blanks) == bool(marks) else bool(blanks)
