"""One suite for every implementation of a port; a new adapter is one more line in `params`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from backends.files import FileBlobs
from backends.limits import LocalLimiter
from backends.local import LocalBus, LocalJobs
from backends.s3_blobs import Place, S3Blobs
from core.clock import FakeClock
from core.errors import InvalidInput, NotFound
from core.events import Event
from core.ids import new_id
from core.ports import BlobStore, EventBus, JobQueue, Limiter
from tests.fakes.s3 import FakeS3
from tests.stack.servers import Servers

WAIT = 5.0


def flush(url: str) -> None:
    """Forgets everything in that Redis: the tests' own."""
    with contextlib.closing(redis.Redis.from_url(url.removeprefix("celery+"))) as client:
        client.flushdb()


def stacked(*names: str) -> list[Any]:
    """Real servers: their lines run in `make test-stack`."""
    return [pytest.param(name, marks=pytest.mark.stack) for name in names]


@pytest.fixture(params=["files", "fake-s3", *stacked("minio", "seaweedfs")])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    """The servers keep their buckets: each test has a corner of its own."""
    name, corner = request.param, f"?prefix={new_id()}"
    if name == "files":
        yield FileBlobs(tmp_path / "blobs")
    elif name == "fake-s3":
        with FakeS3().running() as fake:
            yield S3Blobs(Place.of(fake.url + corner))
    else:
        servers: Servers = request.getfixturevalue("servers")
        servers.up(name)
        yield S3Blobs(Place.of(servers.url(name) + corner), "an installation")


@pytest.fixture(params=["local", *stacked("celery")])
def jobs(request: pytest.FixtureRequest) -> Iterator[JobQueue]:
    """Nobody looks by itself within a test: what is heard was rung."""
    if request.param == "local":
        yield LocalJobs(60.0)
        return
    from backends.celery_jobs import CeleryJobs

    servers = request.getfixturevalue("servers")
    servers.up("redis")
    flush(servers.url("redis"))
    with contextlib.closing(CeleryJobs(servers.url("redis"), 60.0)) as opened:
        yield opened


@pytest.fixture(params=["local", *stacked("kafka")])
def bus(request: pytest.FixtureRequest) -> Iterator[EventBus]:
    if request.param == "local":
        yield LocalBus()
        return
    from backends.kafka_bus import KafkaBus
    from backends.kafka_topics import Cluster
    from tests.stack.kafka_side import address

    place = address(request.getfixturevalue("servers"))
    with contextlib.closing(KafkaBus(Cluster.at(place))) as opened:
        yield opened


@pytest.fixture(params=["local", *stacked("redis")])
def limiter(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Limiter]:
    if request.param == "local":
        yield LocalLimiter(clock)
        return
    from backends.redis_limits import RedisLimiter

    servers = request.getfixturevalue("servers")
    servers.up("redis")
    flush(servers.env()["WEFT_LIMITS_URL"])
    url = servers.env()["WEFT_LIMITS_URL"]
    with contextlib.closing(RedisLimiter(url, clock)) as opened:
        yield opened


# --- blobs ---------------------------------------------------------------------------------------


def test_an_object_comes_back_as_it_was_put(blobs: BlobStore) -> None:
    blobs.put("t/a/kind/1", b"one", {"tenant_id": "a"})
    blobs.put("t/a/kind/1", b"two", {"tenant_id": "b"})
    assert blobs.get("t/a/kind/1") == b"two"
    assert blobs.metadata("t/a/kind/1") == {"tenant_id": "b"}


def test_objects_are_listed_by_prefix_in_order(blobs: BlobStore) -> None:
    for key in ("t/a/x/2", "t/a/x/1", "t/ab/x/1", "u/1"):
        blobs.put(key, b"", {})
    assert list(blobs.list("t/a/")) == ["t/a/x/1", "t/a/x/2"]
    assert list(blobs.list("t/a")) == ["t/a/x/1", "t/a/x/2", "t/ab/x/1"]


def test_what_is_not_there_is_not_found_and_deleting_it_is_fine(blobs: BlobStore) -> None:
    blobs.delete("t/a/none")
    for look in (blobs.get, blobs.metadata):
        with pytest.raises(NotFound):
            look("t/a/none")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "t/../x", "t//x", "t/.x", "t/a\x00"])
def test_a_key_never_leads_outside(blobs: BlobStore, key: str) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        blobs.get(key)


def test_a_reader_sees_all_of_a_write_or_nothing(blobs: BlobStore) -> None:
    blobs.put("k", b"a" * 100_000, {})
    stop, torn = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen = blobs.get("k")
            if len(seen) != 100_000 or len(set(seen)) != 1:
                torn.append(seen)

    thread = threading.Thread(target=read)
    thread.start()
    for letter in b"bcdefghij":
        blobs.put("k", bytes([letter]) * 100_000, {})
    stop.set()
    thread.join(WAIT)
    assert torn == []


