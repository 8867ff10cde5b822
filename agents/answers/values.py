"""What goes into and comes out of a question: the shapes of `POST /ask`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agents.answers.facts import SourceFact
from agents.answers.style import SHORT_SENTENCES, Style
from core.documents import Source

REFUSAL = Style().refusal


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    session_id: str | None = None
    filters: Mapping[str, Any] | None = None
    fresh: bool = False  # nothing that was kept is wanted


@dataclass(frozen=True, slots=True)
class Sentence:
    """`citations` are the numbers of the quotes that it rests on."""

    text: str
    citations: tuple[int, ...]
    supported: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micro: int = 0
    cached: bool = False  # answered from what was kept; then this was saved:
    saved_tokens: int = 0
    saved_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that the person told us: shown as such, and never a source."""

    id: str
    text: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`citations[0]` is [1]. `route`: quotes, model, log_count, refused, or noted (the person told
    us something and asked nothing)."""

    answered: bool
    route: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Source, ...] = ()
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    session_id: str = ""
    degraded: str | None = None
    style: Style = field(default_factory=Style)
    told: tuple[Told, ...] = ()
    remembered: tuple[str, ...] = ()  # paths of memory that this question has changed
    age_seconds: int | None = None  # of an answer that was kept
    as_of: str = ""  # the day that `last month` was told from; then it is true for that day alone
    note: str = ""  # where a table was meant: why nothing was computed, and what may be asked

    @property
    def text(self) -> str:
        """What the sources say; else that they do not, and what the person told us about it."""
        if self.answered:
            return self.style.laid_out([ended(s.text) for s in self.sentences])
        own = self.note or (self.style.noted if self.route == "noted" else self.style.refusal)
        told = [f"{self.style.you_told_me} {ended(one.text)}" for one in self.told]
        return " ".join([own, *told])

    def shortened(self) -> Answer:
        """The first sentences with their citations, numbered anew; a list that is announced stays
        whole, and so does what was refused."""
        if len(self.sentences) <= SHORT_SENTENCES or self.sentences[0].text.endswith(":"):
            return self
        kept = self.sentences[:SHORT_SENTENCES]
        cited = sorted({n for sentence in kept for n in sentence.citations})
        again = {old: new for new, old in enumerate(cited, 1)}
        sentences = tuple(
            replace(one, citations=tuple(again[n] for n in one.citations)) for one in kept
        )
        return replace(
            self, sentences=sentences, citations=tuple(self.citations[n - 1] for n in cited)
        )

    def sources(self) -> list[SourceFact]:
        return [source_fact(n, source) for n, source in enumerate(self.citations, 1)]

    def to_json(self) -> dict[str, Any]:
        """The body of `POST /ask`."""
        return {
            "answer": self.text,
            "answered": self.answered,
            "citations": self.sources(),
            "sentences": [{**asdict(s), "citations": list(s.citations)} for s in self.sentences],
            "session_id": self.session_id,
            "model": self.model,
            "route": self.route,
            "usage": asdict(self.usage),
            "degraded": self.degraded,
            "age_seconds": self.age_seconds,
            "told": [{"id": one.id, "text": one.text} for one in self.told],
            "remembered": list(self.remembered),
        }


def source_fact(n: int, source: Source) -> SourceFact:
    return {
        "n": n,
        "document_id": source.document_id,
        "filename": source.filename,
        "page": source.page,
        "start": source.start,
        "end": source.end,
        "quote": source.quote,
        "sheet": source.sheet,
        "cells": source.cells,
    }


def ended(text: str) -> str:
    """With a stop."""
    return text if text.endswith((".", "!", "?", ":", ";")) else f"{text}."
