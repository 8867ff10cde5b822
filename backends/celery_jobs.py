"""The doorbell by Celery on Redis: a bell is a task without content, the claim decides.

Each thread of `serve` is a Celery worker of its own (pool `solo`): it takes one bell at a time,
looks for work inside the task and acknowledges when it found no more, so a busy process leaves the
bells to idle ones. The same thread looks by itself every `sweep_seconds`, and goes on looking
while Redis is away: a lost bell costs time, never a run.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

# What Celery would import late, on several threads at once, each of which may see half of it.
import celery.app.amqp
import celery.concurrency.solo
import celery.worker.worker  # noqa: F401
import kombu.transport.redis  # noqa: F401
import redis
from celery import Celery, Task
from celery.worker.consumer import Consumer
from kombu.exceptions import KombuError

from backends.redis_client import open_redis
from core import telemetry
from core.ids import new_id

PREFIX = "weft:bells:"  # of every key, so that another Celery on the same Redis is not disturbed
TASK = "weft.look"
UNREAD_MAX = 8  # more bells than these wake nobody who is not about to look anyway
TIMEOUT_SECONDS = 2.0
VISIBILITY_SECONDS = 86_400  # longer than any step; a bell given twice would only cost a look
CLOSE_SECONDS = 2.0
_REST_SECONDS = 1.0
_TURN_SECONDS = 0.1  # until a seat asks again whether it may listen
_LOST = (redis.RedisError, KombuError, OSError)

log = telemetry.log("backends")


def queue_name(queue: str) -> str:
    return f"weft.{queue}"


class CeleryJobs:
    """`JobQueue` on `celery+redis://…`. Raises `InvalidInput` that names the setting when Redis
    refuses the password; a Redis that is away is waited for."""

    def __init__(self, url: str, sweep_seconds: float) -> None:
        self._broker = url.removeprefix("celery+")
        self._sweep = sweep_seconds
        self._redis = open_redis(self._broker, "WEFT_JOBS_URL", TIMEOUT_SECONDS)
        self._ringer = _Ringer(_celery(self._broker), self._redis)

    def ring(self, queue: str) -> None:
        self._ringer.ring(queue)

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        opening = threading.Lock()

        def sit() -> None:
            seat = _Seat(_celery(self._broker), queues, work, stop, self._sweep, opening)
            while not stop.is_set():
                rest = seat.look_when_due()  # before it listens: to open an ear takes a while
                if not seat.listen(self._there):
                    stop.wait(min(rest, _TURN_SECONDS))

        # Daemons: a step that does not end must not keep a process that was told to stop.
        crew = [
            threading.Thread(target=sit, name=f"weft-celery-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()

    def close(self) -> None:
        """The last bells are rung; a Redis that is away is not waited for."""
        self._ringer.close()
        self._redis.close()

    def _there(self) -> bool:
        try:
            self._redis.ping()
        except redis.RedisError:
            return False
        return True


class _Ringer:
    """Rings on a thread of its own, so that no caller waits for Redis. Rings of the same queue
    that wait together are one bell a listener; while Redis is away they are dropped."""

    def __init__(self, app: Celery, client: redis.Redis) -> None:
        self._app, self._redis = app, client
        self._rung: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._silent = False

    def ring(self, queue: str) -> None:
        with self._changed:
            self._rung[queue] = min(self._rung[queue] + 1, UNREAD_MAX)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="weft-ringer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        self._app.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._rung or self._closed)
                if not self._rung:
                    return
                rung, self._rung = self._rung, Counter()
            self._deliver(rung)

    def _deliver(self, rung: Counter[str]) -> None:
        try:
            for queue, times in rung.items():
                self._send(queue, times)
        except _LOST as error:
            for queue, times in rung.items():
                telemetry.rings_lost.labels(queue).inc(times)
            if not self._silent:
                log.warning("bells are not heard: Redis is away", error=type(error).__name__)
            self._silent = True
            with self._changed:
                self._changed.wait_for(lambda: self._closed, _REST_SECONDS)
            return
        if self._silent:
            log.info("bells are heard again")
        self._silent = False

    def _send(self, queue: str, times: int) -> None:
        unread = int(self._redis.llen(PREFIX + queue_name(queue)))
        wanted = min(times, UNREAD_MAX - unread)
        for _ in range(wanted):
            self._app.tasks[TASK].apply_async(queue=queue_name(queue), retry=False)


class _Seat:
    """One thread that hears bells."""

    def __init__(
        self,
        app: Celery,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        sweep_seconds: float,
        opening: threading.Lock,
    ) -> None:
        self._opening, self._opens = opening, False
        self._app, self._queues = app, [queue_name(one) for one in queues]
        self._work, self.stop, self._sweep = work, stop, sweep_seconds
        self._next_look = 0.0
        app.seat = self

    def look(self) -> None:
        while not self.stop.is_set() and self._work():
            pass
        self._next_look = time.monotonic() + self._sweep

    def look_when_due(self) -> float:
        """Gives the seconds to the next time, at most those after which `stop` is looked at."""
        if time.monotonic() >= self._next_look:
            self.look()
        return min(self._next_look - time.monotonic(), _REST_SECONDS)

    def listen(self, there: Callable[[], bool]) -> bool:
        """Until `stop`, or until Redis is lost. One seat at a time opens its ear, so that the
        others of a process that starts look for work meanwhile; False says that it was not its
        turn, or that Redis is away."""
        if not self._opening.acquire(blocking=False):
            return False
        self._opens = True
        try:
            return there() and self._listen()
        finally:
            self.opened()

    def opened(self) -> None:
        if self._opens:
            self._opens = False
            self._opening.release()

    def _listen(self) -> bool:
        self._app.set_current()  # for this thread: Celery's tracer looks the task up there
        worker = self._app.WorkController(
            hostname=f"{new_id()[-12:]}@{socket.gethostname()}", queues=self._queues,
            pool_cls="solo", concurrency=1, consumer_cls=_Bells, use_eventloop=False,
            without_mingle=True, without_gossip=True, without_heartbeat=True,
        )  # fmt: skip
        worker.start()
        return True


class _Bells(Consumer):  # type: ignore[misc]
    """Celery's consumer with a loop that also looks by itself and ends with its seat."""

    def loop(self, *_: Any) -> None:
        seat: _Seat = self.app.seat
        self.task_consumer.on_message = self.create_task_handler()
        self.task_consumer.consume()
        self.on_ready()
        seat.opened()
        while not seat.stop.is_set():
            rest = seat.look_when_due()
            with contextlib.suppress(TimeoutError):
                self.connection.drain_events(timeout=max(rest, 0.01))
        self.controller.stop()

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Celery would log the whole message."""
        self._refuse(message)

    on_unknown_message = on_invalid_task = on_unknown_task

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        self._refuse(message)

    def _refuse(self, message: Any) -> None:
        log.warning("a message that is no bell was dropped")
        message.ack_log_error(logging.getLogger("celery"), self.connection_errors)


class _Look(Task):  # type: ignore[misc]
    """A bell's task: no arguments, no result."""

    name = TASK

    def run(self) -> None:
        self.app.seat.look()


def _celery(broker: str) -> Celery:
    """Deny by default: JSON only, one task without arguments, no results, no remote control."""
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters is logged here
    app = Celery("weft", broker=broker, set_as_current=False, fixups=[])
    app.conf.update(
        accept_content=["json"], task_serializer="json", result_serializer="json",
        task_ignore_result=True, task_store_errors_even_if_ignored=False, result_backend=None,
        task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
        task_create_missing_queues=True,
        worker_enable_remote_control=False, worker_send_task_events=False,
        worker_hijack_root_logger=False, worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # The seats decide themselves when to come back: Celery would sleep where no stop is heard.
        broker_connection_retry=False, broker_connection_retry_on_startup=False,
        broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if "rediss:" in broker else None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS, "global_keyprefix": PREFIX,
            "priority_steps": [0], "socket_timeout": TIMEOUT_SECONDS,
            "socket_connect_timeout": TIMEOUT_SECONDS, "max_retries": 0,
        },
    )  # fmt: skip
    app.register_task(_Look())
    return app
