"""Found passages cut into sentences, list items and rows, each with its exact place and scope."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agents.answers.words import codes
from core.documents import Hit, Source

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+\S")
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_QUESTION_MARK = re.compile(r"\?\s*\**\s*$")
_LABELLED = re.compile(r"^((?:[A-Z][\w-]*)(?: [\w-]+){0,2})[:.] ")
_RULE = re.compile(r"^[\s|:=_*-]+$")
# A stop that ends a sentence: not after an abbreviation or a single letter, and before a capital.
_STOP = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\betc\.)(?<!\bapprox\.)(?<!\bNo\.)(?<!\bvs\.)(?<!\b[A-Z]\.)"
    r"(?<=[.!?])[\"')\]]?\s+(?=[\"'(\[]?[A-Z0-9*`])"
)
_ROW = re.compile(r"[|\t;]|,\S[^,]*,\S")
_STAMP = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d|^\s*\d\d:\d\d")
_LABEL = re.compile(r"^\s*(?:[-*•]\s+)?\**([A-Z][\w /-]{1,30}?)\**\s*:")


@dataclass(frozen=True, slots=True)
class Passage:
    """One unit that can be quoted. `start:end` are offsets in its page's text."""

    hit: Hit
    start: int
    end: int
    text: str  # exactly what stands there
    scope: str  # headings, the question above it, the line that names its code
    order: int  # place in its chunk
    item: bool = False  # of a list or a table

    def source(self) -> Source:
        return replace(self.hit.source(), start=self.start, end=self.end, quote=self.text)

    @property
    def plain(self) -> str:
        """The text for people: without bullets, emphasis and table bars."""
        bare = _BULLET.sub("", self.text)
        bare = re.sub(r"\*\*|__|`", "", bare)
        bare = re.sub(r"\s*\|\s*", "; ", bare.strip().strip("|"))
        return " ".join(bare.split()).strip(" ;")

    @property
    def label(self) -> str:
        """`Resolution` of `Resolution: …` or `**Resolution.** …`; else empty."""
        found = _LABELLED.match(self.plain)
        return found[1] if found else ""

    @property
    def key(self) -> tuple[str, int, int, int]:
        return (self.hit.chunk.document_id, self.hit.chunk.page, self.start, self.end)


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Every unit of every hit once, in the order of the hits."""
    seen: dict[tuple[str, int, int, int], Passage] = {}
    for hit in hits:
        for passage in _of_chunk(hit):
            seen.setdefault(passage.key, passage)
    return list(seen.values())


def _of_chunk(hit: Hit) -> Iterator[Passage]:
    scope = _Scope(hit.chunk.context)
    order = 0
    for start, line in _units(hit.chunk.text):
        if _RULE.match(line) or not line.strip():
            continue
        if _HEADING.match(line):
            scope.heading(line)
            continue
        if _QUESTION_MARK.search(line):
            scope.question(line)
            continue
        for offset, text in _sentences(line):
            at = hit.chunk.start + start + offset
            yield Passage(
                hit, at, at + len(text), text, scope.text(text), order, bool(_is_item(line))
            )
            order += 1
            scope.passed(text)


class _Scope:
    """What a sentence is about, as far as it does not say so itself."""

    def __init__(self, context: str) -> None:
        self._context = context
        self._heading = ""
        self._question = ""
        self._named = ""

    def heading(self, line: str) -> None:
        self._heading, self._question = line.strip("# \t"), ""
        self._named = line if codes(line) else ""

    def question(self, line: str) -> None:
        self._question = line.strip()

    def passed(self, text: str) -> None:
        if codes(text):
            self._named = text

    def text(self, own: str) -> str:
        """The nearest line that names a code counts only for text that names none itself."""
        named = "" if codes(own) else self._named
        return " \n".join(filter(None, (self._context, self._heading, self._question, named)))


def _is_item(line: str) -> bool:
    return bool(_BULLET.match(line)) or "|" in line or "\t" in line or bool(_LABEL.match(line))


def _units(text: str) -> Iterator[tuple[int, str]]:
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
    if not here or not above or _HEADING.match(above) or _HEADING.match(line):
        return False
    if (
        _is_item(line)
        or _STAMP.match(line)
        or _ROW.search(above)
        or above.endswith((".", "!", "?", ":", ";", "|"))
    ):
        return False
    return len(above) >= 50 or here[:1].islower()


def _sentences(line: str) -> Iterator[tuple[int, str]]:
    bullet = _BULLET.match(line)
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
