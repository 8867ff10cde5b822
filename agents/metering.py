"""A tenant's model calls within its budget: reserved before, settled after, counted by task.

A craft knows no tenant, so whoever asks a model for one does it through here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agents import episodes
from core import telemetry
from core.context import Ctx
from core.errors import QuotaExceeded, Unavailable
from core.ports import ChatMessage, ChatModel, ChatReply
from database import budgets
from models.engine import ChatRequest, Chunk, EngineChat
from runtime import Runtime

GRACE_SECONDS = 30.0  # a reservation outlives its call's deadline by so much
TOKENS_PER_SECOND = 20.0  # of a slow model, for what a call may take in CPU time
_BYTES_PER_TOKEN = 2  # few texts have more tokens than this
_TEMPLATE_TOKENS = 64  # what a model's template adds to a prompt: SmolLM2's own order has 25


@dataclass(slots=True)
class Meter:
    """What a call took; the engine's own time where it is told."""

    prompt: int = 0
    completion: int = 0
    busy_ms: float = 0.0

    def seen(self, reply: ChatReply | Chunk) -> None:
        self.prompt = reply.prompt_tokens or self.prompt
        self.completion = reply.completion_tokens or self.completion
        self.busy_ms += reply.busy_ms


def tokens_at_most(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) // _BYTES_PER_TOKEN + 8 for text in texts)


def _most(texts: Sequence[str], reply: int) -> int:
    return tokens_at_most(texts) + _TEMPLATE_TOKENS + reply


@contextmanager
def metered(
    rt: Runtime, ctx: Ctx, task: str, *, tokens: int, deadline_seconds: float
) -> Iterator[Meter]:
    """Raises `QuotaExceeded` before anything is asked when `tokens`, or the time they may take,
    would overspend. A call that failed counts for what was seen of it."""
    threads = rt.settings.model_threads
    cpu_ms = round(min(deadline_seconds, tokens / TOKENS_PER_SECOND) * threads * 1000)
    lapse_ms = round((deadline_seconds + GRACE_SECONDS) * 1000)
    reservation = _reserved(rt, ctx, task, tokens, cpu_ms, lapse_ms)
    meter, began = Meter(), time.perf_counter()
    try:
        yield meter
    finally:
        spent = meter.busy_ms or (time.perf_counter() - began) * 1000
        with rt.db.transaction(ctx, durable=False) as tx:
            budgets.settle(
                tx, ctx, reservation, task, prompt=meter.prompt, completion=meter.completion,
                cpu_ms=math.ceil(spent * threads),
            )  # fmt: skip


def _reserved(rt: Runtime, ctx: Ctx, task: str, tokens: int, cpu_ms: int, lapse_ms: int) -> str:
    """A tenant without limits needs none."""
    with rt.db.read(ctx) as tx:
        if set(budgets.limits(tx, ctx).values()) == {None}:
            return ""
    try:
        with rt.db.transaction(ctx, durable=False) as tx:
            return budgets.reserve(tx, ctx, task, tokens=tokens, cpu_ms=cpu_ms, lapse_ms=lapse_ms)
    except QuotaExceeded as error:
        telemetry.budget_refused.labels(str(error.extra.get("limit"))).inc()
        raise


class MeteredChat:
    """`ChatModel` for one tenant and task. `soft`: an exhausted budget is `Unavailable`, so that
    whoever can do without a model does."""

    def __init__(
        self, rt: Runtime, ctx: Ctx, chat: ChatModel, task: str, *, soft: bool = True
    ) -> None:
        self._rt, self._ctx, self._chat, self._task, self._soft = rt, ctx, chat, task, soft

    @property
    def name(self) -> str:
        return self._chat.name

    @property
    def digest(self) -> str:
        return str(getattr(self._chat, "digest", ""))

    def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> ChatReply:
        with self._metered(messages, max_tokens, deadline_seconds) as meter:
            began = time.perf_counter()
            reply = self._chat.chat(
                messages, schema=schema, max_tokens=max_tokens, temperature=temperature,
                deadline_seconds=deadline_seconds,
            )  # fmt: skip
            meter.seen(reply)
        ms = round((time.perf_counter() - began) * 1000)
        episodes.note(self._task, messages, schema, max_tokens, temperature, reply, ms)
        return reply

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Iterator[str]:
        """What a stream does not count is counted by its pieces."""
        request = ChatRequest(tuple(messages), None, max_tokens, temperature, deadline_seconds)
        with self._metered(messages, max_tokens, deadline_seconds) as meter:
            for piece in _pieces(self._chat, request):
                if piece.prompt_tokens or piece.completion_tokens:
                    meter.seen(piece)
                else:
                    meter.completion += 1
                if piece.text:
                    yield piece.text

    @contextmanager
    def _metered(
        self, messages: Sequence[ChatMessage], max_tokens: int, deadline_seconds: float
    ) -> Iterator[Meter]:
        tokens = _most([m.content for m in messages], max_tokens)
        try:
            with metered(
                self._rt, self._ctx, self._task, tokens=tokens, deadline_seconds=deadline_seconds
            ) as meter:
                yield meter
        except QuotaExceeded as error:
            if not self._soft:
                raise
            raise Unavailable(error.detail, code=error.slug, **error.extra) from error


def _pieces(chat: ChatModel, request: ChatRequest) -> Iterator[Chunk]:
    """With the engine's own counts, where it is one."""
    if isinstance(chat, EngineChat):
        return chat.talk(request)
    texts = chat.stream(
        request.messages, max_tokens=request.max_tokens, temperature=request.temperature,
        deadline_seconds=request.deadline_seconds,
    )  # fmt: skip
    return (Chunk(text) for text in texts)


def talk(
    rt: Runtime, ctx: Ctx, chat: EngineChat, request: ChatRequest, task: str
) -> Iterator[Chunk]:
    """Piece by piece. Raises `QuotaExceeded` at the first one."""
    tokens = _most(_texts(request), request.max_tokens)
    with metered(rt, ctx, task, tokens=tokens, deadline_seconds=request.deadline_seconds) as meter:
        for chunk in chat.talk(request):
            meter.seen(chunk)
            yield chunk


def answer(rt: Runtime, ctx: Ctx, chat: EngineChat, request: ChatRequest, task: str) -> ChatReply:
    tokens = _most(_texts(request), request.max_tokens)
    with metered(rt, ctx, task, tokens=tokens, deadline_seconds=request.deadline_seconds) as meter:
        reply = chat.answer(request)
        meter.seen(reply)
    return reply


def _texts(request: ChatRequest) -> list[str]:
    called = [call.arguments for message in request.messages for call in message.calls]
    offered = [f"{tool.description} {dict(tool.parameters)}" for tool in request.tools]
    return [*(message.content for message in request.messages), *called, *offered]


def chat_for(rt: Runtime, ctx: Ctx, task: str, text: str = "") -> MeteredChat | None:
    """The model that the router takes for `task` and such a text, on the tenant's account; None
    where none passed the gate."""
    chat = rt.models.chat(task, text)
    return None if chat is None else MeteredChat(rt, ctx, chat, task)
