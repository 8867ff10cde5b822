"""A chat model over any engine: deadlines, a breaker, a size cap, loop detection, checked JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from core.breaker import Breaker
from core.errors import Unavailable
from core.ports import ChatMessage, ChatReply
from models.bounded import Outlet, bounded
from models.shapes import parse
from models.watching import watched

REPLY_CHARS_MAX = 64_000
JSON_ATTEMPTS = 3
_LOOP_CHARS = 480
_LOOP_UNIT_MAX = 60


class _UnusableError(Unavailable):
    """JSON was wanted and something else came."""

    code = "model_output"


class Chunk(NamedTuple):
    """A piece of a reply; counts come with the last one."""

    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    messages: tuple[ChatMessage, ...]
    schema: Mapping[str, Any] | None
    max_tokens: int
    temperature: float
    deadline_seconds: float


class ChatEngine(Protocol):
    def produce(self, request: ChatRequest, outlet: Outlet[Chunk]) -> None:
        """Puts chunks until done or told to stop. Raises `Unavailable`, or `InvalidInput` for a
        request that can never work."""
        ...


class EngineChat:
    """`core.ports.ChatModel` over an engine."""

    def __init__(self, name: str, engine: ChatEngine, breaker: Breaker | None = None) -> None:
        self._name = name
        self._engine = engine
        self.breaker = breaker or Breaker()

    @property
    def name(self) -> str:
        return self._name

    def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> ChatReply:
        """Asks again, at most twice, when JSON was wanted and something else came."""
        until = time.monotonic() + deadline_seconds
        fault: _UnusableError | None = None
        for attempt in range(JSON_ATTEMPTS):
            left = until - time.monotonic()
            if attempt and left < 0.1:
                break
            request = ChatRequest(tuple(messages), schema, max_tokens, temperature, left)
            try:
                return self._collect(request)
            except _UnusableError as error:
                fault = error
                temperature = max(temperature, 0.3)  # the same words would fail the same way
        assert fault is not None
        raise fault

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Iterator[str]:
        request = ChatRequest(tuple(messages), None, max_tokens, temperature, deadline_seconds)
        return (chunk.text for chunk in self._chunks(request) if chunk.text)

    def _collect(self, request: ChatRequest) -> ChatReply:
        """One call; a reply that is of no use counts as an error of the model's."""
        texts, finish = [], "stop"
        with watched(self._name, self.breaker) as call:
            for chunk in self._produced(request):
                call.seen(chunk.prompt_tokens, chunk.completion_tokens)
                texts.append(chunk.text)
                finish = chunk.finish or finish
            text = "".join(texts).strip()
            if not text:
                raise Unavailable(f"{self._name} answered with nothing.", code="model_output")
            if request.schema is not None:
                self._check(text, request.schema)
        return ChatReply(text, self._name, call.prompt, call.completion, finish)

    def _check(self, text: str, schema: Mapping[str, Any]) -> None:
        try:
            parse(text, schema)
        except ValueError as error:
            raise _UnusableError(f"{self._name} gave no usable JSON: {error}") from error

    def _chunks(self, request: ChatRequest) -> Iterator[Chunk]:
        with watched(self._name, self.breaker) as call:
            for chunk in self._produced(request):
                call.seen(chunk.prompt_tokens, chunk.completion_tokens)
                yield chunk

    def _produced(self, request: ChatRequest) -> Iterator[Chunk]:
        size, tail = 0, ""

        def produce(outlet: Outlet[Chunk]) -> None:
            self._engine.produce(request, outlet)

        with self.breaker.guard(self._name):
            for chunk in bounded(produce, request.deadline_seconds):
                yield chunk
                size += len(chunk.text)
                tail = (tail + chunk.text)[-_LOOP_CHARS:]
                if size > REPLY_CHARS_MAX:
                    raise Unavailable(f"{self._name} would not stop.", code="model_output")
                if is_loop(tail):
                    yield Chunk(finish="length")
                    break


def is_loop(tail: str) -> bool:
    """Whether the last `_LOOP_CHARS` characters are one short unit over and over."""
    if len(tail) < _LOOP_CHARS:
        return False
    return any(tail[unit:] == tail[:-unit] for unit in range(1, _LOOP_UNIT_MAX + 1))
