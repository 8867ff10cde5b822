"""What of Kafka needs no broker: its address, what leaves the house, a broker that is not there."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest

from backends.build import intake, open_runtime
from backends.kafka_bus import KafkaBus, decode, encode
from backends.kafka_topics import Cluster
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable
from core.events import Event
from core.messages import (
    ATTEMPT,
    NOT_BEFORE,
    ORIGIN,
    Later,
    Message,
    for_dead_letters,
    for_retry,
    origin,
    raised,
)
from core.settings import Settings
from tests.flows.platform import free_port


def test_an_address_names_brokers_topics_and_how_they_are_made() -> None:
    cluster = Cluster.at("kafka://one:1,two?prefix=x&partitions=12&replication=2")
    assert cluster == Cluster(("one:1", "two:9092"), "x", 12, 2)
    assert sorted(cluster.topics()) == ["x.events", "x.ingest", "x.ingest.dead", "x.ingest.retry"]
    assert Cluster.at("kafka://host:9092").group == "weft-intake"


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://h?partitions=0", "kafka://h?partitions=many", "kafka://h?color=1"]
)
def test_an_address_that_is_not_understood_says_what_is(settings: Settings, url: str) -> None:
    with (
        pytest.raises(InvalidInput, match="kafka://HOST:9092"),
        open_runtime(settings.model_copy(update={"bus_url": url})),
    ):
        pass


def test_an_event_comes_back_without_a_tenants_words() -> None:
    data = {"step": "a", "target": "x", "summary": "y", "error": {"code": "c", "detail": "z"}}
    found = decode(encode(Event(3, "t", None, "step.failed", 5, data)))
    assert found == Event(3, "t", None, "step.failed", 5, {"step": "a", "error": {"code": "c"}})


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b'{"version": 2}', b"\xff"])
def test_what_weft_did_not_write_is_no_event(value: bytes | None) -> None:
    assert decode(value) is None


def test_a_broker_that_is_not_there_is_said_at_once_and_holds_nobody() -> None:
    with closing(KafkaBus(Cluster.at(f"kafka://127.0.0.1:{free_port()}"))) as bus:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="WEFT_BUS_URL"):
            bus.publish([Event(1, "t", "r", "x", 0)])
        bus.subscribe(lambda _events: None)
        assert time.monotonic() - began < 5


def test_the_intake_needs_kafka(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="kafka://HOST:9092"):
        intake(settings, SystemClock())


def test_retries_wait_longer_each_time_and_end() -> None:
    message, waits = Message(b"k", b"v", {}), []
    while (again := for_retry(message, Later("busy", "", 5.0), 0)) is not None:
        message = again
        waits.append(message.number(NOT_BEFORE, 0))
    assert waits == [5_000, 8_000, 32_000, 60_000]
    assert message.number(ATTEMPT, 0) == 5


@pytest.mark.parametrize("message", [
    Message(b"k", b"v", {"webhook-id": b"1"}), Message(None, None), Message(b"", b"", {"a": b""}),
])  # fmt: skip
def test_a_letter_remembers_the_message(message: Message) -> None:
    marked = message.marked(**{ORIGIN: origin(1, 2, message)})
    letter = for_dead_letters(marked, Later("busy", "x" * 5_000), 7)
    assert letter.key == origin(1, 2, message).encode()
    assert letter.value is not None
    assert max(len(data) for data in letter.headers.values()) < 1_000
    assert raised(letter) == message


def test_a_record_s_origin_is_its_own() -> None:
    one: dict[str, Any] = {"message": Message(b"k", b"v", {"webhook-id": b"1"})}
    assert origin(0, 1, **one) == origin(0, 1, **one)
    assert origin(0, 1, **one) != origin(0, 2, **one)
    assert origin(0, 1, **one) != origin(0, 1, Message(b"k", b"other"))
