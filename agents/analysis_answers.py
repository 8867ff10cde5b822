"""The analysis agent's questions: each answered from the tenant's documents, with proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents import episodes
from agents.answers.asking import answer_text
from agents.answers.facts import DigestFacts, DocumentFact, QuestionFact
from agents.answers.values import Answer
from core.errors import InvalidInput
from workflows.tasks import Done, TaskSpec, Work

QUESTIONS_MAX = 200


def answer(work: Work) -> Done:
    """`analysis.answer`: `{questions: [text], filters?}` → `{answers, facts, …counts}`."""
    questions = _questions(work.message.payload.get("questions"))
    filters = work.message.payload.get("filters") or None
    if filters is not None and not isinstance(filters, Mapping):
        raise InvalidInput("filters is an object.", field="filters")
    answers = []
    for place, text in enumerate(questions):
        found = answer_text(work.rt, work.ctx, text, filters, _journal(work, place))
        answers.append(found)
        work.progress(place + 1, len(questions))
    facts = digest(questions, answers)
    work.log(f"{facts['answered_count']} of {len(questions)} questions answered")
    return Done(
        {
            "answers": [
                {"question": text, **found.to_json()}
                for text, found in zip(questions, answers, strict=True)
            ],
            "facts": dict(facts),
            "answered_count": facts["answered_count"],
            "refused_count": facts["refused_count"],
        },
        usage={
            "prompt_tokens": sum(found.usage.prompt_tokens for found in answers),
            "completion_tokens": sum(found.usage.completion_tokens for found in answers),
        },
    )


def _questions(given: Any) -> list[str]:
    """A list of texts, or one text with a question a line."""
    listed = given.splitlines() if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidInput("questions is a list of texts.", field="questions")
    questions = [one.strip() for one in listed if one.strip()]
    if not questions or len(questions) > QUESTIONS_MAX:
        raise InvalidInput(f"Ask 1 to {QUESTIONS_MAX} questions.", field="questions")
    return questions


def _journal(work: Work, place: int) -> Callable[[str, Callable[[], Any]], Any]:
    return lambda key, think: episodes.remember(work, f"{key}.{place}", think)


def digest(questions: Sequence[str], answers: Sequence[Answer]) -> DigestFacts:
    """What the report template `support-digest` reads."""
    cited = Counter(
        (source.document_id, source.filename) for found in answers for source in found.citations
    )
    by_document: list[DocumentFact] = [
        {"document_id": document_id, "filename": filename, "citations": times}
        for (document_id, filename), times in cited.most_common()
    ]
    answered = sum(found.answered for found in answers)
    return {
        "questions": [_fact(*pair) for pair in zip(questions, answers, strict=True)],
        "question_count": len(questions),
        "answered_count": answered,
        "refused_count": len(questions) - answered,
        "by_document": by_document,
        "model": next((found.model for found in answers if found.model), None),
    }


def _fact(question: str, found: Answer) -> QuestionFact:
    return {
        "question": question,
        "answer": found.text,
        "answered": found.answered,
        "model": found.model,
        "route": found.route,
        "citations": found.sources(),
    }


TASKS = (
    TaskSpec(
        "analysis", "answer", answer, "answers questions from the documents, with citations",
        {"questions": "list of questions", "filters?": "which documents may answer"},
    ),
)  # fmt: skip
