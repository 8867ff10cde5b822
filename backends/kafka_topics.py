"""Weft's topics in Kafka, and what `doctor` wants to know of them."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from backends.kafka_cluster import RECORD_BYTES_MAX, Cluster, away, probe
from core import telemetry
from core.errors import Unavailable

__all__ = ["RECORD_BYTES_MAX", "Cluster", "away", "probe"]

# The client tells of every attempt to connect; `Outage` says it once, in words.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def translated(cluster: Cluster) -> Iterator[None]:
    """The client's errors as `Unavailable`."""
    from kafka.errors import KafkaError

    try:
        yield
    except (KafkaError, OSError) as error:
        raise away(cluster, f"{type(error).__name__} {error}".strip()) from error


@contextlib.contextmanager
def admin(cluster: Cluster) -> Iterator[Any]:
    from kafka import KafkaAdminClient

    probe(cluster)
    with translated(cluster):
        client = KafkaAdminClient(**cluster.client, request_timeout_ms=10_000)
        try:
            yield client
        finally:
            client.close()


def ensure(cluster: Cluster) -> None:
    """Makes the topics that are missing; those that are there stay as the operator made them."""
    from kafka.errors import TopicAlreadyExistsError

    with admin(cluster) as client:
        missing = set(cluster.topics()) - set(client.list_topics())
        if not missing:
            return
        copies = cluster.replication or min(3, len(client.describe_cluster()["brokers"]))
        wanted = {
            name: {"num_partitions": 1 if name == cluster.dead else cluster.partitions,
                   "replication_factor": copies, "configs": configs}
            for name, configs in cluster.topics().items() if name in missing
        }  # fmt: skip
        with contextlib.suppress(TopicAlreadyExistsError):  # another process was first
            client.create_topics(wanted)
        client.wait_for_topics(sorted(missing))


def missing(cluster: Cluster) -> list[str]:
    """Topics of Weft's that are not there. Raises `Unavailable`."""
    with admin(cluster) as client:
        return sorted(set(cluster.topics()) - set(client.list_topics()))


def lag(cluster: Cluster) -> dict[str, int]:
    """Topic → messages that the intake has not settled yet. Raises `Unavailable`."""
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec

    with admin(cluster) as client:
        there = client.describe_topics([cluster.ingest, cluster.retry])
        parts = [
            TopicPartition(topic["name"], part["partition_index"])
            for topic in there for part in topic["partitions"]
        ]  # fmt: skip
        done = _settled(client, cluster, parts)
        firsts = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
        lasts = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    found = dict.fromkeys((cluster.ingest, cluster.retry), 0)
    for part in parts:
        settled = done[part].offset if part in done else -1
        found[part.topic] += max(0, lasts[part].offset - max(settled, firsts[part].offset))
    return found


def _settled(client: Any, cluster: Cluster, parts: list[Any]) -> dict[Any, Any]:
    """A broker that has just begun makes its table of offsets first."""
    from kafka.errors import RetriableError

    for _ in range(20):
        with contextlib.suppress(RetriableError):
            found: dict[Any, Any] = client.list_group_offsets({cluster.group: parts})
            return dict(found[cluster.group])
        time.sleep(0.25)
    return {}


class Outage:
    """Says once that Kafka is away and once that it is back."""

    def __init__(self, who: str) -> None:
        self._log = telemetry.log("backends")
        self._who = who
        self._down = False

    def began(self, error: Unavailable) -> None:
        if not self._down:
            self._log.warning(f"{self._who} waits for Kafka", **error.to_json())
        self._down = True

    def ended(self) -> None:
        if self._down:
            self._log.info(f"{self._who} has Kafka again")
        self._down = False


def headers_of(record: Any) -> Mapping[str, bytes]:
    """Of a consumed record."""
    return {str(name).lower(): bytes(data or b"") for name, data in record.headers or ()}
