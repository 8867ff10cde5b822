"""Found passages cut into sentences, list items and rows, each with its exact place and scope."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.answers import rows
from agents.answers.sentences import (
    BULLET,
    HEADING,
    LABEL,
    is_item,
    is_row,
    lines_of,
    sentences,
)
from agents.answers.words import codes
from core.documents import Hit, Source

_NUMBERED = re.compile(
    r"^\s*(?:\d{1,2}(?:\.\d{1,2})*[.)]?|TOP \d+:?|§ ?\d+[a-z]?)\s+[^\W\d_][^.!?]{2,58}$"
)
_SECTION = re.compile(r"^\s*\d{1,2}(?:\.\d{1,2})+\.?\s")  # `10.1`: no item of a list
_QUESTION_MARK = re.compile(r"\?\s*\**\s*$")
_LABELLED = re.compile(r"^((?:[A-Z][\w-]*)(?: [\w-]+){0,2})[:.] ")
_RULE = re.compile(r"^[\s|:=_*-]+$")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[a-z]+:)?(?://)?([^/)\s]+)[^)]*\)", re.IGNORECASE)
_ADDRESS = re.compile(r"\(?<?https?://([^/)\s>]+)[^)\s>]*>?\)?")
_ABOVE = re.compile(r"\n| › ")
_DATED = re.compile(
    r"\b(?:\d{1,2}\.? [^\W\d]{3,} \d{4}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}-\d\d-\d\d)\b"
)
_HEAD_CHARS_MAX = 600
_TITLE_CHARS_MAX = 100
_PARTIES = re.compile(r"\b(?:between|zwischen|entre|tussen)\b", re.IGNORECASE)
_OPENING_LINES, _OPENING_CHARS_MAX, _SIGNED_CHARS = 8, 400, 160


@dataclass(frozen=True, slots=True)
class Passage:
    """One unit that can be quoted. `start:end` are offsets in its page's text."""

    hit: Hit
    start: int
    end: int
    text: str  # exactly what stands there
    scope: str  # headings, the question above it, the line that names its code
    heading: str  # the nearest one
    order: int  # place in its chunk
    item: bool = False  # of a list or a table
    header: str = ""  # the line that names the columns of this row
    about: str = ""  # what the head of its document says of all of it: `Date: 3 November 2026`
    question: str = ""  # the one that stands above it and that it answers
    opening: str = ""  # the first lines of its document: title, parties, who wrote to whom

    def source(self) -> Source:
        return replace(self.hit.source(), start=self.start, end=self.end, quote=self.text)

    @property
    def plain(self) -> str:
        """The text for people: without bullets, emphasis and table bars."""
        return _plain(self.text, tuple(self.cells))

    @property
    def cells(self) -> rows.Cells:
        """(header, cell) of a table's row; else empty."""
        if "|" not in self.text:
            return []
        header = self.header or _header_in(self.hit.chunk.context, len(rows.split(self.text)))
        return rows.cells(self.text, header)

    @property
    def above(self) -> str:
        """What stands over a row, without the names of its columns."""
        return " ".join(line for line in _ABOVE.split(self.scope) if "|" not in line)

    @property
    def label(self) -> str:
        """`Resolution` of `Resolution: …`, or of a short heading above; else empty."""
        found = _LABELLED.match(self.plain)
        if found:
            return found[1]
        return self.heading if len(self.heading.split()) <= 4 else ""

    @property
    def bulleted(self) -> bool:
        return bool(BULLET.match(self.text))

    @property
    def of_head(self) -> bool:
        """One of the labelled lines that a document begins with, not an entry of a code list."""
        label = _LABELLED.match(self.plain)
        entry = self.names_its_code or bool(label and codes(label[1]))  # `Rule SEC-7: …`
        return bool(self.about) and self.text in self.about and not entry

    @property
    def names_its_code(self) -> bool:
        """`ERR-1042: …`, the line that begins an entry."""
        return bool(codes(self.plain.split(" ")[0]))

    @property
    def key(self) -> tuple[str, int, int, int]:
        return (self.hit.chunk.document_id, self.hit.chunk.page, self.start, self.end)


