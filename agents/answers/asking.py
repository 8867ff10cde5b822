"""A question to a tenant's documents: search, pick, word, verify; and the session's memory."""

from __future__ import annotations

import contextlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from agents import replies
from agents.answers import kept, logs, papers, picking, tables
from agents.answers.context import in_context
from agents.answers.question import Asked, asked
from agents.answers.style import Style
from agents.answers.values import Answer, Question, Sentence, ended
from agents.answers.wording import Remember, spoken, worded
from agents.documents import text_of
from agents.memory import turns
from agents.search import Found, search
from core import telemetry
from core.context import Ctx
from core.documents import Document, Hit
from core.errors import Conflict, InvalidInput, NotFound, Unavailable, Unfinishable
from core.ports import ChatModel, Embedder
from database import documents, tenants
from runtime import Runtime
from vectorstore.words import fold

HITS, HITS_LOOKED_AT, HITS_OF_ONE = 24, 72, 8
LOGS_MAX = 20
QUESTION_CHARS_MAX = 4000
Event: TypeAlias = tuple[str, dict[str, Any]]

__all__ = ["answer_from", "answer_text", "ask", "in_context", "stream"]


def ask(rt: Runtime, ctx: Ctx, question: Question) -> Answer:
    """`POST /ask`: answers, and remembers the turn. Raises `InvalidInput` for an empty question."""
    turn = turns.begun(rt, ctx, question)
    answer = turns.noted() if turn.is_told else _of_turn(rt, ctx, turn, question)
    return turns.ended(rt, ctx, turn, question.text, answer)


def _of_turn(rt: Runtime, ctx: Ctx, turn: turns.Turn, question: Question) -> Answer:
    return kept.answered(
        rt, ctx, _asking(turn, question),
        lambda: answer_text(
            rt, ctx, turn.text, question.filters, fresh=question.fresh, style=turn.style
        ),
    )  # fmt: skip


def _asking(turn: turns.Turn, question: Question) -> kept.Asking:
    return kept.Asking(turn.text, question.filters, turn.style, turn.durations, question.fresh)


def stream(rt: Runtime, ctx: Ctx, question: Question) -> Iterator[Event]:
    """The same as events: `token` (one verified sentence, as soon as it is), `citation`, `done`
    (the whole answer). Who closes it stops the model."""
    turn = turns.begun(rt, ctx, question)
    told: list[str] = []
    if turn.is_told:
        answer = turns.noted()
    elif turn.style.as_it_comes:
        answer = yield from _told_as_it_comes(rt, ctx, turn, question, told)
    else:
        answer = _of_turn(rt, ctx, turn, question)
    answer = turns.ended(rt, ctx, turn, question.text, answer)
    if rest := answer.text.removeprefix(" ".join(told)).strip():
        yield "token", {"text": f"{rest} "}
    for source in answer.sources():
        yield "citation", dict(source)
    yield "done", answer.to_json()


def _told_as_it_comes(
    rt: Runtime, ctx: Ctx, turn: turns.Turn, question: Question, told: list[str]
) -> Generator[Event, None, Answer]:
    """What was kept comes at once."""
    look = kept.looked(rt, ctx, _asking(turn, question))
    if look.found is not None:
        return look.found
    parts = _spoken(rt, ctx, turn.text, question.filters, fresh=question.fresh, style=turn.style)
    try:
        look.spare()
        return look.keep((yield from _tokens(parts, told)))
    except Unavailable as error:
        if told:
            raise
        return look.old(error)


def _tokens(
    parts: Generator[Sentence, None, Answer], told: list[str]
) -> Generator[Event, None, Answer]:
    """Each sentence as an event; what was sent is put into `told`."""
    with contextlib.closing(parts):
        while True:
            try:
                text = ended(next(parts).text)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            told.append(text)
            yield "token", {"text": f"{text} "}


def _at_once(key: str, think: Callable[[], Any]) -> Any:
    return think()


