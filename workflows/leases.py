"""Leases: renewed while the work goes on, taken back from workers that fell silent."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from core.context import PLATFORM, Ctx
from core.errors import Outage
from database import dispatch, jobs
from database.dispatch import Claim
from database.jobs import FenceLost
from runtime import Runtime
from workflows.turn import turn

_KNOCK_SECONDS = 0.5
_pause = threading.Event()  # never set


class Leases:
    """The claims in this process's hands, so that one thread can renew them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, Claim] = {}

    @contextlib.contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        with self._lock:
            self._claims[claim.job_id] = claim
        try:
            yield
        finally:
            with self._lock:
                self._claims.pop(claim.job_id, None)

    def __len__(self) -> int:
        return len(self._claims)

    def renew(self, rt: Runtime) -> None:
        """What is lost is found out at the next write. One by one: a job that another transaction
        holds keeps none of the others waiting, nor the other way round."""
        with self._lock:
            claims = tuple(self._claims.values())
        for claim in claims:
            with rt.db.transaction(Ctx(claim.tenant, "system"), durable=False) as tx:
                dispatch.renew(tx, claim, int(rt.settings.lease_seconds * 1000))

    def release(self, rt: Runtime) -> None:
        """At the end of a process: whatever it still holds is ready again at once."""
        with self._lock:
            claims, self._claims = tuple(self._claims.values()), {}
        for claim in claims:
            give_back(rt, claim)


def give_back(rt: Runtime, claim: Claim) -> None:
    """Ready again, and not counted as an attempt."""
    with (
        contextlib.suppress(FenceLost),
        turn(rt, Ctx(claim.tenant, "system"), durable=False) as t,
    ):
        jobs.release(t.tx, claim, ready_ms=t.tx.now_ms, attempts=claim.attempts - 1)
        t.ring(claim.queue)


def take_back(rt: Runtime) -> int:
    """Jobs whose lease has run out are ready again; the attempt counts. Gives how many."""
    with turn(rt, PLATFORM, durable=False) as t:
        found = dispatch.expired(t.tx)
        for claim in found:
            t.tx.become(Ctx(claim.tenant, "system"))
            if not jobs.seize(t.tx, claim):
                continue  # somebody has it in hands after all
            jobs.release(t.tx, claim, ready_ms=t.tx.now_ms, attempts=claim.attempts)
            t.ring(claim.queue)
    return len(found)


def patiently(rt: Runtime, write: Callable[[], None]) -> None:
    """What a worker has to say of a job that it holds, said until the database hears it, as long
    as a lease: a job that is let go by its lease has spent an attempt."""
    until = time.monotonic() + rt.settings.lease_seconds
    while True:
        try:
            return write()
        except Outage:
            if time.monotonic() > until:
                raise
            _pause.wait(_KNOCK_SECONDS)
