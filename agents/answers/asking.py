"""A question to a tenant's documents: search, pick, word, verify; and the session's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.answers import logs, tables
from agents.answers.context import in_context
from agents.answers.evidence import answering
from agents.answers.picking import picked
from agents.answers.question import Asked, asked
from agents.answers.values import Answer, Question
from agents.answers.wording import Remember, worded
from agents.documents import text_of
from agents.memory import turns
from agents.search import search
from core import telemetry
from core.context import Ctx
from core.documents import Document, Hit
from core.errors import Conflict, InvalidInput, NotFound, Unfinishable
from core.ports import ChatModel, Embedder
from database import documents, tenants
from runtime import Runtime
from vectorstore.words import fold

HITS = 24
LOGS_MAX = 20
QUESTION_CHARS_MAX = 4000

__all__ = ["answer_from", "answer_text", "ask", "in_context", "stream"]


def ask(rt: Runtime, ctx: Ctx, question: Question) -> Answer:
    """`POST /ask`: answers, and remembers the turn. Raises `InvalidInput` for an empty question."""
    turn = turns.begun(rt, ctx, question)
    answer = turns.noted() if turn.is_told else _of_turn(rt, ctx, turn, question.filters)
    return turns.ended(rt, ctx, turn, question.text, answer)


def _of_turn(rt: Runtime, ctx: Ctx, turn: turns.Turn, filters: Mapping[str, Any] | None) -> Answer:
    return answer_text(rt, ctx, turn.text, filters)


def stream(rt: Runtime, ctx: Ctx, question: Question) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same as events: `token` (text), `citation`, `done` (the whole answer). Nothing is sent
    before it is verified."""
    answer = ask(rt, ctx, question)
    for word in answer.text.split(" "):
        yield "token", {"text": f"{word} "}
    for source in answer.sources():
        yield "citation", dict(source)
    yield "done", answer.to_json()


def _at_once(key: str, think: Callable[[], Any]) -> Any:
    return think()


def answer_text(
    rt: Runtime,
    ctx: Ctx,
    text: str,
    filters: Mapping[str, Any] | None = None,
    remember: Remember = _at_once,
) -> Answer:
    """One question without a session. `remember` is a run's journal: the model is asked once."""
    if not text.strip():
        raise InvalidInput("The question is empty.", field="question")
    text = text[:QUESTION_CHARS_MAX]
    if logs.asks_for_logs(text):
        counted = logs.count(text, _logs(rt, ctx, filters))
        if counted is not None:
            return counted
    if tables.asks_for_tables(text):
        told = tables.computed(rt, ctx, text, filters)
        if told is not None:
            return told
    with telemetry.timed(telemetry.answer_seconds):
        answer = _answered(rt, ctx, text, filters, remember)
    telemetry.answers.labels("yes" if answer.answered else "no").inc()
    return answer


def _answered(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None, remember: Remember
) -> Answer:
    found = search(rt, ctx, text, k=HITS, mode="hybrid", filters=filters)
    question = asked(text, _own_names(rt, ctx))
    answer = answer_from(question, found.hits, rt.models.embedder(), _chat(rt), remember)
    return replace(answer, degraded=found.degraded)


def answer_from(
    question: Asked,
    hits: Sequence[Hit],
    embedder: Embedder | None,
    chat: Callable[[], ChatModel | None] = lambda: None,
    remember: Remember = _at_once,
) -> Answer:
    """The pure part: what these passages answer. The model is looked for only when they do."""
    evidence = picked(question, answering(question, hits, embedder))
    if not evidence:
        return Answer(False, "refused")
    return worded(question.text, evidence, chat(), remember)


def _chat(rt: Runtime) -> Callable[[], ChatModel | None]:
    return lambda: rt.models.chat("answer")


def _own_names(rt: Runtime, ctx: Ctx) -> frozenset[str]:
    """The tenant's own name says nothing about what is asked for."""
    with rt.db.read(ctx) as tx:
        tenant = tenants.own(tx, ctx)
    names = {tenant.slug, tenant.name, *tenant.name.split()}
    return frozenset(fold(name) for name in names)


def _logs(
    rt: Runtime, ctx: Ctx, filters: Mapping[str, Any] | None
) -> list[tuple[str, str, Document]]:
    """The tenant's logs, newest first. With filters (but for logs by id) counting over all would
    be wrong, so the usual search answers."""
    with rt.db.read(ctx) as tx:
        if not filters:
            listed = documents.listing(tx, ctx, limit=LOGS_MAX, filters={"document_type": "log"})
            rows = list(listed.items)
        elif set(filters) == {"document_id"}:
            wanted = filters["document_id"]
            ids = wanted.get("in", []) if isinstance(wanted, Mapping) else [wanted]
            rows = [r for r in documents.many(tx, ctx, ids) if r.document_type == "log"]
        else:
            return []
    found = []
    for row in rows:
        try:
            found.append((row.id, row.filename, text_of(rt, ctx, row.id)))
        except (Conflict, NotFound, Unfinishable):
            continue
    return found
