"""Facts out: acknowledged or not given, heard by every gateway, without a tenant's words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from backends import kafka_topics
from backends.kafka_bus import KafkaBus
from backends.kafka_topics import Cluster
from core.errors import Unavailable
from core.events import Event
from tests.stack.kafka_side import address, everything, until
from tests.stack.servers import Servers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture
def cluster(servers: Servers) -> Cluster:
    return Cluster.at(address(servers))


@pytest.fixture
def bus(cluster: Cluster) -> Iterator[KafkaBus]:
    with closing(KafkaBus(cluster)) as made:
        yield made


def facts(*seqs: int, run: str = "r") -> list[Event]:
    return [Event(seq, "tenant", run, "step.completed", 5, {"step": "a"}) for seq in seqs]


class Heard:
    def __init__(self, bus: KafkaBus) -> None:
        self.seqs: list[int] = []
        self.came = threading.Event()
        bus.subscribe(self._listen)

    def _listen(self, events: object) -> None:
        assert isinstance(events, list)
        self.seqs += [event.seq for event in events]
        self.came.set()


def test_topics_are_made_and_doctor_sees_what_is_missing(cluster: Cluster) -> None:
    assert kafka_topics.missing(cluster) == sorted(cluster.topics())
    kafka_topics.ensure(cluster)
    kafka_topics.ensure(cluster)
    assert kafka_topics.missing(cluster) == []
    assert kafka_topics.lag(cluster) == {cluster.ingest: 0, cluster.retry: 0}


def test_what_is_published_names_things_and_quotes_nothing(cluster: Cluster, bus: KafkaBus) -> None:
    data = {
        "step": "a", "attempt": 2, "target": "https://hook.example/?token=SECRET",
        "summary": "SECRET", "error": {"code": "bad", "detail": "SECRET"},
    }  # fmt: skip
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    bus.publish([Event(7, "tenant", "run", "step.failed", 5, data, trace)])
    (record,) = everything(cluster, cluster.events)
    assert record.key == b"tenant:run"
    assert dict(record.headers)["traceparent"] == trace.encode()
    assert b"SECRET" not in record.value
    assert json.loads(record.value) == {
        "version": 1, "seq": 7, "tenant": "tenant", "run": "run", "type": "step.failed", "at": 5,
        "data": {"step": "a", "attempt": 2, "error": {"code": "bad"}},
    }  # fmt: skip


def test_every_replica_hears_every_run_in_order(cluster: Cluster, bus: KafkaBus) -> None:
    with closing(KafkaBus(cluster)) as other, closing(KafkaBus(cluster)) as third:
        ears = [Heard(one) for one in (bus, other, third)]
        for run in range(20):
            bus.publish(facts(*range(run * 10, run * 10 + 10), run=f"r{run}"))
        for ear in ears:
            until(lambda ear=ear: len(ear.seqs) >= 200)  # type: ignore[misc]
            assert sorted(ear.seqs) == list(range(200))
            for run in range(20):
                mine = [seq for seq in ear.seqs if seq // 10 == run]
                assert mine == sorted(mine)


def test_a_listener_that_comes_hears_what_comes_after(bus: KafkaBus) -> None:
    bus.publish(facts(1))
    late = Heard(bus)
    bus.publish(facts(2))
    assert late.came.wait(10)
    assert late.seqs == [2]


@pytest.mark.parametrize("harm", ["kill", "wipe", "pause"])
def test_an_outage_refuses_in_time_and_ends_by_itself(
    servers: Servers, cluster: Cluster, bus: KafkaBus, harm: str
) -> None:
    """A batch that was not taken is the caller's to give again; ears come back, also to a broker
    that has forgotten everything."""
    with closing(KafkaBus(cluster)) as replica:
        ear = Heard(replica)
        bus.publish(facts(1))
        assert ear.came.wait(10)
        getattr(servers, harm)("kafka")
        began = time.monotonic()
        with pytest.raises(Unavailable, match="Kafka at"):
            bus.publish(facts(2))
        assert time.monotonic() - began < 25
        (servers.resume if harm == "pause" else servers.start)("kafka")

        def given() -> bool:
            try:
                bus.publish(facts(3))
            except Unavailable:
                return False
            return True

        until(given)
        ear.came.clear()
        number = iter(range(100, 1000))

        def heard_again() -> bool:
            bus.publish(facts(next(number)))
            return ear.came.wait(0.5)

        until(heard_again)
    seqs = [json.loads(one.value)["seq"] for one in everything(cluster, cluster.events)]
    first = list(dict.fromkeys(seqs))
    assert first == sorted(first), "a run's facts stand in their order"
    assert 3 in seqs
