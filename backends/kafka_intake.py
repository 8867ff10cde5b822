"""Messages in from Kafka: each is settled before its offset is, so a crash only repeats it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from backends.kafka_bus import look
from backends.kafka_sender import Record, Sender
from backends.kafka_topics import Cluster, Outage, ensure, headers_of, probe, translated
from core import telemetry
from core.clock import Clock
from core.errors import TooLarge, Unavailable
from core.failpoints import fp
from core.messages import (
    ATTEMPT,
    CUT,
    DEAD_AT,
    MARKS,
    NOT_BEFORE,
    ORIGIN,
    Later,
    Message,
    Refused,
    Taken,
    Verdict,
    for_dead_letters,
    for_retry,
    origin,
)

_POLL_MS, _POLL_RECORDS = 500, 50
_LOOK_SECONDS = 5.0
_SEND_SECONDS = 10.0
_HOLD_SECONDS = 1.0
_CUT_BYTES = 64 * 2**10

Receive = Callable[[Message], Verdict]


class KafkaIntake:
    """One member of the group that shares the partitions of `ingest` and its retry topic."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster, self._clock = cluster, clock
        self._sender = Sender(cluster, _SEND_SECONDS)
        self._log = telemetry.log("backends")

    def serve(self, receive: Receive, ready: Callable[[], bool], stop: threading.Event) -> None:
        """Until `stop`. While the platform is not `ready` (its database is away) messages wait
        where they are, instead of using up their attempts."""
        outage = Outage("the intake")
        while not stop.is_set():
            try:
                probe(self._cluster)
                ensure(self._cluster)
                with translated(self._cluster):
                    self._consume(receive, ready, stop, outage)
            except Unavailable as error:
                outage.began(error)
            except Exception:  # noqa: BLE001 (an edge: what is not settled comes again)
                self._log.exception("the intake broke")
            stop.wait(1.0)
        self._sender.close()

    def _consume(
        self, receive: Receive, ready: Callable[[], bool], stop: threading.Event, outage: Outage
    ) -> None:
        from kafka import KafkaConsumer

        topics = (self._cluster.ingest, self._cluster.retry)
        consumer = KafkaConsumer(
            **self._cluster.client, group_id=self._cluster.group, enable_auto_commit=False,
            auto_offset_reset="earliest", max_poll_records=_POLL_RECORDS, fetch_max_wait_ms=1_000,
            session_timeout_ms=10_000, allow_auto_create_topics=False, metrics_enabled=False,
        )  # fmt: skip
        try:
            consumer.subscribe(topics)
            waits = _Waits(consumer, self._clock)
            outage.ended()
            looked = time.monotonic()
            while not stop.is_set():
                waits.go_on()
                for part, records in consumer.poll(timeout_ms=_POLL_MS).items():
                    self._settle_all(consumer, part, records, receive, ready, waits, stop)
                if time.monotonic() - looked > _LOOK_SECONDS:
                    look(self._cluster, consumer, *topics)
                    looked = time.monotonic()
        finally:
            consumer.close(autocommit=False, timeout_ms=2_000)

    def _settle_all(
        self, consumer: Any, part: Any, records: list[Any], receive: Receive,
        ready: Callable[[], bool], waits: _Waits, stop: threading.Event,
    ) -> None:  # fmt: skip
        from kafka.structs import OffsetAndMetadata

        settled = None
        for record in records:
            if stop.is_set():
                break
            message = self._message(record)
            due = message.number(NOT_BEFORE, 0)
            if due > self._clock.now_ms():
                waits.add(part, record.offset, due)
                break
            if not self._settle(message, receive, ready):
                hold = self._clock.now_ms() + int(_HOLD_SECONDS * 1000)
                waits.add(part, record.offset, hold)
                break
            settled = record
        if settled is not None:
            at = OffsetAndMetadata(settled.offset + 1, "", settled.leader_epoch or -1)
            with fp("intake.commit"):
                consumer.commit({part: at}, timeout_ms=5_000)

    def _message(self, record: Any) -> Message:
        """The marks are believed only where Weft itself wrote them."""
        message = Message(record.key, record.value, headers_of(record))
        if record.topic == self._cluster.retry and message.text(ORIGIN):
            return message
        message = message.bare()
        return message.marked(**{ORIGIN: origin(record.partition, record.offset, message)})

    def _settle(self, message: Message, receive: Receive, ready: Callable[[], bool]) -> bool:
        """False: it waits where it is. Raises `Unavailable` when Kafka takes nothing."""
        try:
            verdict = receive(message)
        except Exception:  # noqa: BLE001 (an edge: one message must not stop the others)
            self._log.exception("a message broke the intake", origin=message.text(ORIGIN))
            verdict = Later("internal_error", "Something broke on our side; see the log.")
        if isinstance(verdict, Taken):
            telemetry.messages.labels("again" if verdict.again else "taken").inc()
            return True
        if isinstance(verdict, Later):
            if not ready():
                return False
            again = for_retry(message, verdict, self._clock.now_ms())
            if again is not None:
                self._send(self._cluster.retry, again)
                telemetry.messages.labels("later").inc()
                return True
        self._bury(message, verdict)
        return True

    def _bury(self, message: Message, why: Later | Refused) -> None:
        letter = for_dead_letters(message, why, self._clock.now_ms())
        try:
            self._send(self._cluster.dead, letter)
        except TooLarge:  # its topic was made for larger messages than the dead letters' was
            small = {name: data for name, data in letter.headers.items() if len(data) < 1024}
            ours = {n: d for n, d in small.items() if n in MARKS or n.startswith("webhook-")}
            short = Message(letter.key, (letter.value or b"")[:_CUT_BYTES], ours)
            self._send(self._cluster.dead, short.marked(**{CUT: str(len(message.value or b""))}))
        telemetry.messages.labels("dead").inc()
        self._log.warning(
            "a message was refused", code=why.code, origin=message.text(ORIGIN),
            attempts=message.number(ATTEMPT, 1), at=letter.text(DEAD_AT),
        )  # fmt: skip

    def _send(self, topic: str, message: Message) -> None:
        self._sender.send([Record(topic, message.key, message.value, message.headers)])


class _Waits:
    """Partitions that rest until their first message is due; the others go on."""

    def __init__(self, consumer: Any, clock: Clock) -> None:
        self._consumer, self._clock = consumer, clock
        self._due: dict[Any, int] = {}

    def add(self, part: Any, offset: int, due_ms: int) -> None:
        self._consumer.seek(part, offset)
        self._consumer.pause(part)
        self._due[part] = due_ms

    def go_on(self) -> None:
        now, held = self._clock.now_ms(), self._consumer.assignment()
        over = [part for part, due in self._due.items() if due <= now or part not in held]
        for part in over:
            del self._due[part]
            if part in held:
                self._consumer.resume(part)
