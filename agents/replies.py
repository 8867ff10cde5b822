"""Replies of models that were asked the very same before: same weights, messages and parameters, at
temperature 0, by the same tenant. What was saved is counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agents.answers.style import Style
from agents.memory import sealed
from agents.memory.durations import bounds, durations
from agents.metering import chat_for
from core import telemetry
from core.context import Ctx
from core.errors import Unavailable, Unfinishable
from core.ports import ChatMessage, ChatModel, ChatReply
from database import budgets, kept, tenants
from models.engine import ChatRequest
from runtime import Runtime

_NOT_ASKED = ("deadline_seconds",)  # says how long one waits, not what is said


def once(
    rt: Runtime,
    ctx: Ctx,
    model: ChatModel,
    request: ChatRequest,
    ask: Callable[[], ChatReply],
    *,
    fresh: bool = False,
    task: str = "answer",
) -> ChatReply:
    """The kept reply, with its tokens as `saved_tokens` and none of its own; else what `ask` gives,
    which is kept. `fresh`: asks anyway. A reply that calls tools, or was cut, is not kept."""
    digest = digest_of(model)
    if not digest or request.temperature > 0:
        return ask()
    with rt.db.read(ctx) as tx:
        limits = bounds(rt.settings, durations(rt.settings, tenants.own(tx, ctx).config))
        key = _key(rt, ctx, model.name, digest, request)
        found = kept.reply(tx, ctx, key, age_ms=limits.age_ms) if not fresh else None
    if found is not None and (told := _opened(rt, ctx, key, found)) is not None:
        return _again(rt, ctx, key, told, task)
    telemetry.cache_uses.labels("replies", "bypass" if fresh else "miss").inc()
    began = time.perf_counter()
    reply = ask()
    if limits.rows and reply.finish_reason == "stop" and not reply.calls:
        ms = round((time.perf_counter() - began) * 1000)
        told = {"text": reply.text, "model": reply.model, "prompt": reply.prompt_tokens,
                "completion": reply.completion_tokens, "ms": ms}  # fmt: skip
        with rt.db.transaction(ctx, durable=False) as tx:
            kept.keep_reply(tx, ctx, key, sealed.close(rt, ctx, f"replies/{key}", told), limits)
    return reply


def digest_of(model: ChatModel) -> str:
    """Of the weights; "" for a model that cannot say which it has: its replies are not kept."""
    return str(getattr(model, "digest", ""))


@dataclass(frozen=True, slots=True)
class Kept:
    """`ChatModel` that is asked the same only once."""

    rt: Runtime
    ctx: Ctx
    model: ChatModel
    fresh: bool = False
    failed: list[str] = field(default_factory=list)  # why it did not answer, for people
    orders: tuple[str, ...] = ()  # how to answer: fixed sentences of ours, after what is asked

    @property
    def name(self) -> str:
        return self.model.name

    def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> ChatReply:
        messages = self._ordered(messages)
        request = ChatRequest(tuple(messages), schema, max_tokens, temperature, deadline_seconds)

        def ask() -> ChatReply:
            return self.model.chat(
                messages, schema=schema, max_tokens=max_tokens, temperature=temperature,
                deadline_seconds=deadline_seconds,
            )  # fmt: skip

        with self._heard():
            return once(self.rt, self.ctx, self.model, request, ask, fresh=self.fresh)

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Iterator[str]:
        with self._heard():
            yield from self.model.stream(
                self._ordered(messages), max_tokens=max_tokens, temperature=temperature,
                deadline_seconds=deadline_seconds,
            )  # fmt: skip

    def _ordered(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        if not self.orders or not messages:
            return messages
        *before, last = messages
        return [*before, replace(last, content="\n".join([last.content, *self.orders]))]

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except Unavailable as error:
            words = f"The chat model does not answer ({error.detail}): quotes without wording."
            self.failed.append(words)
            raise


def wording(
    rt: Runtime,
    ctx: Ctx,
    text: str,
    failed: list[str],
    *,
    fresh: bool = False,
    style: Style | None = None,
) -> Callable[[], ChatModel | None]:
    """The model that may word answers to `text`, once there is something to word. `failed` hears
    why there is none where one should be."""

    def found() -> ChatModel | None:
        model = chat_for(rt, ctx, "answer", text)
        if model is not None:
            return Kept(rt, ctx, model, fresh, failed, style.orders if style else ())
        if rt.settings.models_url.startswith("ollama:") and not rt.models.candidates():
            failed.append("The chat model's server does not answer: quotes without wording.")
        return None

    return found


def _key(rt: Runtime, ctx: Ctx, name: str, digest: str, request: ChatRequest) -> str:
    asked = {k: v for k, v in asdict(request).items() if k not in _NOT_ASKED}
    return sealed.fingerprint(
        rt, ctx, "reply", name, digest, json.dumps(asked, sort_keys=True, default=str)
    )


def _opened(rt: Runtime, ctx: Ctx, key: str, data: bytes) -> Any:
    try:
        return sealed.open_(rt, ctx, f"replies/{key}", data)
    except (Unfinishable, ValueError):
        return None  # a damaged one is asked for again


def _again(rt: Runtime, ctx: Ctx, key: str, told: Mapping[str, Any], task: str) -> ChatReply:
    with rt.db.transaction(ctx, durable=False) as tx:
        kept.use_reply(tx, ctx, key)
        tokens = told["prompt"] + told["completion"]
        budgets.saved(tx, ctx, task, tokens=tokens, cpu_ms=told["ms"])
    telemetry.cache_uses.labels("replies", "hit").inc()
    telemetry.cache_saved_tokens.labels("replies").inc(tokens)
    telemetry.cache_saved_seconds.labels("replies").inc(told["ms"] / 1000)
    return replace(ChatReply(told["text"], told["model"]), saved_tokens=tokens)