@lru_cache(maxsize=4_000)
def _plain(text: str, cells: tuple[tuple[str, str], ...]) -> str:
    """It is asked for a dozen times of each passage."""
    named = "; ".join(f"{name}: {cell}" for name, cell in cells if cell)
    bare = named or "; ".join(filter(None, rows.split(BULLET.sub("", text))))
    bare = _IMAGE.sub(r"\1", bare)
    bare = _LINK.sub(r"\1 (\2)", bare)
    bare = _ADDRESS.sub(r"(\1)", bare)
    return " ".join(re.sub(r"\*\*|__|`", "", bare).split()).strip(" ;|")


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Every unit of every hit once, in the order of the hits."""
    seen: dict[tuple[str, int, int, int], Passage] = {}
    heads = {hit.chunk.document_id: _head(hit) for hit in hits if hit.chunk.ordinal == 0}
    openings = {hit.chunk.document_id: _opening(hit) for hit in hits if hit.chunk.ordinal == 0}
    for hit in hits:
        own = hit.chunk.document_id
        about, opening = heads.get(own, ""), openings.get(own, "")
        for passage in _of_chunk(hit):
            seen.setdefault(passage.key, replace(passage, about=about, opening=opening))
    return list(seen.values())


def _head(hit: Hit) -> str:
    """The labelled lines that a document begins with, below its title."""
    lines = (line for line in hit.chunk.text.splitlines() if line.strip())
    rest = itertools.dropwhile(lambda line: not LABEL.match(line), itertools.islice(lines, 12))
    return "\n".join(itertools.takewhile(LABEL.match, rest))[:_HEAD_CHARS_MAX]


def _opening(hit: Hit) -> str:
    """What a paper says of itself before it begins: rows and entries speak of themselves alone. A
    letter is signed, too."""
    text = hit.chunk.text
    first = itertools.takewhile(lambda line: not is_row(line), text.splitlines())
    lines = (line for line in first if _is_of_title(line))
    opening = "\n".join(itertools.islice(lines, _OPENING_LINES))[:_OPENING_CHARS_MAX]
    signed = text[-_SIGNED_CHARS:] if hit.metadata.get("document_type") == "email" else ""
    return f"{opening}\n{signed}"


def _is_of_title(line: str) -> bool:
    """A short line that is no sentence, or who agrees with whom."""
    short = len(line) <= _TITLE_CHARS_MAX and not line.rstrip().endswith((".", "!", "?"))
    return short or _PARTIES.search(line) is not None


def _of_chunk(hit: Hit) -> Iterator[Passage]:
    scope = _Scope(hit.chunk.context)
    order = 0
    units = list(lines_of(hit.chunk.text))
    header_of = _headers([line for _, line in units], hit.chunk.context)
    for place, (start, line) in enumerate(units):
        if _RULE.match(line) or place in header_of.values():
            continue
        if HEADING.match(line) or _is_heading(hit.chunk.text, start, line, place, len(units)):
            scope.heading(line)
            continue
        if _QUESTION_MARK.search(line):
            scope.question(line)
            continue
        for offset, text in sentences(line):
            at = hit.chunk.start + start + offset
            listed = is_item(line)
            about = scope.text(text)
            header = units[header_of[place]][1] if place in header_of else ""
            yield Passage(
                hit, at, at + len(text), text, about, scope.nearest, order, listed, header,
                question=scope.answered,
            )  # fmt: skip
            order += 1
            scope.passed(text, item=listed)


def _headers(lines: list[str], context: str) -> dict[int, int]:
    """As `rows.headers`; a table that goes on from the chunk before has its header up there."""
    found = rows.headers(lines)
    if lines and "|" in lines[0] and _header_in(context, len(rows.split(lines[0]))):
        found = {place: header for place, header in found.items() if header != 0}
    return found


def _is_heading(text: str, start: int, line: str, place: int, units: int) -> bool:
    """A short line alone, without a full stop and without a value, above something else."""
    if "\n" in line or len(line) > 90 or line.rstrip().endswith((".", "!", ":", ";", ",")):
        return False
    if place == units - 1 or is_row(line):
        return False
    rest = text[start + len(line) :]
    alone = rest.lstrip(" \t\r").startswith("\n\n")
    if _NUMBERED.match(line):
        below = rest.lstrip().split("\n", 1)[0]
        if alone and (_SECTION.match(line) or _SECTION.match(below)):
            return True
        announces = line.lstrip().startswith(("§", "TOP"))
        return len(below) > len(line) and (announces or not BULLET.match(below))
    if BULLET.match(line):
        return False
    if place and _DATED.search(line):
        return False  # `Version 4, approved by … on 3 February 2026`
    starts_with_code = bool(codes(line.split(":")[0].split(" ")[0]))
    has_value = ":" in line and not starts_with_code
    return alone and not has_value


def _header_in(context: str, columns: int) -> str:
    """The header that ingestion keeps in the context of a long table's later rows."""
    lines = (line for line in _ABOVE.split(context) if " | " in line)
    return next((line for line in lines if len(rows.split(line)) == columns), "")


class _Scope:
    """What a sentence is about, as far as it does not say so itself."""

    def __init__(self, context: str) -> None:
        self._context = context
        self.nearest = ""
        self._question = ""
        self._named = ""
        self._lead = ""

    def heading(self, line: str) -> None:
        if not self._context:  # the title of the document
            self._context = line.strip("# \t")
        self.nearest, self._question, self._lead = line.strip("# \t"), "", ""
        self._named = line if codes(line) else ""

    def question(self, line: str) -> None:
        self._question = line.strip()

    @property
    def answered(self) -> str:
        """The question right above, be it a heading."""
        return self._question or (self.nearest if _QUESTION_MARK.search(self.nearest) else "")

    def passed(self, text: str, *, item: bool) -> None:
        if codes(text):
            self._named = text
        if not item:
            self._lead = text if text.endswith(":") else ""

    def text(self, own: str) -> str:
        """The nearest line that names a code counts only for text that names none itself; the
        line that announces others (`…:`) counts for them."""
        named = "" if codes(own) else self._named
        about = (self._context, self.nearest, self._question, named, self._lead)
        return " \n".join(filter(None, about))
