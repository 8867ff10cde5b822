"""The doorbell on a real Redis: flushed, killed, paused, forged. It costs time, never a run."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from backends.build import open_runtime
from backends.celery_jobs import PREFIX, UNREAD_MAX, CeleryJobs, queue_name
from core import telemetry
from core.errors import InvalidInput
from core.settings import Settings
from tests.engine import new_tenant
from tests.stack.servers import Servers
from tests.workflows.bells import STEPS_OF_A_RUN, ordered, under_bad_bells

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
WAIT = 10.0
SWEEP = 0.5
RUNS = 1000 if os.environ.get("WEFT_TORTURE") == "1" else 200  # figure A9, or a slice of it


@pytest.fixture
def url(servers: Servers) -> str:
    servers.up("redis")
    with client(servers.url("redis")) as server:
        server.flushdb()
    return servers.url("redis")


@contextlib.contextmanager
def client(url: str) -> Iterator[redis.Redis]:
    with contextlib.closing(redis.Redis.from_url(url.removeprefix("celery+"))) as server:
        yield server


class Looks:
    """Counts looks; `next` waits for one that begins from now on."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def work(self) -> bool:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        return False

    def next(self, seconds: float = WAIT) -> bool:
        with self._changed:
            before = self.count
            return self._changed.wait_for(lambda: self.count > before, seconds)


@contextlib.contextmanager
def served(url: str, sweep: float) -> Iterator[tuple[CeleryJobs, Looks]]:
    looks, stop = Looks(), threading.Event()
    with contextlib.closing(CeleryJobs(url, sweep)) as jobs:
        thread = threading.Thread(target=jobs.serve, args=(["a"], looks.work, stop, 2))
        thread.start()
        try:
            yield jobs, looks
        finally:
            stop.set()
            thread.join(WAIT)
            assert not thread.is_alive(), "it did not hear that it should stop"


def until_a_bell_is_heard(jobs: CeleryJobs, looks: Looks) -> None:
    """Rings until one brings a look; fails when none does for `WAIT`."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        jobs.ring("a")
        if looks.next(0.2):
            return
    pytest.fail("no bell is heard")


def test_bells_are_heard_again_after_a_flush_and_a_kill(servers: Servers, url: str) -> None:
    with served(url, sweep=60) as (jobs, looks):
        until_a_bell_is_heard(jobs, looks)
        with client(url) as server:
            server.flushdb()
        until_a_bell_is_heard(jobs, looks)
        servers.kill("redis")
        servers.start("redis")
        until_a_bell_is_heard(jobs, looks)


def test_a_killed_redis_leaves_the_sweeps(servers: Servers, url: str) -> None:
    with served(url, SWEEP) as (jobs, looks):
        until_a_bell_is_heard(jobs, looks)
        servers.kill("redis")
        try:
            assert all(looks.next(4 * SWEEP + 2) for _ in range(6))
            assert longest_ring(jobs) < 0.05
            until(lambda: lost("a") > 0)
        finally:
            servers.start("redis")
        until_a_bell_is_heard(jobs, looks)


def test_a_paused_redis_leaves_the_sweeps_and_rings_do_not_wait(servers: Servers, url: str) -> None:
    with served(url, SWEEP) as (jobs, looks):
        until_a_bell_is_heard(jobs, looks)
        servers.pause("redis")
        try:
            until_over = time.monotonic() + 10
            while time.monotonic() < until_over:
                assert longest_ring(jobs) < 0.05
                assert looks.next(4 * SWEEP + 2), "the sweeps stopped with Redis"
        finally:
            servers.resume("redis")
        until_a_bell_is_heard(jobs, looks)


def test_a_process_stops_while_redis_hangs(servers: Servers, url: str) -> None:
    try:
        with served(url, SWEEP) as (jobs, looks):
            until_a_bell_is_heard(jobs, looks)
            servers.pause("redis")
            jobs.ring("a")
    finally:
        servers.resume("redis")


def test_unread_bells_do_not_pile_up(url: str) -> None:
    with contextlib.closing(CeleryJobs(url, 60)) as jobs, client(url) as server:
        for _ in range(50):
            for _ in range(100):
                jobs.ring("nobody")
            threading.Event().wait(0.01)
        jobs.close()  # what waited is rung
        assert 1 <= int(server.llen(PREFIX + queue_name("nobody"))) <= UNREAD_MAX


def test_what_is_no_bell_is_dropped_and_never_run(url: str) -> None:
    with served(url, sweep=60) as (jobs, looks), client(url) as server:
        until_a_bell_is_heard(jobs, looks)
        queue = PREFIX + queue_name("a")
        pickled = b"cos\nsystem\n(S'touch weft-was-here'\ntR."
        for forged in (
            envelope("weft.unknown", b"[[], {}, {}]"),
            envelope("weft.look", b"[[1, 2], {}, {}]"),
            envelope("weft.look", pickled, kind="application/x-python-serialize"),
            b"no json",
        ):
            server.lpush(queue, forged)
            until(lambda: int(server.llen(queue)) == 0)
            until_a_bell_is_heard(jobs, looks)
    assert not Path("weft-was-here").exists()


def envelope(task: str, body: bytes, kind: str = "application/json") -> bytes:
    return json.dumps({
        "body": base64.b64encode(body).decode(), "content-type": kind, "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": task, "id": "1", "root_id": "1", "argsrepr": ""},
        "properties": {
            "body_encoding": "base64", "delivery_tag": "1", "correlation_id": "1", "priority": 0,
            "delivery_info": {"exchange": "", "routing_key": queue_name("a")},
        },
    }).encode()  # fmt: skip


def test_a_wrong_password_names_the_setting(url: str, tmp_path: Path) -> None:
    wrong = url.replace("redis://", "redis://nobody:wrong@")
    settings = Settings(_env_file=None, data_dir=tmp_path, models_url="none:", jobs_url=wrong)
    with pytest.raises(InvalidInput, match="WEFT_JOBS_URL") as caught, open_runtime(settings):
        pass
    assert "wrong" not in str(caught.value)


def test_runs_under_bad_bells_while_redis_is_flushed(url: str, settings: Settings) -> None:
    stacked = settings.model_copy(
        update={"jobs_url": url, "sweep_seconds": 0.2, "tenant_running_max": 64}
    )

    def flush_now_and_then(number: int) -> None:
        if number % (RUNS // 4) == RUNS // 8:
            with client(url) as server:
                server.flushdb()

    with open_runtime(stacked) as rt:
        wanted = ordered(rt, new_tenant(rt))
        found, script, bells = under_bad_bells(rt, new_tenant(rt), RUNS, 9, flush_now_and_then)
    assert found == [wanted] * RUNS
    assert sum(script.calls.values()) == RUNS * STEPS_OF_A_RUN, "a step was worked twice"
    assert bells.lost > RUNS


def longest_ring(jobs: CeleryJobs) -> float:
    """Seconds that a caller waited, the longest of a hundred."""
    longest = 0.0
    for _ in range(100):
        begun = time.perf_counter()
        jobs.ring("a")
        longest = max(longest, time.perf_counter() - begun)
    return longest


def lost(queue: str) -> float:
    return telemetry.registry.get_sample_value("weft_rings_lost_total", {"queue": queue}) or 0.0


def until(holds: Callable[[], bool], seconds: float = WAIT) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        threading.Event().wait(0.02)
