"""Search, answers, chat."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.schemas.base import Answer, Id, Request

Question = Annotated[str, Field(min_length=1, max_length=4_000)]
Filters = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=20)]


class SearchRequest(Request):
    query: Question
    k: Annotated[int, Field(ge=1, le=1000, strict=True)] = 10
    mode: Literal["hybrid", "vector", "keyword"] = "hybrid"
    filters: Filters | None = None


class HitAnswer(Answer):
    chunk_id: str
    document_id: str
    filename: str
    page: int
    start: int
    end: int
    sheet: str | None
    cells: str | None
    text: str
    score: float
    metadata: dict[str, Any]


class SearchAnswer(Answer):
    hits: list[HitAnswer]
    took_ms: float
    degraded: str | None = None
    age_seconds: Annotated[
        int | None, Field(description="of an earlier result, while the index does not answer")
    ] = None


class AskRequest(Request):
    question: Question
    session_id: Id | None = None
    filters: Filters | None = None
    stream: bool = False


class Citation(Answer):
    n: int
    document_id: str
    filename: str
    page: int
    sheet: str | None = None
    cells: str | None = None
    start: int
    end: int
    quote: str


class Sentence(Answer):
    text: str
    citations: list[int]
    supported: bool


class Usage(Answer):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micro: int = 0
    cached: Annotated[bool, Field(description="given from what was kept")] = False
    saved_tokens: int = 0
    saved_ms: int = 0


class Told(Answer):
    id: str
    text: str


class AskAnswer(Answer):
    answer: str
    answered: bool
    citations: list[Citation]
    sentences: list[Sentence]
    session_id: str
    model: str | None
    route: str
    usage: Usage
    degraded: str | None = None
    age_seconds: Annotated[int | None, Field(description="of an answer that was kept")] = None
    told: Annotated[
        list[Told], Field(description="what the person told us about it; not a source")
    ] = []
    remembered: Annotated[
        list[str], Field(description="paths of memory that the question has changed")
    ] = []
