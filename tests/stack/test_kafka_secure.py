"""Kafka by TLS with a password, and batches as other people's programs pack them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kafka import KafkaProducer

from backends.kafka_cluster import Cluster, roundtrip_ms
from backends.kafka_topics import admin, ensure
from core.errors import Unavailable
from core.ids import new_id
from core.messages import Message, Taken, Verdict
from tests.stack.kafka_side import put, settled, taking, until
from tests.stack.servers import Servers

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:.*ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]
TLS = 54  # ports after the first one, as the stack lays them out


class Heard:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.values: list[bytes] = []

    def __call__(self, message: Message) -> Verdict:
        with self._lock:
            self.values.append(message.value or b"")
        return Taken("run")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The client leaves the socket of a broker that refuses it to the collector: it comes now, and
    not in another test."""
    yield
    gc.collect()


def url(servers: Servers, sasl: str, password: str = "", ca: bool = True) -> str:
    servers.up("kafka")
    word = password or servers.secret("kafka")
    own = Path(servers.environment["WEFT_STACK_DIR"]) / "kafka" / "ca.pem"
    port = (urlsplit(servers.url("kafka")).port or 0) + TLS
    trust = f"&ca={own}" if ca else ""
    return f"kafka+ssl://weft:{word}@localhost:{port}?sasl={sasl}&prefix=t{new_id()}{trust}"


def answers(cluster: Cluster) -> bool:
    """Within a second; the first handshake of a busy broker takes longer."""
    try:
        return roundtrip_ms(cluster) > 0
    except Unavailable:
        return False


@pytest.mark.parametrize("sasl", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_messages_come_by_tls_with_a_password(servers: Servers, sasl: str) -> None:
    cluster, heard = Cluster.at(url(servers, sasl)), Heard()
    until(lambda: answers(cluster), what="an answer by TLS")
    with taking(cluster, heard):
        put(cluster, [Message(b"k", b"one", {}), Message(b"k", b"two", {})])
        until(lambda: len(heard.values) == 2)
    assert heard.values == [b"one", b"two"]


@pytest.mark.parametrize("sasl", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_and_a_stranger_s_certificate_are_refused(
    servers: Servers, sasl: str
) -> None:
    for address in (url(servers, sasl, password="wrong"), url(servers, sasl, ca=False)):
        with pytest.raises(Unavailable) as caught:
            ensure(Cluster.at(address))
        assert servers.secret("kafka") not in str(caught.value)


def test_what_a_sender_packed_is_unpacked(servers: Servers) -> None:
    """On a topic that an operator made in his own way."""
    servers.up("kafka")
    cluster = Cluster.at(f"{servers.url('kafka')}?prefix=t{new_id()}&partitions=2")
    with admin(cluster) as client:
        client.create_topics({cluster.ingest: {
            "num_partitions": 2, "replication_factor": 1,
            "configs": {"compression.type": "producer"},
        }})  # fmt: skip
    ensure(cluster)
    heard, sent = Heard(), []
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        values = [f"{codec} {n}".encode() + b" packed" * (n * 500) for n in range(40)]
        sent += values
        send(cluster, codec, values)
    with taking(cluster, heard):
        until(lambda: settled(cluster), what="all of it")
    assert sorted(heard.values) == sorted(sent)


def send(cluster: Cluster, codec: str, values: list[bytes]) -> None:
    """As a program of somebody else does: many messages in one batch."""
    options: dict[str, Any] = {"compression_type": codec, "linger_ms": 100, "batch_size": 900_000}
    producer = KafkaProducer(bootstrap_servers=list(cluster.servers), **options)
    try:
        futures = [producer.send(cluster.ingest, value, b"key") for value in values]
        for future in futures:
            future.get(timeout=30)
    finally:
        producer.close()
