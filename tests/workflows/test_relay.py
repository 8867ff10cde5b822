"""While the bus is away the relay keeps what it has, says so once, and gives all of it after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

import workflows
from core.context import PLATFORM, Ctx
from core.errors import Unavailable
from core.events import Event
from core.telemetry import configure_logs
from database import dispatch
from runtime import Runtime
from tests.engine import flow, step
from workflows import Submission
from workflows.relay import run_relay


@dataclass
class Flaky:
    """An `EventBus` that takes nothing the first two times."""

    refusals: int = 2
    taken: list[int] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def publish(self, events: Sequence[Event]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("Kafka does not answer.", code="bus_unavailable")
        self.taken += [event.seq for event in events]
        self.done.set()

    def subscribe(self, listen: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        raise NotImplementedError


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    configure_logs("info")
    with capture_logs() as found:
        yield found
    configure_logs("error")


def test_an_outage_of_the_bus_loses_nothing_and_is_one_line(
    rt: Runtime, tenant: Ctx, lines: list[Any]
) -> None:
    bus, stop = Flaky(), threading.Event()
    workflows.submit(rt, tenant, Submission(definition=flow(step("a"))))
    with rt.db.read(PLATFORM) as tx:
        waiting = [event.seq for event in dispatch.unpublished(tx, 10)]
    relay = threading.Thread(target=run_relay, args=(replace(rt, bus=bus), stop))
    relay.start()
    assert bus.done.wait(20)
    stop.set()
    rt.jobs.ring("relay")
    relay.join(20)
    assert bus.taken == waiting
    assert len(waiting) > 0
    told = [line["event"] for line in lines if line["event"].startswith("the relay")]
    assert told == ["the relay waits", "the relay goes on"]
