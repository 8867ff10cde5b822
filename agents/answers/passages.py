"""Found passages cut into sentences, list items and rows, each with its exact place and scope."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.answers import rows
from agents.answers.words import codes
from core.documents import Hit, Source

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+\S")
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_NUMBERED = re.compile(
    r"^\s*(?:\d{1,2}(?:\.\d{1,2})*[.)]?|TOP \d+:?|§ ?\d+[a-z]?)\s+[^\W\d_][^.!?]{2,58}$"
)
_SECTION = re.compile(r"^\s*\d{1,2}(?:\.\d{1,2})+\.?\s")  # `10.1`: no item of a list
_QUESTION_MARK = re.compile(r"\?\s*\**\s*$")
_LABELLED = re.compile(r"^((?:[A-Z][\w-]*)(?: [\w-]+){0,2})[:.] ")
_RULE = re.compile(r"^[\s|:=_*-]+$")
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
_ROW = re.compile(r"[|\t;]|,\S[^,]*,\S")
_STAMP = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d|^\s*\d\d:\d\d")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[a-z]+:)?(?://)?([^/)\s]+)[^)]*\)", re.IGNORECASE)
_ADDRESS = re.compile(r"\(?<?https?://([^/)\s>]+)[^)\s>]*>?\)?")
_ABOVE = re.compile(r"\n| › ")
_LABELLED_CHARS_MAX, _HEAD_CHARS_MAX = 400, 600
_LABEL = re.compile(r"^\s*(?:[-*•]\s+)?\**([A-Z][\w /-]{1,30}?)\**\s*:")


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
    def label(self) -> str:
        """`Resolution` of `Resolution: …`, or of a short heading above; else empty."""
        found = _LABELLED.match(self.plain)
        if found:
            return found[1]
        return self.heading if len(self.heading.split()) <= 4 else ""

    @property
    def bulleted(self) -> bool:
        return bool(_BULLET.match(self.text))

    @property
    def of_head(self) -> bool:
        """One of the labelled lines that a document begins with, not an entry of a code list."""
        return bool(self.about) and self.text in self.about and not self.names_its_code

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
    bare = named or "; ".join(filter(None, rows.split(_BULLET.sub("", text))))
    bare = _IMAGE.sub(r"\1", bare)
    bare = _LINK.sub(r"\1 (\2)", bare)
    bare = _ADDRESS.sub(r"(\1)", bare)
    return " ".join(re.sub(r"\*\*|__|`", "", bare).split()).strip(" ;|")


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Every unit of every hit once, in the order of the hits."""
    seen: dict[tuple[str, int, int, int], Passage] = {}
    heads = {hit.chunk.document_id: _head(hit) for hit in hits if hit.chunk.ordinal == 0}
    for hit in hits:
        about = heads.get(hit.chunk.document_id, "")
        for passage in _of_chunk(hit):
            seen.setdefault(passage.key, replace(passage, about=about) if about else passage)
    return list(seen.values())


def _head(hit: Hit) -> str:
    """The labelled lines that a document begins with, below its title."""
    lines = (line for line in hit.chunk.text.splitlines() if line.strip())
    rest = itertools.dropwhile(lambda line: not _LABEL.match(line), itertools.islice(lines, 12))
    return "\n".join(itertools.takewhile(_LABEL.match, rest))[:_HEAD_CHARS_MAX]


def _of_chunk(hit: Hit) -> Iterator[Passage]:
    scope = _Scope(hit.chunk.context)
    order = 0
    units = list(_units(hit.chunk.text))
    header_of = _headers([line for _, line in units], hit.chunk.context)
    for place, (start, line) in enumerate(units):
        if _RULE.match(line) or place in header_of.values():
            continue
        if _HEADING.match(line) or _is_heading(hit.chunk.text, start, line, place, len(units)):
            scope.heading(line)
            continue
        if _QUESTION_MARK.search(line):
            scope.question(line)
            continue
        for offset, text in _sentences(line):
            at = hit.chunk.start + start + offset
            item = _is_item(line)
            about = scope.text(text)
            header = units[header_of[place]][1] if place in header_of else ""
            yield Passage(
                hit, at, at + len(text), text, about, scope.nearest, order, item, header,
                question=scope.answered,
            )  # fmt: skip
            order += 1
            scope.passed(text, item=item)


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
    if place == units - 1 or _is_row(line):
        return False
    rest = text[start + len(line) :]
    alone = rest.lstrip(" \t\r").startswith("\n\n")
    if _NUMBERED.match(line):
        below = rest.lstrip().split("\n", 1)[0]
        if alone and (_SECTION.match(line) or _SECTION.match(below)):
            return True
        announces = line.lstrip().startswith(("§", "TOP"))
        return len(below) > len(line) and (announces or not _BULLET.match(below))
    if _BULLET.match(line):
        return False
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


def _is_item(line: str) -> bool:
    return bool(_BULLET.match(line)) or _is_row(line) or bool(_LABEL.match(line))


def _is_row(line: str) -> bool:
    return "|" in line or "\t" in line


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
    """A labelled line (`Fix: …`) is one answer and stays whole."""
    if _LABEL.match(line) and len(line) <= _LABELLED_CHARS_MAX:
        yield from _trimmed(line, 0, len(line))
        return
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
