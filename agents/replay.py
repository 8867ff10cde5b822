"""A recorded run put to another model or another order: what each of its model calls would say now.

Only the prompts are asked again. No step runs, so nothing is written for it and nothing happens
outside.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from agents import episodes
from agents.episodes import Call
from agents.metering import MeteredChat
from core.context import Ctx
from core.errors import InvalidInput, NotFound, Unavailable
from core.ports import ChatMessage, ChatModel, ChatRequest
from database import journal, runs, steps
from models import gates, judging
from runtime import Runtime

TASK = "replay"  # on the tenant's account
CALLS_MAX = 100
CALL_SECONDS = 60.0
SECONDS = 240.0  # for all of them
_DIFF_LINES = 60


@dataclass(frozen=True, slots=True)
class Said:
    """A reply, and what the checks found wrong with it."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    ms: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One call. `new` None: the model gave no reply, and `error` says why. `judged`: which reply a
    believed judge found better, `old`, `new` or `same`."""

    run_id: str
    step: str
    key: str
    task: str
    old: Said
    new: Said | None
    error: str | None
    same: bool
    diff: tuple[str, ...]
    judged: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def replay(
    rt: Runtime,
    ctx: Ctx,
    run_id: str,
    model: str,
    *,
    order: str | None = None,
    judge: str | None = None,
) -> Iterator[Replayed]:
    """Call by call, in the order in which they were made, those of child runs too. `order` stands
    for every call's system message. Raises `NotFound` for a run or a model that there is not,
    `InvalidInput` for a judge that did not pass, `QuotaExceeded` over the tenant's budget."""
    calls, names = _recorded(rt, ctx, run_id)
    chat = _metered(rt, ctx, model)
    arbiter = _judge(rt, ctx, judge) if judge else None
    return _replayed(calls, names, chat, order, arbiter)


def _replayed(
    calls: Sequence[Call],
    names: dict[str, str],
    chat: ChatModel,
    order: str | None,
    arbiter: ChatModel | None,
) -> Iterator[Replayed]:
    until = time.monotonic() + SECONDS
    for call in calls[:CALLS_MAX]:
        asked = replace(call, messages=_ordered(call.messages, order))
        left = min(CALL_SECONDS, until - time.monotonic())
        made = _again(chat, asked, left) if left > 0 else "there was no time left"
        old = _said(
            call, call.text, call.model, call.prompt_tokens, call.completion_tokens, call.ms
        )
        new = made if isinstance(made, Said) else None
        yield Replayed(
            call.run_id, names.get(call.step_id, call.step_id), call.key, call.task, old, new,
            None if isinstance(made, Said) else made,
            new is not None and new.text == old.text,
            _diff(old.text, new.text) if new else (),
            _verdict(arbiter, call, old, new) if arbiter and new else None,
        )  # fmt: skip


def _recorded(rt: Runtime, ctx: Ctx, run_id: str) -> tuple[list[Call], dict[str, str]]:
    """The run's calls, and the names of its steps by their rows."""
    calls: list[Call] = []
    names: dict[str, str] = {}
    with rt.db.read(ctx) as tx:
        for run in (runs.get(tx, ctx, run_id), *runs.descendants(tx, ctx, run_id)):
            names |= {row.id: row.key for row in steps.of_run(tx, ctx, run.id).values()}
            for row in journal.listing(tx, ctx, run.id, suffix=episodes.SUFFIX):
                calls += episodes.opened(rt, ctx, run.id, row.step_id, row.key, row.value)
    return calls, names


def _metered(rt: Runtime, ctx: Ctx, name: str) -> MeteredChat:
    found = rt.models.any_chat(name)
    if found is None:
        raise NotFound(f"There is no chat model {name[:64]!r} here.", code="model_not_found")
    return MeteredChat(rt, ctx, found, TASK, soft=False)


def _judge(rt: Runtime, ctx: Ctx, name: str) -> MeteredChat:
    chat = _metered(rt, ctx, name)
    if not judging.believed(rt.settings, name, chat.digest):
        raise InvalidInput(
            f"{name} has not passed as a judge, so its verdicts are not believed. The operator "
            f"types: weft models eval --judge --model {name}",
            code="judge_not_passed",
        )
    return chat


def _ordered(messages: tuple[ChatMessage, ...], order: str | None) -> tuple[ChatMessage, ...]:
    if order is None:
        return messages
    return (ChatMessage("system", order), *(m for m in messages if m.role != "system"))


def _again(chat: ChatModel, call: Call, seconds: float) -> Said | str:
    began = time.perf_counter()
    try:
        reply = chat.chat(
            ChatRequest(call.messages, call.schema, call.max_tokens, call.temperature, seconds)
        )
    except (Unavailable, InvalidInput) as error:
        return error.detail
    ms = round((time.perf_counter() - began) * 1000)
    return _said(call, reply.text, reply.model, reply.prompt_tokens, reply.completion_tokens, ms)


def _said(call: Call, text: str, model: str, prompt: int, completion: int, ms: int) -> Said:
    told = "\n".join(m.content for m in call.messages if m.role != "system")
    faults = gates.faults(call.task, told, call.schema, text)
    return Said(text, model, prompt, completion, ms, tuple(faults))


def _diff(old: str, new: str) -> tuple[str, ...]:
    """Lines as `diff -u` has them; nothing where they are the same."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "old", "new", lineterm="")
    return tuple(lines)[:_DIFF_LINES]


def _verdict(judge: ChatModel, call: Call, old: Said, new: Said) -> str | None:
    told = "\n".join(m.content for m in call.messages if m.role != "system")
    try:
        found = judging.compare(judge, told, old.text, new.text)
    except (Unavailable, InvalidInput):
        return None
    return {"first": "old", "second": "new", "same": "same"}[found.verdict]
