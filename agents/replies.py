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
from core.ports import ChatModel, ChatPiece, ChatReply, ChatRequest
from database import budgets, kept, tenants
from database.kept import Bounds
from runtime import Runtime

_NOT_ASKED = ("deadline_seconds",)  # says how long one waits, not what is said


def digest_of(model: ChatModel) -> str:
    """Of the weights; "" for a model that cannot say which it has: its replies are not kept."""
    return str(getattr(model, "digest", ""))


@dataclass(frozen=True, slots=True)
class Kept:
    """`ChatModel` that is asked the same only once: a kept reply has its tokens as `saved_tokens`
    and none of its own. One that calls tools, was cut or was left in the middle is not kept."""

    rt: Runtime
    ctx: Ctx
    model: ChatModel
    fresh: bool = False  # asks anyway
    failed: list[str] = field(default_factory=list)  # why it did not answer, for people
    orders: tuple[str, ...] = ()  # how to answer: fixed sentences of ours, after what is asked
    task: str = "answer"  # of the tenant's account

    @property
    def name(self) -> str:
        return self.model.name

    def chat(self, request: ChatRequest) -> ChatReply:
        request = self._ordered(request)
        with self._heard():
            if not (shelf := self._shelf(request)):
                return self.model.chat(request)
            if (found := shelf.found()) is not None:
                return found
            began = time.perf_counter()
            reply = self.model.chat(request)
            shelf.keep(reply, began)
            return reply

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """A kept reply comes in one piece."""
        request = self._ordered(request)
        with self._heard():
            if not (shelf := self._shelf(request)):
                yield from self.model.stream(request)
            elif (found := shelf.found()) is not None:
                yield ChatPiece(found.text, finish="stop", saved_tokens=found.saved_tokens)
            else:
                yield from self._written(request, shelf)

    def _written(self, request: ChatRequest, shelf: _Shelf) -> Iterator[ChatPiece]:
        began, heard = time.perf_counter(), []
        for piece in self.model.stream(request):
            heard.append(piece)
            yield piece
        shelf.keep(_whole(heard, self.model.name), began)

    def _shelf(self, request: ChatRequest) -> _Shelf | None:
        """Only what would be said again: the same weights, at temperature 0."""
        digest = digest_of(self.model)
        if not digest or request.temperature > 0:
            return None
        with self.rt.db.read(self.ctx) as tx:
            config = tenants.own(tx, self.ctx).config
        limits = bounds(self.rt.settings, durations(self.rt.settings, config))
        key = _key(self.rt, self.ctx, self.model.name, digest, request)
        return _Shelf(self.rt, self.ctx, key, limits, self.task, self.fresh)

    def _ordered(self, request: ChatRequest) -> ChatRequest:
        if not self.orders or not request.messages:
            return request
        *before, last = request.messages
        last = replace(last, content="\n".join([last.content, *self.orders]))
        return replace(request, messages=(*before, last))

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except Unavailable as error:
            words = f"The chat model does not answer ({error.detail}): quotes without wording."
            self.failed.append(words)
            raise


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where the reply to one request is kept."""

    rt: Runtime
    ctx: Ctx
    key: str
    limits: Bounds
    task: str
    fresh: bool

    def found(self) -> ChatReply | None:
        told = None if self.fresh else self._told()
        if told is not None:
            return _again(self.rt, self.ctx, self.key, told, self.task)
        telemetry.cache_uses.labels("replies", "bypass" if self.fresh else "miss").inc()
        return None

    def _told(self) -> Any:
        with self.rt.db.read(self.ctx) as tx:
            data = kept.reply(tx, self.ctx, self.key, age_ms=self.limits.age_ms)
        return None if data is None else _opened(self.rt, self.ctx, self.key, data)

    def keep(self, reply: ChatReply, began: float) -> None:
        if not self.limits.rows or reply.finish_reason != "stop" or reply.calls:
            return
        ms = round((time.perf_counter() - began) * 1000)
        told = {"text": reply.text, "model": reply.model, "prompt": reply.prompt_tokens,
                "completion": reply.completion_tokens, "ms": ms}  # fmt: skip
        data = sealed.close(self.rt, self.ctx, f"replies/{self.key}", told)
        with self.rt.db.transaction(self.ctx, durable=False) as tx:
            kept.keep_reply(tx, self.ctx, self.key, data, self.limits)


def _whole(pieces: Sequence[ChatPiece], name: str) -> ChatReply:
    """A stream that ended without a reason counts as cut."""
    return ChatReply(
        "".join(piece.text for piece in pieces), name,
        max((piece.prompt_tokens for piece in pieces), default=0),
        max((piece.completion_tokens for piece in pieces), default=0),
        next((piece.finish for piece in reversed(pieces) if piece.finish), "length"),
        tuple(call for piece in pieces for call in piece.calls),
    )  # fmt: skip


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
