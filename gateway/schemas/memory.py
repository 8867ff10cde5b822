"""Sessions and long-term memory, as their person sees and changes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from core.plain import check_text
from gateway.schemas.base import Answer, Id, Moment, Request
from gateway.schemas.search import Citation, Sentence, Told

FactText = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(check_text)
]


class SessionAnswer(Answer):
    session_id: str
    title: Annotated[str, Field(description="the first question")]
    created_at: Moment
    updated_at: Moment


class MessageAnswer(Answer):
    role: Literal["user", "assistant"]
    content: str
    created_at: Moment
    answered: bool | None = None
    route: str | None = None
    sentences: list[Sentence] = []
    citations: list[Citation] = []
    told: list[Told] = []


class SessionDetail(SessionAnswer):
    messages: list[MessageAnswer]


class Preferences(Request):
    """How to be answered. What is left out is no wish."""

    language: Literal["en", "de", "fr", "nl", "es"] | None = None
    length: Literal["short", "long"] | None = None
    format: Literal["list", "prose"] | None = None


class FactChange(Request):
    """With the id of a known fact it keeps its time."""

    id: Id | None = None
    text: FactText


class Facts(Request):
    """Takes the place of all facts."""

    facts: Annotated[list[FactChange], Field(max_length=100)]


class SummaryChange(Request):
    """In your own words; they are no longer proved by quotes."""

    text: Annotated[str, StringConstraints(max_length=20_000), AfterValidator(check_text)]


class PreferencesAnswer(Answer):
    path: str
    language: str | None = None
    length: str | None = None
    format: str | None = None
    updated_at: Moment | None = None


class FactAnswer(Answer):
    id: str
    text: str
    told_at: Moment


class FactsAnswer(Answer):
    path: str
    facts: list[FactAnswer] = []
    updated_at: Moment | None = None


class TurnAnswer(Answer):
    question: str
    answered: bool
    sentences: list[Sentence]
    citations: list[Citation]
    at: Moment


class SummaryAnswer(Answer):
    path: str
    session_id: str
    text: str
    edited: bool
    turns: list[TurnAnswer]
    created_at: Moment
    updated_at: Moment


class SearchedAnswer(Answer):
    query: str
    at: Moment


class MemoryAnswer(Answer):
    """All that is remembered of one person, whole: also what an export is made from."""

    actor: str
    preferences: PreferencesAnswer
    facts: FactsAnswer
    summaries: list[SummaryAnswer]
    searches: Annotated[
        list[SearchedAnswer], Field(description="what the tenant keeps of one's searches")
    ] = []
