"""`EventBus` on Kafka: facts out by the relay, and every gateway hears all of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backends.kafka_sender import Record, Sender
from backends.kafka_topics import Cluster, Outage, away, ensure, probe, translated
from core import telemetry
from core.errors import Unavailable
from core.events import Event

VERSION = 1
_PUBLISH_SECONDS = 10.0
_POLL_MS, _LOOK_SECONDS, _LOOK_MS = 1_000, 5.0, 4_000
_READY_SECONDS = 5.0

Listener = Callable[[Sequence[Event]], None]

# What leaves the house: names and ids. Summaries, targets and the words of errors may hold a
# document's text or an address with a secret in it; who may see them asks the API.
_PUBLIC = frozenset({
    "workflow", "step", "steps", "agent", "attempt", "items", "effect_id", "approval_id",
    "connector", "by", "asks",
})  # fmt: skip


def encode(event: Event) -> bytes:
    data = {name: value for name, value in event.data.items() if name in _PUBLIC}
    if isinstance(error := event.data.get("error"), Mapping):
        data["error"] = {"code": error.get("code")}
    body = {
        "version": VERSION, "seq": event.seq, "tenant": event.tenant, "run": event.run_id,
        "type": event.type, "at": event.at_ms, "data": data,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def decode(value: bytes | None) -> Event | None:
    """None for what Weft did not write."""
    try:
        body = json.loads(value or b"")
        if body["version"] != VERSION:
            return None
        return Event(
            int(body["seq"]), str(body["tenant"]), body["run"], str(body["type"]),
            int(body["at"]), dict(body["data"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None


def _record(topic: str, event: Event) -> Record:
    headers = {"weft-type": event.type.encode(), "weft-tenant": event.tenant.encode()}
    if event.traceparent:
        headers["traceparent"] = event.traceparent.encode()
    return Record(topic, f"{event.tenant}:{event.run_id or ''}".encode(), encode(event), headers)


class KafkaBus:
    """At least once and in order per run: a failed batch is sent again from its first event, so
    a reader drops what has no greater `seq` than the run's last."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sender = Sender(cluster, _PUBLISH_SECONDS)
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._ear: _Ear | None = None

    def publish(self, events: Sequence[Event]) -> None:
        """Returns when every event is acknowledged; else raises `Unavailable`."""
        self._sender.send([_record(self._cluster.events, one) for one in events])

    def subscribe(self, listen: Listener) -> Callable[[], None]:
        """Hears what is published from now on; while Kafka is away, from its return on. The
        listener gets ids and names only, from a thread of the bus."""
        with self._lock:
            self._listeners = (*self._listeners, listen)
            ear = self._ear = self._ear or _Ear(self._cluster, self._heard)
        ear.listening.wait(_READY_SECONDS)

        def leave() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listen)
                last = self._ear if not self._listeners else None
                self._ear = None if last else self._ear
            if last:
                last.close()

        return leave

    def _heard(self, events: Sequence[Event]) -> None:
        for listen in self._listeners:
            try:
                listen(events)
            except Exception:  # noqa: BLE001 (an edge: one listener must not silence the others)
                telemetry.log("backends").exception("a listener broke")

    def close(self) -> None:
        with self._lock:
            ear, self._ear, self._listeners = self._ear, None, ()
        if ear:
            ear.close()
        self._sender.close()


class _Ear:
    """A consumer of every partition, without a group, from the end; made anew when Kafka was away
    or its topic is another one."""

    def __init__(self, cluster: Cluster, heard: Listener) -> None:
        self._cluster, self._heard = cluster, heard
        self._stop = threading.Event()
        self.listening = threading.Event()  # or it is clear that Kafka is away
        self._thread = threading.Thread(target=self._run, name="weft-bus", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_POLL_MS / 1000 + 2)

    def _run(self) -> None:
        outage = Outage("the gateway's event stream")
        while not self._stop.is_set():
            try:
                probe(self._cluster)
                ensure(self._cluster)
                with translated(self._cluster):
                    self._listen(outage)
            except Unavailable as error:
                outage.began(error)
            except Exception:  # noqa: BLE001 (an edge: streams go on by looking at the table)
                telemetry.log("backends").exception("the event stream broke")
            self.listening.set()
            self._stop.wait(1.0)

    def _listen(self, outage: Outage) -> None:
        from kafka import KafkaConsumer

        consumer = KafkaConsumer(
            **self._cluster.client, group_id=None, enable_auto_commit=False,
            auto_offset_reset="latest", fetch_max_wait_ms=5_000, allow_auto_create_topics=False,
            metrics_enabled=False,
        )  # fmt: skip
        try:
            self._from_the_end(consumer)
            outage.ended()
            self.listening.set()
            looked = time.monotonic()
            while not self._stop.is_set():
                found = consumer.poll(timeout_ms=_POLL_MS)
                for records in found.values():
                    events = [event for one in records if (event := decode(one.value))]
                    if events:
                        self._heard(events)
                if time.monotonic() - looked > _LOOK_SECONDS:
                    look(self._cluster, consumer, self._cluster.events)
                    looked = time.monotonic()
        finally:
            consumer.close(autocommit=False, timeout_ms=1_000)

    def _from_the_end(self, consumer: Any) -> None:
        parts = partitions(self._cluster, consumer, self._cluster.events)
        consumer.assign(parts)
        for part, offset in consumer.end_offsets(parts, timeout_ms=_LOOK_MS).items():
            consumer.seek(part, offset)


def partitions(cluster: Cluster, consumer: Any, topic: str) -> list[Any]:
    """Raises `Unavailable` when the topic is gone."""
    from kafka import TopicPartition

    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise away(cluster, f"the topic {topic} is gone")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def look(cluster: Cluster, consumer: Any, *topics: str) -> None:
    """A consumer that waits cannot tell silence from an outage, nor a new topic from the old one.
    Raises `Unavailable` when it must be made anew."""
    for topic in topics:
        partitions(cluster, consumer, topic)
    held = sorted(consumer.assignment())
    for part, end in consumer.end_offsets(held, timeout_ms=_LOOK_MS).items():
        if (consumer.position(part, timeout_ms=_LOOK_MS) or 0) > end:
            raise away(cluster, f"the topic {part.topic} is another one now")
