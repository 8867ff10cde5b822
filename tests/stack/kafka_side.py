"""Kafka as a test has it: topics of its own on the shared broker, an intake, a look inside."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from backends.kafka_bus import partitions
from backends.kafka_intake import KafkaIntake
from backends.kafka_sender import Record, Sender
from backends.kafka_topics import Cluster, ensure, lag
from core.clock import SystemClock
from core.ids import new_id
from core.messages import Message, Verdict
from tests.stack.servers import Servers

TORTURE = bool(os.environ.get("WEFT_TORTURE"))
SECONDS = 60.0
_nothing = threading.Event()


def address(servers: Servers, partitions: int = 3) -> str:
    """With a prefix that nobody had before."""
    servers.up("kafka")
    return f"{servers.url('kafka')}?prefix=t{new_id()}&partitions={partitions}"


def until(look: Callable[[], Any], seconds: float = SECONDS, what: str = "it") -> Any:
    """What `look` gives once that is true."""
    for _ in range(int(seconds / 0.05)):
        if found := look():
            return found
        _nothing.wait(0.05)
    raise AssertionError(f"{what} did not happen in {seconds:.0f} s")


def put(cluster: Cluster, messages: Iterable[Message], topic: str = "") -> None:
    """As a sender of the outside would; several batches, so that they arrive in their order."""
    found = [Record(topic or cluster.ingest, m.key, m.value, m.headers) for m in messages]
    with closing(Sender(cluster, SECONDS)) as sender:
        for at in range(0, len(found), 50):
            sender.send(found[at : at + 50])


@contextmanager
def taking(
    cluster: Cluster, receive: Callable[[Message], Verdict],
    ready: Callable[[], bool] = lambda: True,
) -> Iterator[None]:  # fmt: skip
    """One intake, as one process of the role has it."""
    stop = threading.Event()
    door = KafkaIntake(cluster, SystemClock())
    thread = threading.Thread(target=door.serve, args=(receive, ready, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def settled(cluster: Cluster) -> bool:
    return not any(lag(cluster).values())


def everything(cluster: Cluster, topic: str) -> list[Any]:
    """The records of a topic, each partition in its order."""
    from kafka import KafkaConsumer

    ensure(cluster)
    consumer = KafkaConsumer(**cluster.client, group_id=None, auto_offset_reset="earliest")
    try:
        parts = partitions(cluster, consumer, topic)
        consumer.assign(parts)
        ends = consumer.end_offsets(parts, timeout_ms=5_000)
        consumer.seek_to_beginning(*parts)
        found: list[Any] = []
        while any((consumer.position(part) or 0) < end for part, end in ends.items()):
            for records in consumer.poll(timeout_ms=5_000).values():
                found += records
        return found
    finally:
        consumer.close(autocommit=False)
