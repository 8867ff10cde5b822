"""Values beside their labels, for any labels: in one line, in a form's next cell, or below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ingestion.fields.concepts import Concept, is_label
from ingestion.fields.context import Context
from ingestion.fields.labels import pattern_of
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import Candidate, Zone
from ingestion.fields.spans import READ, TYPED

# What may stand before a label: a paragraph's number, a bullet.
_LEAD = re.compile(
    r"\W*(?:(?:§|art(?:icle|ikel|ículo)?\.?|[a-z]\)|\(?[a-z0-9]{1,3}[.)])\W*)*", re.I
)
_TAIL = r"(?:\s?\([^()\d]{1,24}\))?\s*(?:no\b\.?|nr\b\.?|n[°º]|#|number\b)?\s*(?P<colon>[:=：])?"
_FORMED = TYPED | {"id", "phone", "email", "url"}  # no colon needed
_WORDS = 12  # of a name or a short text; more are a sentence
_SENTENCE = re.compile(r"\(|\d+[.)]\s|(?:WHEREAS|NOW|IN WITNESS)\b|.*[a-z]\.\s+[A-Z]")
_LOOSE = 3  # words of a value that stands beside its label without a colon


@lru_cache(maxsize=512)
def label_pattern(labels: Sequence[str]) -> re.Pattern[str]:
    """Any of `labels`, the longest first, however it is spaced or hyphenated."""
    longest = sorted(set(labels), key=len, reverse=True)
    words = "|".join(pattern_of(label) for label in longest)
    return re.compile(rf"(?<!\w)(?:{words})(?![\w])(?<!\s){_TAIL}", re.IGNORECASE)


def lookup(concept: Concept, sheet: Sheet, context: Context) -> list[Candidate]:
    """Every value that stands beside one of the concept's labels, the surest first."""
    pattern = label_pattern(concept.labels)
    found: list[Candidate] = []
    for number, row in enumerate(sheet.rows):
        for place, segment in enumerate(row):
            match = pattern.search(segment.text)
            lead = _LEAD.match(segment.text)
            if match is None or lead is None or match.start() > lead.end():
                continue
            value = _beside(concept, sheet, number, place, match, context)
            if value:
                found.append(value)
    return sorted(found, key=lambda c: (-c.confidence, c.row))


def _beside(
    concept: Concept, sheet: Sheet, number: int, place: int, match: re.Match[str], context: Context
) -> Candidate | None:
    read = READ[concept.kind]
    for zone in _zones(concept, sheet, number, place, match):
        value = read(zone, context)
        if value and _plausible(concept.kind, value, zone):
            return value
    return None


def _zones(
    concept: Concept, sheet: Sheet, number: int, place: int, match: re.Match[str]
) -> Iterator[Zone]:
    row = sheet.rows[number]
    segment = row[place]
    rest = segment.text[match.end() :]
    if re.search(r"\w", rest):
        if match["colon"]:
            yield Zone(segment, match.end(), _stop(segment, match.end()), 0.88, number)
        elif concept.kind in _FORMED and _close(concept.kind, rest):
            yield Zone(segment, match.end(), _stop(segment, match.end()), 0.78, number)
        return
    sure = 0.87 if match["colon"] or segment.cell else 0.84
    nearest = _next(row, place)
    if nearest:
        yield Zone(nearest, 0, len(nearest.text), sure, number)
    for other in list(sheet.below(number, segment))[:1]:
        if not (other.first and other.first.colon):
            yield Zone(other, 0, len(other.text), 0.76, number)


def _next(row: Row, place: int) -> Segment | None:
    """The next segment of the row that is not a bare colon, unless it is a label itself."""
    for other in row[place + 1 :]:
        if re.search(r"\w", other.text) or re.search(r"[€$£☐☒☑✓✔]", other.text):
            return None if other.first and other.first.colon else other
    return None


def _stop(segment: Segment, start: int) -> int:
    """The end of a value: the segment's, or the next label with a colon."""
    after = [x.start for x in segment.labels if x.start > start and x.colon]
    return after[0] if after else len(segment.text)


def _close(kind: str, rest: str) -> bool:
    """Whether a value without a colon follows its label at once, and is no sentence."""
    if kind == "id":
        return bool(re.match(r"\s*(?:no\.?|nr\.?|n[°º]|#)?\s*[A-Z0-9][\w\-/.]*\d", rest, re.I))
    before = re.match(r"[^\d]*", rest)
    return len(rest) < 60 and before is not None and len(before[0].split()) <= _LOOSE


def _plausible(kind: str, value: Candidate, zone: Zone) -> bool:
    """A name is not itself a label, as in a row of labels over a row of values."""
    if kind not in ("text", "party", "id"):
        return True
    if kind != "id" and (len(value.value.split()) > _WORDS or _SENTENCE.match(value.value)):
        return False
    label = value.segment.first
    if zone.start or (label is not None and label.colon):
        return zone.start > 0
    return not is_label(value.segment.text)
