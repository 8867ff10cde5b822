"""A run's events as they are committed: from the table, woken by the bus, looked at anyway."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import anyio.to_thread

from core.clock import rfc3339
from core.events import Event
from database import events, runs
from gateway.house import Caller
from gateway.streams import HEARTBEAT, sse, wait_for

_LOOK_SECONDS = 1.0  # without a bus between processes, or while it is away, nobody rings
_HEARTBEAT_SECONDS = 15.0
_LIFE_SECONDS = 3600.0  # then the client comes back with `Last-Event-ID` and a fresh credential
_BATCH = 200


async def follow(who: Caller, run_id: str, after: int) -> AsyncIterator[bytes]:
    """Every event with a greater `seq`, until the run has ended or the credential has."""
    until = time.monotonic() + _seconds_left(who)
    heard = time.monotonic()
    with who.house.doorbells.at(who.ctx.tenant, run_id) as bell:
        yield HEARTBEAT
        while time.monotonic() < until:
            found, ended = await anyio.to_thread.run_sync(_look, who, run_id, after)
            for event in found:
                after = event.seq
                yield _shown(event)
            if len(found) == _BATCH:
                continue
            if ended:
                return
            await wait_for(bell, _LOOK_SECONDS)
            if found:
                heard = time.monotonic()
            elif time.monotonic() - heard > _HEARTBEAT_SECONDS:
                heard = time.monotonic()
                yield HEARTBEAT


def _look(who: Caller, run_id: str, after: int) -> tuple[list[Event], bool]:
    with who.rt.db.read(who.ctx) as tx:
        ended = runs.get(tx, who.ctx, run_id).ended
        return events.of_run(tx, who.ctx, run_id, after=after, limit=_BATCH), ended


def _seconds_left(who: Caller) -> float:
    expires = who.identity.expires_ms
    if expires is None:
        return _LIFE_SECONDS
    return min(_LIFE_SECONDS, max(0.0, (expires - who.rt.clock.now_ms()) / 1000))


def _shown(event: Event) -> bytes:
    data = {
        "workflow_id": event.run_id, "type": event.type, "at": rfc3339(event.at_ms), **event.data
    }  # fmt: skip
    return sse(event.type, data, event.seq)
