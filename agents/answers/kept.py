"""Answers that were given before, for whoever of the tenant asks the same with the same rights.

An answer counts only for the content of the index that it was made from: any document that came,
changed or went makes it old. An old one is given in one case alone: the index does not answer.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from agents import privacy
from agents.answers import alike
from agents.answers.style import Style
from agents.answers.values import Answer, Sentence, Usage
from agents.lately import LATELY
from agents.memory import sealed
from agents.memory.durations import Durations, bounds
from core import telemetry
from core.context import Ctx
from core.documents import Source
from core.errors import Outage, Unavailable, Unfinishable
from core.ids import new_id
from database import Tx, budgets, documents, kept, shelves
from database.kept import AnswerRow, Bounds
from models.gates import gate
from runtime import Runtime

_UNKEPT = ("log_count", "noted")  # counted anew each time; nothing was asked
_TRIED_MAX = 4
_ROWS_MAX = 50  # of one meaning
_ROOT = Path(__file__).parents[2]
_ROOMS = ("agents/answers", "vectorstore", "ingestion/chunking.py")  # what an answer comes from


@dataclass(frozen=True, slots=True)
class Asking:
    """A question with all that shapes its answer. `fresh`: nothing kept is wanted."""

    text: str
    filters: Mapping[str, Any] | None
    style: Style
    durations: Durations
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at what was kept gave: `found`, or the place to keep the answer that is made."""

    rt: Runtime
    ctx: Ctx
    asking: Asking
    limits: Bounds
    found: Answer | None = None
    scope: str = ""
    asked: str = ""
    content: int = 0  # of the index, before anything is searched
    rows: tuple[AnswerRow, ...] = ()
    now_ms: int = 0
    began: float = field(default_factory=time.perf_counter)

    def keep(self, made: Answer) -> Answer:
        """Gives it back."""
        if not self.scope or not _lasts(self.rt, made):
            return made
        rt, ctx, name = self.rt, self.ctx, new_id()
        ms = round((time.perf_counter() - self.began) * 1000)
        told = {"question": self.asking.text, "answer": asdict(made), "ms": ms}
        closed = sealed.close(rt, ctx, _place(name), told)
        with rt.db.transaction(ctx, durable=False) as tx:
            kept.keep_answer(
                tx, ctx, answer_id=name, scope=self.scope, asked=self.asked,
                content=self.content, sealed=closed, bounds=self.limits,
            )  # fmt: skip
        return made

    def spare(self) -> None:
        """Raises `Outage` where the index did not answer a moment ago and there is an old answer:
        the next one would be waited for as long."""
        known = any(row.asked == self.asked for row in self.rows)
        if known and not self.asking.fresh and LATELY.is_away(self.ctx, self.rt.clock.now_ms()):
            raise Outage("it did not a moment ago", retry_after=2)

    def old(self, error: Unavailable) -> Answer:
        """The index is away: what the very same words were answered with, while every document
        that is cited is there; `degraded` says its age. Raises `error` when there is none."""
        now_ms = self.rt.clock.now_ms()
        if not LATELY.is_away(self.ctx, now_ms):
            LATELY.note_away(self.ctx, now_ms)
        same = [row for row in self.rows if row.asked == self.asked]
        for row, told in _opened(self.rt, self.ctx, same):
            cited = {one["document_id"] for one in told["answer"]["citations"]}
            with self.rt.db.read(self.ctx) as tx:
                there = documents.existing(tx, self.ctx, sorted(cited))
            if cited <= there:
                telemetry.cache_uses.labels("answers", "old").inc()
                age = max(0, self.now_ms - row.created_ms) // 1000
                why = f"The index does not answer ({error.detail}); answered so {age} seconds ago."
                return replace(_again(told, age), degraded=why)
        raise error


def answered(rt: Runtime, ctx: Ctx, asking: Asking, answer: Callable[[], Answer]) -> Answer:
    """What was kept, or what `answer` gives; an old one while the index is away."""
    look = looked(rt, ctx, asking)
    if look.found is not None:
        return look.found
    try:
        look.spare()
        return look.keep(answer())
    except Unavailable as error:
        return look.old(error)


def looked(rt: Runtime, ctx: Ctx, asking: Asking) -> Look:
    limits = bounds(rt.settings, asking.durations)
    if not limits.rows or not asking.text.strip():
        return Look(rt, ctx, asking, limits)
    scope, asked = _scope(rt, ctx, asking), _asked(rt, ctx, asking)
    with rt.db.read(ctx) as tx:
        content = shelves.content(tx, ctx)
        rows = kept.answers(tx, ctx, scope, limit=_ROWS_MAX, age_ms=limits.age_ms)
        now_ms = tx.now_ms
    current = [] if asking.fresh else [row for row in rows if row.content == content]
    found = _found(rt, ctx, asking, asked, current, now_ms)
    if found is None:
        telemetry.cache_uses.labels("answers", "bypass" if asking.fresh else "miss").inc()
    return Look(rt, ctx, asking, limits, found, scope, asked, content, tuple(rows), now_ms)


