"""Kafka's address, Weft's topics there, and what `doctor` wants to know of them."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core import telemetry
from core.errors import InvalidInput, Unavailable

_PROBE_SECONDS = 1.0
_BOOTSTRAP_MS = 5_000
RECORD_BYTES_MAX = 2 * 2**20  # a dead letter is its message and the reason

# The client tells of every attempt to connect; `Outage` says it once, in words.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Cluster:
    """`kafka://HOST:PORT[,HOST:PORT…][?prefix=weft&partitions=6&replication=3]`"""

    servers: tuple[str, ...]
    prefix: str = "weft"
    partitions: int = 6
    replication: int | None = None  # None: as many as there are brokers, three at most

    @classmethod
    def at(cls, url: str) -> Cluster:
        """Raises `InvalidInput`."""
        parts = urlsplit(url)
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        servers = tuple(place for place in parts.netloc.split(",") if place)
        good = set(given) <= {"prefix", "partitions", "replication"} and servers
        numbers = [given[name] for name in ("partitions", "replication") if name in given]
        if not good or not all(text.isdigit() and 0 < int(text) < 1000 for text in numbers):
            raise InvalidInput(
                f"WEFT_BUS_URL={url!r} is not understood; use kafka://HOST:9092, after it perhaps "
                "?prefix=weft&partitions=6&replication=3.",
                code="bad_bus_url",
            )
        return cls(
            tuple(place if ":" in place else f"{place}:9092" for place in servers),
            given.get("prefix", "weft"), int(given.get("partitions", 6)),
            int(given["replication"]) if "replication" in given else None,
        )  # fmt: skip

    @property
    def events(self) -> str:
        return f"{self.prefix}.events"

    @property
    def ingest(self) -> str:
        return f"{self.prefix}.ingest"

    @property
    def retry(self) -> str:
        return f"{self.prefix}.ingest.retry"

    @property
    def dead(self) -> str:
        return f"{self.prefix}.ingest.dead"

    @property
    def group(self) -> str:
        return f"{self.prefix}-intake"

    @property
    def client(self) -> dict[str, Any]:
        """What every client of it is opened with."""
        return {
            "bootstrap_servers": list(self.servers), "client_id": self.prefix,
            "bootstrap_timeout_ms": _BOOTSTRAP_MS, "reconnect_backoff_max_ms": 1_000,
        }  # fmt: skip

    def topics(self) -> dict[str, dict[str, Any]]:
        """Each with its own settings. Whoever sends may compress as they like: the broker unpacks,
        so that no message can be unreadable here. Dead letters are kept until they are settled."""
        size = {"max.message.bytes": str(RECORD_BYTES_MAX)}
        plain = {**size, "compression.type": "uncompressed"}
        return {
            self.events: {}, self.ingest: {"compression.type": "uncompressed"}, self.retry: plain,
            self.dead: {**plain, "cleanup.policy": "compact"},
        }  # fmt: skip


def probe(cluster: Cluster) -> None:
    """Raises `Unavailable` at once where the client would try for seconds."""
    why: OSError | None = None
    for place in cluster.servers:
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS).close()
        except OSError as error:
            why = error
        else:
            return
    raise away(cluster, why)


def away(cluster: Cluster, why: object) -> Unavailable:
    return Unavailable(
        f"Kafka at {', '.join(cluster.servers)} does not answer: {why}. Start it, or check "
        "WEFT_BUS_URL.",
        code="bus_unavailable", retry_after=1,
    )  # fmt: skip


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