# --- jobs ----------------------------------------------------------------------------------------


@pytest.fixture
def serving(jobs: JobQueue) -> Iterator[Callable[..., threading.Event]]:
    """`serving("a", …)` serves those queues; the event is set by the first piece of work."""
    stop = threading.Event()
    threads = []

    def serve(*queues: str) -> threading.Event:
        worked, looked = threading.Event(), threading.Event()

        def work() -> bool:
            if looked.is_set():
                worked.set()
            looked.set()
            return False

        thread = threading.Thread(target=jobs.serve, args=(queues, work, stop))
        thread.start()
        threads.append(thread)
        assert looked.wait(WAIT)
        return worked

    yield serve
    stop.set()
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive(), "it did not hear that it should stop"


def test_a_ring_brings_a_worker(jobs: JobQueue, serving: Any) -> None:
    worked = serving("a", "b")
    jobs.ring("b")
    assert worked.wait(WAIT)


def test_a_ring_that_nobody_heard_is_heard_later(jobs: JobQueue, serving: Any) -> None:
    jobs.ring("a")
    assert serving("a").wait(WAIT)


def test_a_ring_goes_to_those_who_serve_that_queue(jobs: JobQueue, serving: Any) -> None:
    other, mine = serving("b"), serving("a")
    jobs.ring("a")
    assert mine.wait(WAIT)
    assert not other.is_set()


def test_up_to_as_many_threads_work_at_once_and_stop_waits_for_them(jobs: JobQueue) -> None:
    stop, together, over = threading.Event(), threading.Barrier(3), threading.Event()
    done: list[int] = []

    def work() -> bool:
        together.wait(WAIT)  # broken unless the two threads and the test are here at once
        over.wait(WAIT)
        done.append(1)
        return False

    thread = threading.Thread(target=jobs.serve, args=(["a"], work, stop, 2))
    thread.start()
    together.wait(WAIT)
    stop.set()
    thread.join(0.2)
    assert thread.is_alive()
    over.set()
    thread.join(WAIT)
    assert not thread.is_alive()
    assert len(done) == 2


# --- bus -----------------------------------------------------------------------------------------


def test_events_reach_every_listener_in_order_until_it_leaves(bus: EventBus) -> None:
    events = [Event(n, "t", "r", "x", 0) for n in range(3)]
    first, second = Ear(), Ear()
    leave = bus.subscribe(first)
    bus.subscribe(second)
    bus.publish(events[:2])
    first.has(2)
    leave()
    bus.publish(events[2:])
    second.has(3)
    assert (first.seqs, second.seqs) == ([0, 1], [0, 1, 2])


def test_a_listener_that_breaks_silences_nobody(bus: EventBus) -> None:
    def breaks(_events: Sequence[Event]) -> None:
        raise ZeroDivisionError

    bus.subscribe(breaks)
    ear = Ear()
    bus.subscribe(ear)
    bus.publish([Event(1, "t", "r", "x", 0)])
    bus.publish([Event(2, "t", None, "x", 0)])
    ear.has(2)
    assert sorted(ear.seqs) == [1, 2]


class Ear:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self._came = threading.Condition()

    def __call__(self, events: Sequence[Event]) -> None:
        with self._came:
            self.seqs += [event.seq for event in events]
            self._came.notify_all()

    def has(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.seqs) >= count, WAIT), self.seqs


# --- limits --------------------------------------------------------------------------------------


def test_the_window_moves(limiter: Limiter, clock: FakeClock) -> None:
    assert [limiter.hit("k", 2, 1).allowed for _ in range(3)] == [True, True, False]
    pass_by(limiter, clock, 0.5)
    refused = limiter.hit("k", 2, 1)
    assert not refused.allowed
    assert 0 < refused.reset_seconds <= 0.5
    pass_by(limiter, clock, refused.reset_seconds + 0.02)
    assert limiter.hit("k", 2, 1).remaining == 1


def pass_by(limiter: Limiter, clock: FakeClock, seconds: float) -> None:
    """A server has its own clock, which no test moves."""
    clock.advance(seconds)
    if not isinstance(limiter, LocalLimiter):
        threading.Event().wait(seconds)


def test_a_refusal_takes_nothing_and_keys_are_apart(limiter: Limiter) -> None:
    assert not limiter.hit("k", 2, 10, cost=3).allowed
    assert limiter.hit("k", 2, 10, cost=2).allowed
    assert limiter.hit("other", 2, 10, cost=2).allowed
