"""Server-sent events: written as they happen, resumed by `Last-Event-ID`, alive by heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core.events import Event
from core.ports import EventBus

# For OpenAPI: what a route answers with when it streams.
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
HEARTBEAT = b": still here\n\n"


def sse(event: str, data: Any, event_id: str | int | None = None) -> bytes:
    """One event; `data` is JSON on one line."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def stream(chunks: AsyncIterator[bytes] | Iterator[bytes]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return _Stopped(chunks, media_type="text/event-stream", headers=headers)


class _Stopped(StreamingResponse):
    """Whoever stops listening stops what makes the chunks: left to the garbage collector, a model
    would go on writing, and what it took would be counted at some later time."""

    def __init__(self, chunks: AsyncIterator[bytes] | Iterator[bytes], **about: Any) -> None:
        super().__init__(chunks, **about)
        self._close: Callable[[], None] | None = (
            None if isinstance(chunks, AsyncIterator) else getattr(chunks, "close", None)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._close is not None:
                with anyio.CancelScope(shield=True):
                    await run_in_threadpool(self._close)


class Doorbells:
    """One subscription to the bus for all open streams: a run's fact wakes that run's streams."""

    def __init__(self, bus: EventBus) -> None:
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.close = bus.subscribe(self._heard)

    @contextlib.contextmanager
    def at(self, tenant: str, run_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something may have happened to the run."""
        self._loop = asyncio.get_running_loop()
        bell = asyncio.Event()
        self._waiting.setdefault((tenant, run_id), set()).add(bell)
        try:
            yield bell
        finally:
            bells = self._waiting[tenant, run_id]
            bells.discard(bell)
            if not bells:
                del self._waiting[tenant, run_id]

    def _heard(self, events: Sequence[Event]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed() or not self._waiting:
            return
        keys = {(event.tenant, event.run_id) for event in events if event.run_id}
        with contextlib.suppress(RuntimeError):  # the loop closed in this very moment
            loop.call_soon_threadsafe(self._ring, keys)

    def _ring(self, keys: set[tuple[str, str]]) -> None:
        for key in keys:
            for bell in self._waiting.get(key, ()):
                bell.set()


async def wait_for(bell: asyncio.Event, seconds: float) -> None:
    """Until the bell rings, at most `seconds`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()
    bell.clear()