def _lasts(rt: Runtime, answer: Answer) -> bool:
    """Without a part that was away it is not kept; to have no embedding model is no such lack."""
    whole = answer.degraded is None or rt.models.embedder() is None
    return whole and answer.route not in _UNKEPT and not answer.as_of


def _found(
    rt: Runtime, ctx: Ctx, asking: Asking, asked: str, rows: Sequence[AnswerRow], now_ms: int
) -> Answer | None:
    """The very same words first; else the nearest question that means the same."""
    rows = sorted(rows, key=lambda row: row.asked != asked)[:_TRIED_MAX]
    opened = {row.id: told for row, told in _opened(rt, ctx, rows)}
    for row in rows:
        told = opened.get(row.id)
        if told is None:
            continue
        if row.asked == asked or _near(rt, asking.text, told["question"]):
            telemetry.cache_uses.labels("answers", "hit").inc()
            telemetry.cache_saved_seconds.labels("answers").inc(told["ms"] / 1000)
            with rt.db.transaction(ctx, durable=False) as tx:
                kept.use_answer(tx, ctx, row.id)
                _saved(tx, ctx, told)
            return _again(told, (now_ms - row.created_ms) // 1000)
    return None


def _saved(tx: Tx, ctx: Ctx, told: Mapping[str, Any]) -> None:
    """On the tenant's account; an answer that no model had worded saved no model's work."""
    spent = told["answer"]["usage"]
    tokens = spent["prompt_tokens"] + spent["completion_tokens"] + spent["saved_tokens"]
    if tokens:
        budgets.saved(tx, ctx, "answer", tokens=tokens, cpu_ms=told["ms"])


def _opened(
    rt: Runtime, ctx: Ctx, rows: Sequence[AnswerRow]
) -> list[tuple[AnswerRow, Mapping[str, Any]]]:
    """Without those that are damaged: a cache is never a reason to fail."""
    if not rows:
        return []
    with rt.db.read(ctx) as tx:
        found = kept.sealed_answers(tx, ctx, [row.id for row in rows])
    opened = []
    for row in rows:
        try:
            opened.append((row, sealed.open_(rt, ctx, _place(row.id), found[row.id])))
        except (Unfinishable, KeyError, ValueError):
            continue
    return opened


def _near(rt: Runtime, text: str, other: str) -> bool:
    embedder = rt.models.embedder()
    if embedder is None:
        return False
    try:
        one, two = embedder.embed([text, other])
    except Unavailable:
        return False
    return alike.same(alike.meaning(text), alike.meaning(other), float(one @ two))


def _scope(rt: Runtime, ctx: Ctx, asking: Asking) -> str:
    """All that must be equal: rights, filters, models, wishes, and the question's meaning. A key of
    the tenant makes it, so no other tenant has the same."""
    embedder, chat = rt.models.embedder(), rt.models.chat("answer")
    parts = (
        _logic(), _digest(embedder), chat.name if chat else "",
        json.dumps(asking.filters or {}, sort_keys=True), repr(asking.style),
        " ".join(sorted(ctx.scopes)), privacy.sight(rt, ctx), _meant(alike.meaning(asking.text)),
    )  # fmt: skip
    return sealed.fingerprint(rt, ctx, *parts)


@cache
def _logic() -> str:
    """Of the code and the orders that answer: another version of Weft answers anew."""
    told = hashlib.sha256(gate("answer").digest.encode())
    for room in _ROOMS:
        place = _ROOT / room
        files = [place] if place.is_file() else sorted(place.rglob("*.*"))
        for file in files:
            if file.suffix in (".py", ".toml", ".yaml"):
                told.update(file.read_bytes())
    return told.hexdigest()


def _digest(embedder: Any) -> str:
    try:
        return str(embedder.digest) if embedder else ""
    except Unavailable:  # one that lives in a server of its own
        return ""


def _meant(one: alike.Meaning) -> str:
    return repr((one.exact, one.negated, one.wants, sorted(one.turns), sorted(one.words)))


def _asked(rt: Runtime, ctx: Ctx, asking: Asking) -> str:
    return sealed.fingerprint(rt, ctx, "asked", " ".join(asking.text.split()).casefold())


def _place(name: str) -> str:
    return f"answers/{name}"


def _again(told: Mapping[str, Any], age_seconds: int) -> Answer:
    """The same answer; what it had cost is what was saved."""
    raw, spent = told["answer"], told["answer"]["usage"]
    tokens = spent["prompt_tokens"] + spent["completion_tokens"] + spent["saved_tokens"]
    telemetry.cache_saved_tokens.labels("answers").inc(tokens)
    telemetry.answers.labels("yes" if raw["answered"] else "no").inc()
    return Answer(**{
        **raw,
        "sentences": tuple(
            Sentence(**{**one, "citations": tuple(one["citations"])}) for one in raw["sentences"]
        ),
        "citations": tuple(Source(**one) for one in raw["citations"]),
        "usage": Usage(cached=True, saved_tokens=tokens, saved_ms=told["ms"]),
        "style": Style(), "told": (), "remembered": (), "age_seconds": max(0, age_seconds),
    })  # fmt: skip
