"""Limits over replicas (figure B4): exact with Redis, a share of them without."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from backends.build import open_runtime
from backends.redis_limits import REPLICAS, RedisLimiter
from core.clock import SystemClock
from core.errors import InvalidInput
from core.settings import Settings
from tests.stack.servers import Servers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
LIMIT, WINDOW, WINDOWS, EARLY = 100, 2, 5, 0.4  # seconds
PROCESSES, OFFERED = 4, 1000
SIDE = [sys.executable, "-m", "tests.stack.limits_side"]


@pytest.fixture
def url(servers: Servers) -> str:
    servers.up("redis")
    found = servers.env()["WEFT_LIMITS_URL"]
    with contextlib.closing(redis.Redis.from_url(found)) as server:
        server.flushdb()
    return found


@pytest.fixture
def limiter(url: str) -> Iterator[RedisLimiter]:
    with contextlib.closing(RedisLimiter(url, SystemClock())) as opened:
        yield opened


def offered(url: str, seconds: float) -> list[dict[str, float]]:
    """What each of the processes was told, in the order of time; `at` is this machine's clock."""
    rest = seconds * PROCESSES / (OFFERED * WINDOWS)
    arguments = [url, str(LIMIT), str(WINDOW), str(seconds), str(rest)]
    processes = [
        subprocess.Popen([*SIDE, *arguments], cwd=ROOT, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]  # fmt: skip
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    told = [one.communicate("go\n", timeout=120)[0] for one in _all_told_to_go(processes)]
    found = [json.loads(line) for text in told for line in text.splitlines()]
    return sorted(found, key=lambda one: one["at"])


def _all_told_to_go(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return processes


def test_four_replicas_admit_a_hundred_in_every_window(url: str) -> None:
    answers = offered(url, WINDOW * WINDOWS - EARLY)
    assert len(answers) > OFFERED * WINDOWS / 4, "too few were offered to say anything"
    taken = [one["at"] for one in answers if one["allowed"]]
    # A process hears its answer later than the server gave it, so the windows begin a bit early.
    begun = answers[0]["at"] - EARLY
    counts = [
        sum(begun + WINDOW * n <= at < begun + WINDOW * (n + 1) for at in taken)
        for n in range(WINDOWS)
    ]
    assert all(LIMIT <= count <= LIMIT + 1 for count in counts), counts
    closest = min(later - first for first, later in zip(taken, taken[LIMIT:], strict=False))
    assert closest > WINDOW - EARLY / 2, "more than the limit within a moving window"
    assert {one["limit"] for one in answers} == {LIMIT}, "a replica was on its own"


def test_what_a_refused_caller_is_told_is_true(limiter: RedisLimiter) -> None:
    left = [limiter.hit("requests/t", 5, 1).remaining for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    refused = limiter.hit("requests/t", 5, 1)
    assert (refused.allowed, refused.limit, refused.remaining) == (False, 5, 0)
    threading.Event().wait(max(0.0, refused.reset_seconds - 0.1))
    early = limiter.hit("requests/t", 5, 1)
    threading.Event().wait(early.reset_seconds + 0.01)
    assert (early.allowed, limiter.hit("requests/t", 5, 1).allowed) == (False, True)


def test_cost_counts_and_leaves_with_its_hit(limiter: RedisLimiter) -> None:
    assert limiter.hit("bytes/t", 10, 1, cost=7).remaining == 3
    threading.Event().wait(0.5)
    assert limiter.hit("bytes/t", 10, 1, cost=3).remaining == 0
    assert not limiter.hit("bytes/t", 10, 1, cost=1).allowed
    threading.Event().wait(0.55)
    assert limiter.hit("bytes/t", 10, 1, cost=7).remaining == 0


def test_keys_lie_under_one_prefix_with_the_tenant_inside_and_go_away(
    url: str, limiter: RedisLimiter
) -> None:
    limiter.hit("requests/tenant-1", 5, 1)
    with contextlib.closing(redis.Redis.from_url(url)) as server:
        found = set(server.scan_iter()) - {REPLICAS.encode()}
        assert len(found) == 2
        assert all(key.startswith(b"weft:limits:{requests/tenant-1/") for key in found)
        threading.Event().wait(1.1)
        assert set(server.scan_iter()) <= {REPLICAS.encode()}


def test_without_redis_a_replica_allows_its_share_and_is_exact_again_after(
    servers: Servers, url: str
) -> None:
    clock = SystemClock()
    with contextlib.closing(RedisLimiter(url, clock, replicas=4)) as limiter:
        assert limiter.hit("k", LIMIT, 60).remaining == LIMIT - 1
        servers.kill("redis")
        try:
            told = [limiter.hit("k", LIMIT, 60) for _ in range(LIMIT)]
            assert sum(one.allowed for one in told) == LIMIT // 4
            assert told[-1].limit == LIMIT // 4
        finally:
            servers.start("redis")
        until_exact(limiter)


def test_a_hanging_redis_holds_up_one_request_and_then_none(servers: Servers, url: str) -> None:
    with contextlib.closing(RedisLimiter(url, SystemClock())) as limiter:
        limiter.hit("k", LIMIT, 60)
        servers.pause("redis")
        try:
            begun = time.perf_counter()
            limiter.hit("k", LIMIT, 60)
            first, begun = time.perf_counter() - begun, time.perf_counter()
            for _ in range(1000):
                limiter.hit("k", LIMIT, 60)
            rest = time.perf_counter() - begun
        finally:
            servers.resume("redis")
        assert first < 1.5
        assert rest < 1.0
        until_exact(limiter)


def until_exact(limiter: RedisLimiter) -> None:
    deadline = time.monotonic() + 10
    while limiter.hit("other", 1000, 60).limit != 1000:
        assert time.monotonic() < deadline, "the share still applies"
        threading.Event().wait(0.05)


def test_the_share_follows_the_replicas_that_were_counted(servers: Servers, url: str) -> None:
    with contextlib.ExitStack() as opened:
        limiters = [
            opened.enter_context(contextlib.closing(RedisLimiter(url, SystemClock())))
            for _ in range(4)
        ]
        for one in limiters:
            one.hit("k", LIMIT, 60)
        with contextlib.closing(redis.Redis.from_url(url)) as server:
            until_counted(server, 4)
        late = opened.enter_context(contextlib.closing(RedisLimiter(url, SystemClock())))
        late.hit("k", LIMIT, 60)
        with contextlib.closing(redis.Redis.from_url(url)) as server:
            until_counted(server, 5)
        servers.kill("redis")
        try:
            allowed = sum(late.hit("new", LIMIT, 60).allowed for _ in range(LIMIT))
        finally:
            servers.start("redis")
    assert allowed == LIMIT // 5


def until_counted(server: redis.Redis, replicas: int) -> None:
    deadline = time.monotonic() + 10
    while server.zcard(REPLICAS) != replicas:
        assert time.monotonic() < deadline, "not all replicas were counted"
        threading.Event().wait(0.02)
    threading.Event().wait(0.1)  # the last one has its answer


def test_a_wrong_password_names_the_setting(url: str, tmp_path: Path) -> None:
    wrong = url.replace("redis://", "redis://nobody:wrong@")
    settings = Settings(_env_file=None, data_dir=tmp_path, models_url="none:", limits_url=wrong)
    with pytest.raises(InvalidInput, match="WEFT_LIMITS_URL") as caught, open_runtime(settings):
        pass
    assert "wrong" not in str(caught.value)
