from __future__ import annotations

import os
import socket
import threading
from collections import Counter

import pytest

import workflows
from backends.build import load_root_key, open_runtime
from core.clock import FakeClock
from core.context import PLATFORM, Ctx, scopes_of
from core.errors import InvalidInput
from core.events import Event
from core.settings import Settings
from database import dispatch, jobs, workers
from runtime import Runtime
from tests.engine import QUEUES, Script, flow, new_tenant, step
from workflows import Submission, relay
from workflows.worker import Worker

WAIT = 20.0


def served(rt: Runtime, count: int, *, hold: bool = False) -> list[str]:
    """The tenants of one worker's next claims, in order."""
    order, round_ = [], dispatch.Round()
    for _ in range(count):
        with rt.db.transaction(PLATFORM) as tx:
            claim = dispatch.claim(tx, QUEUES, "me", lease_ms=60_000, running_max=8, round_=round_)
            if claim is None:
                break
            order.append(claim.tenant)
            if not hold:
                jobs.end(tx, claim)
    return order


def fill(rt: Runtime, ctx: Ctx, count: int, **more: int) -> list[str]:
    body = flow(step("a"))
    return [
        workflows.submit(rt, ctx, Submission(definition=body, **more)).id  # type: ignore[arg-type]
        for _ in range(count)
    ]


def test_a_tenant_with_a_thousand_jobs_does_not_starve_one_with_three(rt: Runtime) -> None:
    big, small = new_tenant(rt), new_tenant(rt)
    fill(rt, big, 30)
    served(rt, 10)
    fill(rt, small, 3)
    assert served(rt, 8).count(small.tenant) == 3


def test_tiers_weigh(rt: Runtime) -> None:
    free, business = new_tenant(rt, tier="free"), new_tenant(rt, tier="business")
    fill(rt, free, 30)
    fill(rt, business, 30)
    counts = Counter(served(rt, 30))
    assert counts[business.tenant] > 2 * counts[free.tenant] > 0


def test_where_more_tenants_wait_than_one_look_takes_in_each_has_its_turn(rt: Runtime) -> None:
    crowd = [new_tenant(rt).tenant for _ in range(dispatch.LOOK + 3)]
    for one in crowd:
        fill(rt, Ctx(one, "user:x", frozenset({"admin"}), scopes_of(["admin"])), 3)
    order = served(rt, 3 * len(crowd))
    # The last of the line is not the last to be served: the next look begins with it.
    assert order.index(max(crowd)) < dispatch.LOOK
    assert max(Counter(order[: len(crowd)]).values()) <= 2
    assert set(Counter(order).values()) == {3}


def test_who_idled_gets_no_more_than_a_short_start(rt: Runtime) -> None:
    busy, idle = new_tenant(rt), new_tenant(rt)
    fill(rt, busy, 200)
    served(rt, 100)
    fill(rt, idle, 60)
    counts = Counter(served(rt, 80))
    assert counts[busy.tenant] >= 20


@pytest.mark.parametrize("newcomers", [1, 3])
def test_who_had_the_platform_alone_owes_nothing_for_it(rt: Runtime, newcomers: int) -> None:
    """Nor do several newcomers, who are each other's measure, make it wait for all they missed."""
    alone = new_tenant(rt)
    fill(rt, alone, 80)
    served(rt, 80)
    for _ in range(newcomers):
        fill(rt, new_tenant(rt), 20)
    fill(rt, alone, 1)
    assert alone.tenant in served(rt, 3 * newcomers + 1)


def test_two_jobs_of_who_comes_back_go_before_a_flood(rt: Runtime) -> None:
    loud, quiet = new_tenant(rt), new_tenant(rt)
    fill(rt, quiet, 1)
    fill(rt, loud, 60)
    served(rt, 40)
    fill(rt, quiet, 2)
    assert served(rt, 2) == [quiet.tenant] * 2


