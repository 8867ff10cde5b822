"""What goes into and comes out of a question: the shapes of `POST /ask`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from agents.answers.facts import SourceFact
from core.documents import Source

REFUSAL = "The sources do not say."


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    session_id: str | None = None
    filters: Mapping[str, Any] | None = None


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


@dataclass(frozen=True, slots=True)
class Answer:
    """`citations[0]` is [1]. `route`: quotes, model, log_count or refused."""

    answered: bool
    route: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Source, ...] = ()
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    session_id: str = ""
    degraded: str | None = None

    @property
    def text(self) -> str:
        return " ".join(_ended(s.text) for s in self.sentences) if self.answered else REFUSAL

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


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":", ";")) else f"{text}."
