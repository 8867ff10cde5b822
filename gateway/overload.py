"""Overload: so many requests at work at once, the others wait in turn by tenant, briefly.

A queue that empties now and then is a burst and may wait; one that has stood for a while is
overload, and whoever would only grow old in it is told to come back (Maurer, "Fail at Scale", ACM
Queue 13/8, 2015). A tenant that asks a hundred times as much as another waits behind itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import Unavailable
from gateway.exchange import exchange_of
from gateway.problems import of_error

_LONG_POSTS = ("/ask", "/v1/", "/documents")


@dataclass(slots=True)
class _Queue:
    """Those of one tenant that wait, and since when there has been somebody."""

    since: float
    turns: deque[asyncio.Future[None]] = field(default_factory=deque)


@dataclass(slots=True)
class Line:
    """`places` requests at once; of each tenant a burst waits `patient` seconds, a queue that has
    stood for that long `brisk`."""

    places: int
    patient: float
    brisk: float
    waiting_max: int = 1_000
    _waiting: OrderedDict[str, _Queue] = field(default_factory=OrderedDict)
    _many: int = 0

    async def enter(self, tenant: str) -> bool:
        """Whether it may go on; then it must `leave`."""
        if self.places > 0 and not self._many:
            self.places -= 1
            return True
        if self._many >= self.waiting_max:
            return False
        return await self._wait(tenant)

    async def _wait(self, tenant: str) -> bool:
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        queue = self._waiting.setdefault(tenant, _Queue(now))
        standing = now - queue.since > self.patient
        turn: asyncio.Future[None] = loop.create_future()
        queue.turns.append(turn)
        self._many += 1
        late = loop.call_later(self.brisk if standing else self.patient, turn.cancel)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its place came, but the client has gone
                self.leave()
                raise
            self._forget(tenant, turn)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return False
        finally:
            late.cancel()
        return True

    def _forget(self, tenant: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(tenant)
        if queue is None or turn not in queue.turns:
            return  # `leave` met it first
        queue.turns.remove(turn)
        self._many -= 1
        if not queue.turns:
            del self._waiting[tenant]

    def leave(self) -> None:
        """The place goes to the tenant whose turn it is."""
        while self._waiting:
            tenant, queue = self._waiting.popitem(last=False)
            turn = queue.turns.popleft()
            self._many -= 1
            if queue.turns:
                self._waiting[tenant] = queue  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
            # Its time ran out in this very moment: it is told so by itself.
        self.places += 1


class Overload:
    """After the guard: the tenant is known and nothing of the body was read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Short requests mostly take the interpreter: more at once would only slow each other.
        self._short = Line(places=6, patient=1.0, brisk=0.1)
        # Bodies and models: they wait for others, and hold one of the forty threads.
        self._long = Line(places=24, patient=10.0, brisk=2.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = self._line(scope) if scope["type"] == "http" else None
        if line is None:
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        tenant = exchange.identity.ctx.tenant if exchange.identity else ""
        if not await line.enter(tenant):
            busy = Unavailable(
                "Too much is asked of this server at once. Try again in a moment.",
                code="overloaded", retry_after=1,
            )  # fmt: skip
            await of_error(busy, exchange.request_id)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            line.leave()

    def _line(self, scope: Scope) -> Line | None:
        path = scope["path"]
        if scope["method"] == "POST" and path.startswith(_LONG_POSTS):
            return self._long
        if path.endswith(("/events", "/healthz", "/readyz", "/health", "/metrics")):
            return None  # open for an hour, or asked by those who must know
        return self._short
