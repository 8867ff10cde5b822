"""Overload: so many requests at work at once, the others wait in turn by tenant, briefly.

A queue that empties now and then is a burst and may wait; one that has stood for a while is
overload, and whoever would only grow old in it is told to come back (Nichols and Jacobson,
"Controlling Queue Delay", ACM Queue 10/5, 2012; Maurer, "Fail at Scale", ACM Queue 13/8, 2015).
A tenant that asks a hundred times as much as another waits behind itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from core import telemetry

_QUEUES_MAX = 1_000  # tenants whose past is remembered
_GAP_SECONDS = 0.01  # between two grants to one tenant, until it was seen
_LONG_POSTS = ("/ask", "/v1/", "/documents")
# Who is refused at once asks again at once, and a flood's refusals would be all that is done. The
# first ones in a second are told at once, the others when `Retry-After` would have passed.
_AT_ONCE = 50
_PACE_SECONDS = 1.0
_PACED_MAX = 2_000
# Open for an hour, or asked by those who must know.
_FREE = ("/events", "/healthz", "/readyz", "/health", "/metrics")


@dataclass(slots=True)
class _Queue:
    """Of one tenant: how many are at work, and who waits since when."""

    since: float = 0.0  # when there began to be somebody
    empty: float = 0.0  # when the last one had gone
    granted: float = 0.0
    gap: float = _GAP_SECONDS
    at_work: int = 0
    turns: deque[tuple[float, asyncio.Future[bool]]] = field(default_factory=deque)

    def grant(self, now: float) -> None:
        self.gap += 0.1 * (now - max(self.granted, self.since) - self.gap)
        self.granted = now


@dataclass(slots=True)
class Line:
    """`places` requests at once, at most `share` of them one tenant's, so that another finds one
    free. Of each tenant a burst waits `patient` seconds; in a queue that has stood for `standing`
    seconds nobody waits longer than `brisk`."""

    places: int
    share: int
    patient: float
    standing: float
    brisk: float
    waiting_max: int = 1_000
    at_work: int = 0
    _queues: dict[str, _Queue] = field(default_factory=dict)
    _waiting: OrderedDict[str, _Queue] = field(default_factory=OrderedDict)
    _many: int = 0

    def refuses(self, tenant: str) -> bool:
        """Whether to wait is hopeless, decided from numbers alone."""
        if self._many >= self.waiting_max:
            return True
        queue = self._waiting.get(tenant)
        return queue is not None and len(queue.turns) * queue.gap > self._allowed(
            queue, time.monotonic()
        )

    def _allowed(self, queue: _Queue, now: float) -> float:
        return self.brisk if now - queue.since > self.standing else self.patient

    async def enter(self, tenant: str) -> bool:
        """Whether it may go on; then it must `leave`."""
        queue = self._queues.get(tenant)
        if queue is None:
            queue = self._new(tenant)
        if self.at_work < self.places and queue.at_work < self.share and not queue.turns:
            self.at_work += 1
            queue.at_work += 1
            return True
        if self.refuses(tenant):
            return False
        return await self._wait(tenant, queue)

    def _new(self, tenant: str) -> _Queue:
        if len(self._queues) >= _QUEUES_MAX:
            for name in [n for n, q in self._queues.items() if not q.at_work and not q.turns]:
                del self._queues[name]
        return self._queues.setdefault(tenant, _Queue())

    async def _wait(self, tenant: str, queue: _Queue) -> bool:
        loop, now = asyncio.get_running_loop(), time.monotonic()
        if not queue.turns:
            self._waiting[tenant] = queue
            if now - queue.empty > self.brisk:  # a moment without a queue ends no overload
                queue.since = now
        turn: asyncio.Future[bool] = loop.create_future()
        entry = (now, turn)
        queue.turns.append(entry)
        self._many += 1
        late = loop.call_later(self._allowed(queue, now), self._late, tenant, queue, entry)
        try:
            return await turn
        except asyncio.CancelledError:  # the client has gone
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave(tenant)
            self._forget(tenant, queue, entry)
            raise
        finally:
            late.cancel()

    def _late(self, tenant: str, queue: _Queue, entry: tuple[float, asyncio.Future[bool]]) -> None:
        if not entry[1].done():
            entry[1].set_result(False)
            self._forget(tenant, queue, entry)

    def _forget(
        self, tenant: str, queue: _Queue, entry: tuple[float, asyncio.Future[bool]]
    ) -> None:
        if entry in queue.turns:
            queue.turns.remove(entry)
            self._many -= 1
            self._emptied(tenant, queue)

    def _emptied(self, tenant: str, queue: _Queue) -> None:
        if not queue.turns:
            queue.empty = time.monotonic()
            self._waiting.pop(tenant, None)

    def leave(self, tenant: str) -> None:
        """The place goes to the tenant whose turn it is."""
        self.at_work -= 1
        self._queues[tenant].at_work -= 1
        for name, queue in list(self._waiting.items()) if self._waiting else ():
            if self.at_work >= self.places:
                return
            while queue.turns and queue.at_work < self.share and self.at_work < self.places:
                if self._grant(name, queue):
                    break

    def _grant(self, tenant: str, queue: _Queue) -> bool:
        """To its oldest that has not grown too old; then it is behind the other tenants."""
        now = time.monotonic()
        allowed = self._allowed(queue, now)
        asked, turn = queue.turns.popleft()
        self._many -= 1
        self._waiting.move_to_end(tenant)
        self._emptied(tenant, queue)
        if turn.done():
            return False
        granted = now - asked <= allowed
        turn.set_result(granted)
        if granted:
            queue.grant(now)
            queue.at_work += 1
            self.at_work += 1
        return granted


class Gate:
    """Which line a request stands in, and which tenant's it is, known without a look anywhere:
    by the credential that was let in before. Wrong, it costs a place in a line and nothing else."""

    def __init__(self, places: int = 12) -> None:
        # Short requests mostly take the interpreter; while the event loop is busy with refusals
        # each waits for several of its turns, so fewer would leave the interpreter idle.
        self.short = Line(
            places=places, share=max(1, places - 4), patient=1.0, standing=0.25, brisk=0.06
        )
        # Bodies and models: they wait for others, and hold one of the forty threads.
        self.long = Line(places=24, share=16, patient=10.0, standing=10.0, brisk=2.0)
        self._tenants: dict[bytes, str] = {}
        self._refused = 0
        self._paced = 0
        self._log = telemetry.log("gateway")

    def line(self, method: str, path: str) -> Line | None:
        if method == "POST" and path.startswith(_LONG_POSTS):
            return self.long
        if method == "OPTIONS" or path.endswith(_FREE):
            return None
        return self.short

    def tenant(self, credential: bytes | None) -> str:
        """Empty for strangers: they share one line."""
        return self._tenants.get(credential, "") if credential else ""

    def learn(self, credential: bytes | None, tenant: str | None) -> None:
        if credential is None:
            return
        if tenant is None:
            self._tenants.pop(credential, None)
            return
        if len(self._tenants) >= 10 * _QUEUES_MAX:
            self._tenants.clear()
        self._tenants[credential] = tenant

    async def refuse(self) -> None:
        """Returns when it may be told. What is written down is one line and one sum a second."""
        self._refused += 1
        if self._refused == 1:
            asyncio.get_running_loop().call_later(1.0, self._tell)
        if self._refused <= _AT_ONCE or self._paced >= _PACED_MAX:
            return
        self._paced += 1
        try:
            await asyncio.sleep(_PACE_SECONDS)
        finally:
            self._paced -= 1

    def _tell(self) -> None:
        telemetry.requests.labels("any", "refused", "503").inc(self._refused)
        self._log.warning("overloaded", refused=self._refused)
        self._refused = 0


def credential_in(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == b"x-api-key" or name == b"authorization":
            return value
    return None
