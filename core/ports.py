"""Ports: places where two real implementations exist. One contract suite runs over all of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.events import Event

Vectors = npt.NDArray[np.float32]


class BlobStore(Protocol):
    """Objects by key. Writes are whole or not at all; `get` of a missing key raises `NotFound`."""

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None: ...
    def get(self, key: str) -> bytes: ...
    def delete(self, key: str) -> None:
        """Deleting a missing key is not an error."""
        ...

    def list(self, prefix: str) -> Iterator[str]: ...
    def metadata(self, key: str) -> Mapping[str, str]: ...


class JobQueue(Protocol):
    """A doorbell: it says that a queue may have work, never what the work is. Losing, repeating or
    shuffling rings costs time, not a run."""

    def ring(self, queue: str) -> None:
        """Never raises and never waits: a bell that cannot be rung is looked for by the sweeps."""
        ...

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        """Calls `work` on up to `threads` threads whenever there may be some, until `stop`; `work`
        answers whether it did any, and is called again at once while it does. It must not raise.
        Returns when the last call has."""
        ...


class EventBus(Protocol):
    """Facts out. Delivered at least once, in order per run."""

    def publish(self, events: Sequence[Event]) -> None:
        """Returns when all of them are kept; raises `Unavailable`, and the caller gives the same
        batch again."""
        ...

    def subscribe(self, listen: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Hears what any process publishes from now on, in a thread that it must not hold; of
        `data` it may get names and ids only. Returns the function that ends the subscription."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float


class Limiter(Protocol):
    def hit(self, key: str, limit: int, window_seconds: int, cost: int = 1) -> Allowance:
        """Takes `cost` from the moving window of `key`; takes nothing when refused."""
        ...


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model asks its caller to do. Nothing here does it: `arguments` is JSON to read."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()  # of an assistant
    call_id: str = ""  # of a tool: the call that this answers


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may ask its caller to do; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a chat model. With `schema` (JSON Schema) the reply is JSON of that shape."""

    messages: tuple[ChatMessage, ...]
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    deadline_seconds: float = 60.0
    stop: tuple[str, ...] = ()
    top_p: float | None = None
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"  # of a tool: auto | none | required | a tool's name
    one_call: bool = False  # at most


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """A piece of a reply while it is made; counts come with the last one."""

    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str | None = None
    calls: tuple[ToolCall, ...] = ()
    busy_ms: float = 0.0
    saved_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChatReply:
    text: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"  # stop | length | tool_calls
    calls: tuple[ToolCall, ...] = ()
    busy_ms: float = 0.0  # how long the engine worked on it; 0: it does not say
    saved_tokens: int = 0  # of a kept reply: what it took the first time


class ChatModel(Protocol):
    """A local chat model. Raises `Unavailable` when it cannot answer within the deadline."""

    @property
    def name(self) -> str: ...

    def chat(self, request: ChatRequest) -> ChatReply: ...
    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """Closing it stops the model. What must fit a schema comes in one piece: only the whole can
        be checked."""
        ...


class Embedder(Protocol):
    """Texts to unit vectors. Vectors of two digests must never be compared."""

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, kept with every index."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dimension), L2-normalised, in the order given."""
        ...

    def counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """`embed`, and how many tokens the model read for it: what a long text lost to the model's
        window is not among them."""
        ...


EffectClass = Literal["keyed", "checkable", "blind"]


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One outside action, frozen before it is sent. `key` is the same on every retry."""

    key: str
    request: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)  # the tenant's settings and secrets


class Connector(Protocol):
    """An outside system. `keyed`: repeat with the key. `checkable`: look up before a repeat.
    `blind`: at most once; in doubt the run is `needs_review`."""

    @property
    def effect_class(self) -> EffectClass: ...

    def check(self, call: EffectCall) -> None:
        """Raises `InvalidInput` for a request that can never be sent (bad target, bad address)."""
        ...

    def send(self, call: EffectCall) -> dict[str, Any]:
        """Raises `Unavailable` (may be retried: it surely was not done, or the class is keyed),
        `Unfinishable` (the other side refused for good), anything else: in doubt."""
        ...

    def lookup(self, call: EffectCall) -> dict[str, Any] | None:
        """`checkable` only: the recorded answer if the action was done, else None."""
        ...
