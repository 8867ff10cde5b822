"""Which day in a contract is the one it was made on, begins with or ends on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.documents import Page
from ingestion.fields.clause import DEED, THIS, Hit, words
from ingestion.fields.context import Context
from ingestion.fields.dates import DateHit, find_dates
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.reading import Candidate

_EFFECTIVE_BEHIND = words(
    r"^\W{0,6}\(?\s*(?:hereinafter )?(?:referred to as )?(?:the |this |as the )?\W*"
    r"(?:effective|commencement|start|agreement effective) date\b"
)
_EFFECTIVE_BEFORE = words(
    r"\b(?:effective|commencement|start) date\W*(?:of this agreement )?"
    r"(?:is|means|shall mean|shall be|will be|:|,|-)*\s*(?:as of|on)?\s*(?:the)?\s*$"
)
_BEGINS = words(
    rf"(?:{THIS}|\bterm\b)[^.;]{{0,160}}\b(?:commenc\w*|begin\w*|start\w*|effective|effect)"
    r"\s*(?:on|as of|from|as from|and effective as of)?\s*(?:the|this)?\s*$"
)
_ELSEWHERE = words(
    r"\b(?:certain|pursuant|existing|prior|previous|original|such|amends|amended|reference"
    r"|whereas|(?:have|has) (?:\w+ )?entered into|in connection with|letter|by an? agreement"
    r"|parties to (?:a|an|the|that))\b[^.;]{0,140}$"
)
_STOPS = words(
    rf"(?:{THIS}|\bterm\b)[^.;]{{0,220}}\b(?:expir\w*|terminat\w*|end\w*|until|through|to)"
    r"\W+(?:(?:on|at|and|including|and including|the|midnight|close of business|until)\W+)*$"
)
_NOT_END = words(
    r"\b(?:royalt\w*|pay\w*|fees?|forecast\w*|audit\w*|deliver\w*|invoice\w*|price\w*"
    r"|exclusiv\w*|earlier than|if|event|prior to|before)\b[^.;]{0,120}$"
)


def start(hit: Hit) -> float:
    """How surely the contract begins on a day."""
    if _ELSEWHERE.search(hit.before):
        return 0.0
    if _EFFECTIVE_BEHIND.search(hit.behind):
        return 0.92
    if _EFFECTIVE_BEFORE.search(hit.before):
        return 0.84
    return 0.78 if _BEGINS.search(hit.before) else 0.0


def end(hit: Hit) -> float:
    """How surely it ends on it."""
    if _NOT_END.search(hit.before[-140:]) or _ELSEWHERE.search(hit.before[-160:]):
        return 0.0
    if not _STOPS.search(hit.before):
        return 0.0
    return 0.82 if re.search(r"\bterm\b", hit.before, re.IGNORECASE) else 0.74


_MADE = words(
    r"\b(?:dated|made|entered|executed|effective|concluded|signed|as of|is|date)\b[^.;]{0,70}$"
)
_NOT_MADE = words(r"\beffective (?:on|date\W|from)[^.;]{0,30}$")
_TOP = 6000  # characters in which a contract says when it was made


_FILED = re.compile(r"\b(?:source|filed|commission)\b[^\n]*$", re.IGNORECASE)
_OF_DEED = words(rf"{THIS}|\b{DEED}\b")
_ALONE = words(r"\W*(?:(?:dated|date|as of|of|effective)\W+)*")
_LINE = 60  # characters; a longer line is no line of a date


def made(sheet: Sheet, context: Context) -> Iterator[Candidate]:
    """The days near the top on which the contract says it was made, in its order."""
    numbers: dict[int, tuple[int, Page]] = {}
    for number, row in enumerate(sheet.rows):
        numbers.setdefault(id(row[0].page), (number, row[0].page))
    left = _TOP
    for number, page in numbers.values():
        top, left = max(left, 0), left - len(page.text)
        text = page.text[:top]
        whole = Segment(page, page.text, 0, 0.0, 0.0, 0.0)
        for hit in find_dates(text):
            if sure := _made(text, hit):
                value = hit.read(context.order).isoformat()
                yield Candidate(value, sure, whole, hit.start, hit.end, number)


def _made(text: str, hit: DateHit) -> float:
    before = text[max(0, hit.start - 260) : hit.start]
    if any(other.search(before) for other in (_ELSEWHERE, _NOT_MADE, _FILED)):
        return 0.0
    of_deed = bool(_MADE.search(before[-90:])) and bool(_OF_DEED.search(before))
    if not of_deed and not (_alone(text, hit) and hit.start < 2500):
        return 0.0
    sure = 0.84 if of_deed else 0.7
    return min(sure, 0.6) if hit.other else sure


def _alone(text: str, hit: DateHit) -> bool:
    first = text.rfind("\n", 0, hit.start) + 1
    last = (text + "\n").find("\n", hit.end)
    rest = text[first : hit.start] + text[hit.end : last]
    return len(rest) <= _LINE and bool(_ALONE.fullmatch(rest))