def answer_text(
    rt: Runtime,
    ctx: Ctx,
    text: str,
    filters: Mapping[str, Any] | None = None,
    remember: Remember = _at_once,
    *,
    fresh: bool = False,
    style: Style | None = None,
) -> Answer:
    """One question without a session. `remember` is a run's journal: the model is asked once.
    `fresh`: the model is asked also what it was asked before. `style` is how it is to word."""
    text = _fitting(text)
    if (computed := _computed(rt, ctx, text, filters)) is not None:
        return _counted(computed)
    with telemetry.timed(telemetry.answer_seconds):
        question, found = _looked_up(rt, ctx, text, filters)
        failed: list[str] = []
        chat = replies.wording(rt, ctx, text, failed, fresh=fresh, style=style)
        answer = answer_from(question, found.hits, rt.models.embedder(), chat, remember)
    return _counted(replace(answer, degraded=_said(found.degraded, *failed)))


def _counted(answer: Answer) -> Answer:
    telemetry.answers.labels("yes" if answer.answered else "no").inc()
    return answer


def _said(*reasons: str | None) -> str | None:
    return " ".join(filter(None, reasons)) or None


def _spoken(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None,
    *, fresh: bool, style: Style,
) -> Generator[Sentence, None, Answer]:  # fmt: skip
    """As `answer_text`, sentence by sentence while the model is still writing."""
    text = _fitting(text)
    if (computed := _computed(rt, ctx, text, filters)) is not None:
        return _counted(computed)
    with telemetry.timed(telemetry.answer_seconds):
        question, found = _looked_up(rt, ctx, text, filters)
        evidence = picking.found(question, found.hits, rt.models.embedder())
        answer, failed = Answer(False, "refused"), list[str]()
        if evidence:
            chat = replies.wording(rt, ctx, text, failed, fresh=fresh, style=style)()
            answer = yield from spoken(question.text, evidence, chat)
    return _counted(replace(answer, degraded=_said(found.degraded, *failed)))


def _fitting(text: str) -> str:
    """Without what no keyboard writes, and no longer than a question. Raises `InvalidInput` when
    nothing is left."""
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") else char
                    for char in text[:QUESTION_CHARS_MAX])  # fmt: skip
    if not plain.strip():
        raise InvalidInput("The question is empty.", field="question")
    return plain


def _computed(rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None) -> Answer | None:
    """Log entries counted, a paper's field looked up, tables summed; None where nothing is to be
    computed."""
    if logs.asks_for_logs(text):
        counted = logs.count(text, _logs(rt, ctx, filters))
        if counted is not None:
            return counted
    if (field := papers.answered(rt, ctx, text, filters)) is not None:
        return field
    return tables.computed(rt, ctx, text, filters) if tables.asks_for_tables(text) else None


def _looked_up(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None
) -> tuple[Asked, Found]:
    found = search(rt, ctx, text, k=HITS_LOOKED_AT, mode="hybrid", filters=filters)
    return asked(text, _own_names(rt, ctx)), replace(found, hits=_spread(found.hits))


def _spread(hits: Sequence[Hit]) -> list[Hit]:
    """The best, but of one document (a log says the same code a thousand times) only so many before
    those of others."""
    taken: Counter[str] = Counter()
    first, rest = list[Hit](), list[Hit]()
    for hit in hits:
        taken[hit.chunk.document_id] += 1
        (first if taken[hit.chunk.document_id] <= HITS_OF_ONE else rest).append(hit)
    return [*first, *rest][:HITS]


def answer_from(
    question: Asked,
    hits: Sequence[Hit],
    embedder: Embedder | None,
    chat: Callable[[], ChatModel | None] = lambda: None,
    remember: Remember = _at_once,
) -> Answer:
    """The pure part: what these passages answer. The model is looked for only when they do."""
    evidence = picking.found(question, hits, embedder)
    if not evidence:
        return Answer(False, "refused")
    return worded(question.text, evidence, chat(), remember)


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
