"""A tenant's model calls within its budget: reserved before, settled after, counted by task.

A craft knows no tenant, so whoever asks a model for one does it through here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from agents import episodes
from core import telemetry
from core.context import Ctx
from core.errors import QuotaExceeded, Unavailable
from core.ports import ChatModel, ChatPiece, ChatReply, ChatRequest
from database import budgets
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

    def seen(self, reply: ChatReply | ChatPiece) -> None:
        self.prompt = reply.prompt_tokens or self.prompt
        self.completion = reply.completion_tokens or self.completion
        self.busy_ms += reply.busy_ms


def tokens_at_most(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) // _BYTES_PER_TOKEN + 8 for text in texts)


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

    def chat(self, request: ChatRequest) -> ChatReply:
        with self._metered(request) as meter:
            began = time.perf_counter()
            reply = self._chat.chat(request)
            meter.seen(reply)
        ms = round((time.perf_counter() - began) * 1000)
        episodes.note(self._task, request, reply, ms)
        return reply

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """What is stopped before its counts came is counted by its pieces."""
        with self._metered(request) as meter:
            for piece in self._chat.stream(request):
                if piece.prompt_tokens or piece.completion_tokens:
                    meter.seen(piece)
                else:
                    meter.completion += bool(piece.text)
                yield piece

    @contextmanager
    def _metered(self, request: ChatRequest) -> Iterator[Meter]:
        tokens = tokens_at_most(_texts(request)) + _TEMPLATE_TOKENS + request.max_tokens
        seconds = request.deadline_seconds
        try:
            with metered(
                self._rt, self._ctx, self._task, tokens=tokens, deadline_seconds=seconds
            ) as meter:
                yield meter
        except QuotaExceeded as error:
            if not self._soft:
                raise
            raise Unavailable(error.detail, code=error.slug, **error.extra) from error


def _texts(request: ChatRequest) -> list[str]:
    called = [call.arguments for message in request.messages for call in message.calls]
    offered = [f"{tool.description} {dict(tool.parameters)}" for tool in request.tools]
    return [*(message.content for message in request.messages), *called, *offered]


def chat_for(rt: Runtime, ctx: Ctx, task: str, text: str = "") -> MeteredChat | None:
    """The model that the router takes for `task` and such a text, on the tenant's account; None
    where none passed the gate."""
    chat = rt.models.chat(task, text)
    return None if chat is None else MeteredChat(rt, ctx, chat, task)
