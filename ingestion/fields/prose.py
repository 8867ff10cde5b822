"""Values in sentences: `commences on 1 May 2026`, `eine Kündigungsfrist von drei Monaten`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ingestion.fields.concepts import Concept
from ingestion.fields.context import Context
from ingestion.fields.forms import label_pattern
from ingestion.fields.labels import pattern_of
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import Candidate, Zone
from ingestion.fields.spans import DURATION, READ, TYPED

_END = re.compile(r"(?<=[^\d\s])[.;!?](?=\s+[^\W\d_a-zà-ÿ]|\s*\n|\s*$)|\n\s*\n|\.\s*\n\s*\d+[.)]")
_NEXT = re.compile(r" (?:without|and|with|as|excluding|applicable|in|unter|und|sans|et|y|zonder)\b")
_FAR = {"label": 70, "prose": 14}
_SENTENCE = 600  # characters
_NAME = re.compile(
    r"\s*(?:the |der |des |de la |del |het )?(?:state of |commonwealth of |province of )?"
    r"(?P<value>[^\W\d_][^.,;:()]{2,40})"
)


@lru_cache(maxsize=512)
def _words(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(phrases, key=len, reverse=True)
    words = "|".join(pattern_of(p).replace("{0,3}", "{1,3}") for p in longest)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def lookup(
    concept: Concept, sheet: Sheet, context: Context, *, free: bool = False
) -> list[Candidate]:
    """Values of the concept's kind that a sentence says, the surest first. `free`: the whole paper
    speaks of what the concept needs."""
    if concept.kind not in TYPED and not concept.prose:
        return []
    need = re.compile(concept.need, re.IGNORECASE) if concept.need and not free else None
    found = [
        value
        for segment, row in sentences(sheet)
        if need is None or need.search(segment.text)
        for value in _said(concept, segment, row, context)
    ]
    return sorted(found, key=lambda c: (-c.confidence, c.row))


def _said(concept: Concept, segment: Segment, row: int, context: Context) -> Iterator[Candidate]:
    text = segment.text
    if concept.prose:
        for match in _words(concept.prose).finditer(text):
            yield from _after(concept, segment, match.end(), row, context, "prose", 0.68)
    if concept.kind in TYPED:
        for match in label_pattern(concept.labels).finditer(text):
            yield from _after(concept, segment, match.end(), row, context, "label", 0.6)
    if concept.after and concept.kind == "duration":
        for match in DURATION.finditer(text):
            behind = _words(concept.after).search(text, match.end(), match.end() + 24)
            if behind and not re.search(r"[.;:]", text[match.end() : behind.start()]):
                zone = Zone(segment, match.start(), match.end(), 0.66, row)
                if value := READ["duration"](zone, context):
                    yield value


def _after(
    concept: Concept, segment: Segment, at: int, row: int, context: Context, how: str, trust: float
) -> Iterator[Candidate]:
    if concept.kind == "text":
        match = _NAME.match(segment.text, at)
        if match and match["value"][:1].isupper():
            name = _NEXT.split(" ".join(match["value"].split()))[0]
            yield Candidate(name, trust - 0.08, segment, *match.span("value"), row)
        return
    zone = Zone(segment, at, min(at + 120, len(segment.text)), trust, row)
    value = READ[concept.kind](zone, context)
    if value and value.start - at <= _FAR[how]:
        yield value


def sentences(sheet: Sheet) -> Iterator[tuple[Segment, int]]:
    """Each sentence of the pages as a segment of its own, however its lines are broken."""
    rows: dict[int, list[tuple[int, Row]]] = {}
    for number, row in enumerate(sheet.rows):
        rows.setdefault(id(row[0].page), []).append((number, row))
    for group in rows.values():
        first = group[0][1][0]
        page = first.page
        at = 0
        ends = [match.end() for match in _END.finditer(page.text)]
        for end in [*ends, len(page.text)]:
            text = page.text[at:end]
            if len(text.strip()) >= 12 and len(text) <= _SENTENCE * 4 and " " in text.strip():
                skip = len(text) - len(text.lstrip())
                plain = Segment(page, text.strip(), at + skip, 0.0, 0.0, 0.0, sheet=first.sheet)
                yield plain, group[0][0]
            at = end
