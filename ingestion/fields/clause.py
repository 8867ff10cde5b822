"""A value in a sentence of a contract, and the words that such sentences are told by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestion.fields.layout import Segment
from ingestion.fields.reading import Candidate


def words(pattern: str) -> re.Pattern[str]:
    """`pattern` however its words are spaced and broken into lines."""
    return re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """A value in a sentence, with what stands before and behind it."""

    segment: Segment
    row: int
    start: int
    end: int
    value: str

    @property
    def before(self) -> str:
        return self.segment.text[max(0, self.start - 300) : self.start]

    @property
    def behind(self) -> str:
        return self.segment.text[self.end : self.end + 160]

    def told(self, confidence: float) -> Candidate:
        return Candidate(self.value, confidence, self.segment, self.start, self.end, self.row)


DEED = r"(?:agreement|contract|lease|amendment|addendum|arrangement|deed|undertaking|licen[cs]e)"
THIS = rf"(?:\b(?:this|the present) (?:[\w\-]+ ){{0,5}}?{DEED}\b|\bthe agreement\b)"
