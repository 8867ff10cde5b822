"""Messages that were refused: looked at, put back, or dropped, and never lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends.kafka_bus import partitions
from backends.kafka_sender import Record, Sender
from backends.kafka_topics import Cluster, ensure, headers_of, probe, translated
from core.errors import NotFound, Unavailable
from core.messages import Message, raised

_SECONDS = 10.0
_LOOK_MS = 5_000


def letters(cluster: Cluster) -> list[Message]:
    """Oldest first; the key is the letter's id. The topic is a log: a letter counts until a later
    record without a value settles it. Raises `Unavailable`."""
    probe(cluster)
    ensure(cluster)
    found: dict[bytes, Message] = {}
    with translated(cluster):
        for record in _records(cluster):
            if record.value is None:
                found.pop(record.key, None)
            elif record.key is not None:
                found[record.key] = Message(record.key, record.value, headers_of(record))
    return list(found.values())


def redrive(cluster: Cluster, chosen: Sequence[Message]) -> None:
    """Back to where they came in, with their ids. Only what Kafka has acknowledged there is
    settled here: a crash in between leaves both, and the id makes one run of them."""
    sender = Sender(cluster, _SECONDS)
    try:
        for letter in chosen:
            message = raised(letter)
            sender.send([Record(cluster.ingest, message.key, message.value, message.headers)])
            sender.send([Record(cluster.dead, letter.key, None)])
    finally:
        sender.close()


def drop(cluster: Cluster, chosen: Sequence[Message]) -> None:
    sender = Sender(cluster, _SECONDS)
    try:
        sender.send([Record(cluster.dead, letter.key, None) for letter in chosen])
    finally:
        sender.close()


def pick(found: Sequence[Message], ids: Sequence[str]) -> list[Message]:
    """By id, or all without one. Raises `NotFound`."""
    if not ids:
        return list(found)
    known = {(letter.key or b"").decode(): letter for letter in found}
    missing = [one for one in ids if one not in known]
    if missing:
        raise NotFound(f"There is no dead letter {missing[0]}. Type: weft dead-letters list")
    return [known[one] for one in ids]


def _records(cluster: Cluster) -> Iterator[Any]:
    """Everything in the topic up to now."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        **cluster.client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest",
        allow_auto_create_topics=False, metrics_enabled=False,
    )  # fmt: skip
    try:
        parts = partitions(cluster, consumer, cluster.dead)
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts, timeout_ms=_LOOK_MS)
        while any(
            (consumer.position(p, timeout_ms=_LOOK_MS) or 0) < end for p, end in ends.items()
        ):
            batch = consumer.poll(timeout_ms=_LOOK_MS)
            if not batch:
                raise Unavailable("Kafka does not give the dead letters. Try again.")
            for records in batch.values():
                yield from records
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def _left(consumer: Any, ends: Mapping[Any, int]) -> bool:
    at = {part: consumer.position(part, timeout_ms=_LOOK_MS) or 0 for part in ends}
    return any(at[part] < end for part, end in ends.items())
