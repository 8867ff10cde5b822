"""What a run's models were told and said, kept with its journal under the tenant's key, so that the
run can be put to another model later (`agents.replay`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from agents.memory import sealed
from core.context import Ctx
from core.errors import Unfinishable
from core.ports import ChatMessage, ChatReply, ChatRequest
from runtime import Runtime
from workflows.tasks import Work

SUFFIX = "#calls"  # of a journal's key: the calls that led to its value

# Who thinks for a run hears its calls; elsewhere nothing is kept. It says nothing about a tenant.
_hearing: ContextVar[list[dict[str, Any]] | None] = ContextVar("hearing", default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """One model call of a run, as it was."""

    task: str
    model: str
    messages: tuple[ChatMessage, ...]
    schema: Mapping[str, Any] | None
    max_tokens: int
    temperature: float
    text: str
    prompt_tokens: int
    completion_tokens: int
    ms: int
    key: str = ""
    run_id: str = ""
    step_id: str = ""


def note(task: str, request: ChatRequest, reply: ChatReply, ms: int) -> None:
    heard = _hearing.get()
    if heard is not None:
        heard.append({
            "task": task, "model": reply.model, "text": reply.text, "ms": ms,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "schema": None if request.schema is None else dict(request.schema),
            "max_tokens": request.max_tokens, "temperature": request.temperature,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
        })  # fmt: skip


@contextmanager
def _heard() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    token = _hearing.set(heard)
    try:
        yield heard
    finally:
        _hearing.reset(token)


def remember(work: Work, key: str, think: Callable[[], Any]) -> Any:
    """`work.remember`, with the model calls that `think` made beside it."""
    heard: list[dict[str, Any]] = []

    def hearing() -> Any:
        nonlocal heard
        with _heard() as heard:
            return think()

    value = work.remember(key, hearing)
    if heard:
        place = key + SUFFIX
        data = sealed.close(work.rt, work.ctx, _place(work.step_id, place), heard)
        work.desk.record(place, base64.b64encode(data).decode())
    return value


def opened(rt: Runtime, ctx: Ctx, run_id: str, step_id: str, key: str, value: Any) -> list[Call]:
    """What `remember` kept under `key`; nothing where it was damaged."""
    try:
        data = base64.b64decode(str(value), validate=True)
        kept = sealed.open_(rt, ctx, _place(step_id, key), data)
    except (Unfinishable, ValueError):
        return []
    about = {"key": key.removesuffix(SUFFIX), "run_id": run_id, "step_id": step_id}
    return [
        Call(**{**one, **about, "messages": tuple(ChatMessage(**m) for m in one["messages"])})
        for one in kept
    ]


def _place(step_id: str, key: str) -> str:
    return f"calls/{step_id}/{key}"
