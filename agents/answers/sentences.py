"""A chunk's text cut into lines and sentences, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

HEADING = re.compile(r"^\s{0,3}#{1,6}\s+\S")
BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_ROW = re.compile(r"[|\t;]|,\S[^,]*,\S")
_STAMP = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d|^\s*\d\d:\d\d")
LABEL = re.compile(r"^\s*(?:[-*•]\s+)?\**([A-Z][\w /-]{1,30}?)\**\s*:")
_LABELLED_CHARS_MAX = 400
# A stop that ends a sentence: not after an abbreviation or a single letter, and before a capital.
# `das 18. Lebensjahr`, `am 3. Werktag`: an ordinal ends no sentence.
_ORDINALS = "".join(
    rf"(?<!\b{word} {digits}\.)"
    for word in ("das", "der", "die", "den", "dem", "des", "am", "zum", "vom", "im", "ab")
    for digits in (r"\d", r"\d\d")
)
_STOP = re.compile(
    _ORDINALS
    + r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\betc\.)(?<!\bapprox\.)(?<!\bNo\.)(?<!\bvs\.)(?<!\b[A-Z]\.)"
    r"(?<!\bz\.B\.)(?<!\bz\. B\.)(?<!\bd\.h\.)(?<!\bbzw\.)(?<!\bca\.)(?<!\bNr\.)(?<!\bAbs\.)"
    r"(?<!\bArt\.)"
    r"(?<!\binkl\.)(?<!\bggf\.)(?<!\busw\.)(?<!\bTel\.)(?<!\bM\.)(?<!\bMme\.)(?<!\bp\. ex\.)"
    r"(?<!\bart\.)"
    r"(?<!\bSt\.)(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bProf\.)(?<!\bmax\.)(?<!\bmin\.)"
    r"(?<=[.!?])[\"')\]]?\s+(?!(?<=\d\.\s)(?:Januar|Februar|März|April|Mai|Juni|Juli|August|"
    r"September|"
    r"Oktober|November|Dezember|Quartal|Halbjahr|Stock|Etage|Jahrhundert|"
    r"OG)\b)(?=[\"'(\[>]?\s*[A-ZÄÖÜÀÂÇÉÈÊÎÔ0-9*`]|>)"
)


def is_item(line: str) -> bool:
    return bool(BULLET.match(line)) or is_row(line) or bool(LABEL.match(line))


def is_row(line: str) -> bool:
    return "|" in line or "\t" in line


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Lines; wrapped lines of one paragraph belong together."""
    start, unit = 0, ""
    at = 0
    for line in text.splitlines(keepends=True):
        if unit and _continues(unit, line):
            unit += line
        else:
            if unit.strip():
                yield start, unit.rstrip()
            start, unit = at, line
        at += len(line)
    if unit.strip():
        yield start, unit.rstrip()


def _continues(unit: str, line: str) -> bool:
    """A line that goes on with the sentence above: the other was long and did not end."""
    above = unit.splitlines()[-1].rstrip()
    here = line.strip()
    if not here or not above or HEADING.match(above) or HEADING.match(line):
        return False
    if (
        is_item(line)
        or _STAMP.match(line)
        or _ROW.search(above)
        or above.endswith((".", "!", "?", ":", ";", "|"))
    ):
        return False
    return len(above) >= 50 or here[:1].islower()


def sentences(line: str) -> Iterator[tuple[int, str]]:
    """A labelled line (`Fix: …`) is one answer and stays whole, and so does a row."""
    if "|" in line or (LABEL.match(line) and len(line) <= _LABELLED_CHARS_MAX):
        yield from _trimmed(line, 0, len(line))
        return
    bullet = BULLET.match(line)
    start = 0
    for stop in _STOP.finditer(line, bullet.end() if bullet else 0):
        yield from _trimmed(line, start, stop.start())
        start = stop.end()
    yield from _trimmed(line, start, len(line))


def _trimmed(line: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    text = line[start:end]
    lead = len(text) - len(text.lstrip())
    if bare := text.strip():
        yield start + lead, bare
