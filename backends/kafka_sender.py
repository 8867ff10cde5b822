"""Records into Kafka: acknowledged by every replica in sync before anyone goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends.kafka_topics import RECORD_BYTES_MAX, Cluster, ensure, probe, translated
from core.errors import TooLarge

_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Sender:
    """One idempotent producer (KIP-98), opened when it is needed. After a failure it is thrown
    away: what the caller sends again must not meet what the old one still had in its hands."""

    def __init__(self, cluster: Cluster, seconds: float) -> None:
        self._cluster = cluster
        self._seconds = seconds
        self._lock = threading.Lock()
        self._producer: Any = None

    def send(self, records: Sequence[Record]) -> None:
        """Returns when all are acknowledged. Raises `Unavailable` after the deadline: then any of
        them may have arrived, each key's in order. Raises `TooLarge` for a record that the broker
        will not have."""
        from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

        deadline = time.monotonic() + self._seconds
        with self._lock:
            try:
                with translated(self._cluster):
                    self._send(records, deadline)
            except BaseException as error:
                self._drop()
                too_large = (MessageSizeTooLargeError, RecordListTooLargeError)
                if isinstance(error.__cause__, too_large):
                    raise TooLarge("Kafka does not take a record of that size.") from error
                raise

    def _send(self, records: Sequence[Record], deadline: float) -> None:
        producer = self._opened()
        futures = [
            producer.send(one.topic, one.value, one.key, list(one.headers.items()))
            for one in records
        ]
        for future in futures:
            self._acknowledged(future, deadline)

    def _acknowledged(self, future: Any, deadline: float) -> None:
        """The client tries until its deadline; a broker that is not there is noticed sooner."""
        from kafka.errors import KafkaTimeoutError

        while True:
            left = deadline - time.monotonic()
            try:
                future.get(timeout=max(0.001, min(left, _PROBE_SECONDS)))
            except KafkaTimeoutError:
                if future.is_done or left <= _PROBE_SECONDS:
                    raise
                probe(self._cluster)
            else:
                return

    def _opened(self) -> Any:
        if self._producer is None:
            from kafka import KafkaProducer

            probe(self._cluster)
            ensure(self._cluster)
            limit = int(self._seconds * 1000)
            self._producer = KafkaProducer(
                **self._cluster.client, enable_idempotence=True, acks="all",
                allow_auto_create_topics=False, max_block_ms=limit, delivery_timeout_ms=limit,
                request_timeout_ms=max(1000, limit // 2), max_request_size=RECORD_BYTES_MAX + 4096,
                metrics_enabled=False,
            )  # fmt: skip
        return self._producer

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            # Its `close` first sends what it has, and gives up closing when that takes too long.
            producer.flush = _nothing
            producer.close(timeout=0)

    def close(self) -> None:
        with self._lock:
            self._drop()


def _nothing(timeout: float | None = None) -> None: ...
