"""Search, answers, chat."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.plain import check_plain
from gateway.schemas.base import Answer, Id, Request

Question = Annotated[str, Field(min_length=1, max_length=4_000)]
Filters = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=20)]


class SearchRequest(Request):
    query: Question
    k: Annotated[int, Field(ge=1, le=1000)] = 10
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


class Lenient(BaseModel):
    """OpenAI's clients send more than we read; what we read is checked all the same."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return check_plain(value)


class TextPart(Lenient):
    type: Literal["text"]
    text: Annotated[str, Field(max_length=100_000)]


class ChatMessage(Lenient):
    role: Literal["system", "user", "assistant", "tool", "developer"]
    content: Annotated[str, Field(max_length=100_000)] | list[TextPart] | None = None


class ChatRequest(Lenient):
    """`response_format` of type `json_schema` makes the answer JSON of that shape."""

    model: Annotated[str, Field(max_length=128)] = ""
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=200)]
    max_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    stream: bool = False
    response_format: dict[str, Any] | None = None
    n: Literal[1] | None = None


class ChatAnswer(Answer):
    text: str
    model: str
    finish_reason: str
    usage: Usage


class EmbeddingsRequest(Lenient):
    model: Annotated[str, Field(max_length=128)] = ""
    input: (
        Annotated[str, Field(min_length=1, max_length=32_000)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=32_000)]],
            Field(min_length=1, max_length=256),
        ]
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class OpenAiAnswer(Answer):
    """Shaped as OpenAI's API has it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    object: str