def test_a_tenant_runs_no_more_at_once_than_its_tier_allows(rt: Runtime) -> None:
    free = new_tenant(rt, tier="free")
    fill(rt, free, 10)
    assert len(served(rt, 10, hold=True)) == 2


def test_within_a_tenant_priority_goes_first_then_age(rt: Runtime, tenant: Ctx) -> None:
    first = fill(rt, tenant, 2)
    urgent = fill(rt, tenant, 1, priority=9)
    order = []
    for _ in range(3):
        with rt.db.transaction(PLATFORM) as tx:
            claim = dispatch.claim(tx, QUEUES, "me", lease_ms=1000, running_max=8)
            assert claim is not None
            order.append(claim.run_id)
    assert order == [*urgent, *first]


def test_the_relay_publishes_each_fact_in_order(rt: Runtime, tenant: Ctx) -> None:
    heard: list[Event] = []
    rt.bus.subscribe(heard.extend)
    fill(rt, tenant, 2)
    assert relay.relay_once(rt)
    assert not relay.relay_once(rt)
    assert [event.type for event in heard] == ["workflow.submitted"] * 2
    assert [event.seq for event in heard] == sorted(event.seq for event in heard)


def test_threads_work_a_heap_of_runs_and_stop_clean(settings: Settings) -> None:
    """The real thing: real clock, threads, bells and relay."""
    script, stop, ended = Script(), threading.Event(), threading.Semaphore(0)
    with open_runtime(settings) as rt:
        ctx = new_tenant(rt)

        def hear(batch: object) -> None:
            for event in batch:  # type: ignore[attr-defined]
                if event.type == "workflow.completed":
                    ended.release()

        rt.bus.subscribe(hear)
        worker = Worker(rt, script.agents(), QUEUES)
        threads = [
            threading.Thread(target=worker.run, args=(stop,)),
            threading.Thread(target=relay.run_relay, args=(rt, stop)),
        ]
        for thread in threads:
            thread.start()
        body = flow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
        for _ in range(10):
            workflows.submit(rt, ctx, Submission(definition=body))
        assert all(ended.acquire(timeout=WAIT) for _ in range(10))
        with rt.db.read(PLATFORM) as tx:
            (row,) = workers.listing(tx)
            assert dispatch.depths(tx) == {}
        assert (row.pid, row.host) == (os.getpid(), socket.gethostname())
        stop.set()
        rt.jobs.ring("relay")
        for thread in threads:
            thread.join(WAIT)
            assert not thread.is_alive()
        with rt.db.read(PLATFORM) as tx:
            assert workers.listing(tx) == []
    assert set(script.calls.values()) == {10}


def test_why_says_that_nobody_listens(rt: Runtime, tenant: Ctx) -> None:
    (run_id,) = fill(rt, tenant, 1)
    (cause,) = workflows.why(rt, tenant, run_id)["causes"]
    assert (cause["waiting_for"], cause["queue"], cause["listeners"]) == ("worker", "supervisor", 0)
    assert "weft serve" in cause["unblock"]


@pytest.mark.parametrize(
    "change",
    [{"database_url": "mysql://x"}, {"jobs_url": "carrier-pigeon:"}, {"bus_url": "x:"},
     {"blobs_url": "ftp://x"}, {"limits_url": "x:"}, {"root_key": "short"}],
)  # fmt: skip
def test_an_unknown_url_says_which_setting(settings: Settings, change: dict[str, str]) -> None:
    wrong = Settings(**{**settings.model_dump(), **change})
    name = f"WEFT_{next(iter(change)).upper()}"
    with pytest.raises(InvalidInput, match=name), open_runtime(wrong, clock=FakeClock()):
        pass


def test_the_root_key_is_made_once_and_only_its_owner_reads_it(settings: Settings) -> None:
    settings.data_dir.mkdir()
    first = load_root_key(settings)
    path = settings.data_dir / "root.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_root_key(settings) == first
    assert [one.name for one in settings.data_dir.iterdir()] == ["root.key"]
