"""What the report template `support-digest` reads: the shape of `facts` of the task `answer`."""

from __future__ import annotations

from typing import TypedDict

from agents.checks.facts import SourceFact as ProofFact


class SourceFact(ProofFact):
    n: int  # [1], [2], … within one answer


class QuestionFact(TypedDict):
    question: str
    answer: str  # plain text without [n]; says so when the sources do not answer
    answered: bool
    model: str | None  # who worded it; None: quotes only
    route: str  # "quotes" | "model" | "log_count" | "refused"
    citations: list[SourceFact]


class DocumentFact(TypedDict):
    """How often a document was cited, most cited first."""

    document_id: str
    filename: str
    citations: int


class DigestFacts(TypedDict):
    questions: list[QuestionFact]
    question_count: int
    answered_count: int
    refused_count: int
    by_document: list[DocumentFact]
    model: str | None  # the model that worded answers; None: rules and quotes only
