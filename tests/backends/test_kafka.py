"""What of Kafka needs no broker: its address, what leaves the house, a broker that is not there."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends.build import intake, open_runtime
from backends.kafka_bus import KafkaBus, decode, encode
from backends.kafka_cluster import Cluster, roundtrip_ms
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


def test_an_address_by_tls_says_who_signs_in_and_never_shows_the_password() -> None:
    cluster = Cluster.at("kafka+ssl://ann:p%40ss%3F@one:1,two?sasl=SCRAM-SHA-256&prefix=x")
    assert (cluster.servers, cluster.user, cluster.password) == (
        ("one:1", "two:9093"),
        "ann",
        "p@ss?",
    )
    opened = cluster.client
    assert opened["security_protocol"] == "SASL_SSL"
    assert opened["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (opened["sasl_plain_username"], opened["sasl_plain_password"]) == ("ann", "p@ss?")
    assert opened["ssl_context"].check_hostname
    assert "p@ss" not in repr(cluster)
    assert Cluster.at("kafka+ssl://ann:secret@h").client["sasl_mechanism"] == "SCRAM-SHA-512"
    assert Cluster.at("kafka+ssl://h").client["security_protocol"] == "SSL"
    assert "security_protocol" not in Cluster.at("kafka://h").client


@pytest.mark.parametrize(
    "url",
    [
        "kafka://ann:secret@h",  # no secret goes over an open wire
        "kafka+ssl://ann@h",
        "kafka+ssl://ann:secret@h?sasl=GSSAPI",
        "kafka+ssl://h?sasl=PLAIN",
        "kafka://h?ca=/ca.pem",
        "kafka+ssl://ann:secret@h?partitions=many",
    ],
)
def test_what_cannot_be_signed_in_with_is_refused_without_the_secret(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"kafka\+ssl://USER:PASSWORD") as caught:
        Cluster.at(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_holds_no_certificates_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="WEFT_BUS_URL"):
        _ = Cluster.at(f"kafka+ssl://h?ca={tmp_path / 'none.pem'}").client


def test_a_server_that_speaks_otherwise_is_not_kafka() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as link:
                link.sendall(b"HTTP/1.1 400 No")
                link.recv(100)

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(Unavailable, match="something else"):
            roundtrip_ms(Cluster.at(f"kafka://127.0.0.1:{server.getsockname()[1]}"))
        thread.join()


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
        assert time.monotonic() - began < 10


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
