"""A chat model over any engine: deadlines, a breaker, a size cap, loop detection, checked JSON."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from core.breaker import Breaker
from core.errors import Unavailable
from core.ports import ChatPiece, ChatReply, ChatRequest, ToolCall
from models import tools
from models.bounded import Outlet, bounded
from models.shapes import parse
from models.watching import watched

REPLY_CHARS_MAX = 64_000
SERVER_FAILED = "model_server"  # of an `Unavailable`: what may be over in a moment
ATTEMPTS = 3
PAUSE_SECONDS = 0.1  # before the second attempt; then doubled, each by up to a half more
_LOOP_CHARS = 480
_LOOP_UNIT_MAX = 60


class _UnusableError(Unavailable):
    """JSON was wanted and something else came."""

    code = "model_output"


class ChatEngine(Protocol):
    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        """Puts pieces until done or told to stop. Raises `Unavailable`, or `InvalidInput` for a
        request that can never work."""
        ...

    def knows_tools(self) -> bool:
        """Whether the model was made for tools; else it is asked for JSON by schema."""
        ...


class EngineChat:
    """`core.ports.ChatModel` over an engine."""

    def __init__(
        self, name: str, engine: ChatEngine, breaker: Breaker | None = None, digest: str = ""
    ) -> None:
        self._name = name
        self._engine = engine
        self.breaker = breaker or Breaker()
        self.digest = digest  # of the weights; "": unknown

    @property
    def name(self) -> str:
        return self._name

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """Piece by piece, with counts and calls of tools. What must fit a schema comes in one
        piece: only the whole can be checked."""
        if request.schema is None and not tools.wanted(request):
            yield from self._pieces(request)
            return
        reply = self.chat(request)
        yield ChatPiece(
            reply.text, reply.prompt_tokens, reply.completion_tokens, reply.finish_reason,
            reply.calls, reply.busy_ms,
        )  # fmt: skip

    def chat(self, request: ChatRequest) -> ChatReply:
        """The whole reply, checked. Asks again, at most twice: at once when JSON was wanted and
        something else came, after a pause when the model's server failed. Raises `Unavailable` and
        `InvalidInput`."""
        until = time.monotonic() + request.deadline_seconds
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._collect(
                    replace(request, deadline_seconds=max(0.0, until - time.monotonic()))
                )
            except _UnusableError:
                if attempt == ATTEMPTS or until - time.monotonic() < 0.1:
                    raise
                # The same words would fail the same way.
                request = replace(request, temperature=max(request.temperature, 0.3))
            except Unavailable as error:
                if attempt == ATTEMPTS or not _may_pause(error, attempt, until):
                    raise
        raise AssertionError  # the last attempt returned or raised

    def _collect(self, request: ChatRequest) -> ChatReply:
        """One call; a reply that is of no use counts as an error of the model's."""
        asked = self._asked(request)
        texts: list[str] = []
        calls: list[ToolCall] = []
        finish, busy_ms = "stop", 0.0
        with watched(self._name, self.breaker) as call:
            for piece in self._produced(asked):
                call.seen(piece.prompt_tokens, piece.completion_tokens)
                texts.append(piece.text)
                calls.extend(piece.calls)
                busy_ms += piece.busy_ms
                finish = piece.finish or finish
            text = "".join(texts).strip()
            if not text and not calls:
                raise Unavailable(f"{self._name} answered with nothing.", code="model_output")
            text, found = self._read(text, tuple(calls), asked, request)
        finish = "tool_calls" if found else finish
        return ChatReply(text, self._name, call.prompt, call.completion, finish, found, busy_ms)

    def _asked(self, request: ChatRequest) -> ChatRequest:
        """As this engine takes it; whether it knows tools is asked only where there are some."""
        if not tools.concern(request):
            return request
        known = self._engine.knows_tools()
        return request if tools.native(request, known) else tools.in_words(request, known)

    def _read(
        self, text: str, calls: tuple[ToolCall, ...], asked: ChatRequest, request: ChatRequest
    ) -> tuple[str, tuple[ToolCall, ...]]:
        """The reply's text and calls, each of the shape that was asked for."""
        try:
            if asked.schema is not None:
                parse(text, asked.schema)
            if not tools.wanted(request):
                return text, ()
            if asked is request:
                some = calls[:1] if request.one_call else calls
                return text, tools.checked(some, request.tools)
            return tools.called(text, request)
        except ValueError as error:
            raise _UnusableError(f"{self._name} gave no usable JSON: {error}") from error

    def _pieces(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """A server that failed is asked again for as long as nothing was heard from it."""
        until, attempt = time.monotonic() + request.deadline_seconds, 0
        request = self._asked(request)
        while True:
            attempt, heard = attempt + 1, False
            left = replace(request, deadline_seconds=max(0.0, until - time.monotonic()))
            try:
                with watched(self._name, self.breaker) as call:
                    for piece in self._produced(left):
                        heard = True
                        call.seen(piece.prompt_tokens, piece.completion_tokens)
                        yield piece
                return
            except Unavailable as error:
                if heard or attempt == ATTEMPTS or not _may_pause(error, attempt, until):
                    raise

    def _produced(self, request: ChatRequest) -> Iterator[ChatPiece]:
        size, tail = 0, ""

        def produce(outlet: Outlet[ChatPiece]) -> None:
            self._engine.produce(request, outlet)

        with self.breaker.guard(self._name):
            for piece in bounded(produce, request.deadline_seconds):
                yield piece
                size += len(piece.text)
                tail = (tail + piece.text)[-_LOOP_CHARS:]
                if size > REPLY_CHARS_MAX:
                    raise Unavailable(f"{self._name} would not stop.", code="model_output")
                if is_loop(tail):
                    yield ChatPiece(finish="length")
                    break


def _may_pause(error: Unavailable, attempt: int, until: float) -> bool:
    """Waits before another attempt; answers False where another one makes no sense: the server did
    answer, or is known to be away, or there is no time left."""
    seconds = PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(1, 1.5)  # noqa: S311 (jitter)
    if error.slug != SERVER_FAILED or time.monotonic() + seconds >= until:
        return False
    threading.Event().wait(seconds)
    return True


def is_loop(tail: str) -> bool:
    """Whether the last `_LOOP_CHARS` characters are one short unit over and over."""
    if len(tail) < _LOOP_CHARS:
        return False
    return any(tail[unit:] == tail[:-unit] for unit in range(1, _LOOP_UNIT_MAX + 1))
