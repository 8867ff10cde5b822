"""A process that works: threads that claim, one that keeps the leases and sweeps."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial

from core import telemetry
from core.context import PLATFORM
from core.errors import WeftError
from core.ids import new_id
from database import workers
from database.dispatch import Round
from runtime import Runtime
from workflows.engine import work_once
from workflows.leases import Leases
from workflows.supervision import Agents
from workflows.sweeper import sweep

STOP_SECONDS = 20.0
CHORE_SECONDS = 60.0


class Worker:
    """`run(stop)` works until `stop`, lets the steps in hand finish, and hands back what does not
    finish in time."""

    def __init__(self, rt: Runtime, agents: Agents, queues: Sequence[str]) -> None:
        self._rt, self._agents, self._queues = rt, agents, tuple(queues)
        self._leases, self._round = Leases(), Round()
        self.id = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-8:]}"
        self._log = telemetry.log("workflows", worker=self.id)

    def run(self, stop: threading.Event) -> None:
        self._join()
        keeper = self._thread("keeper", self._keep, stop)
        crew = self._thread("crew", self._serve, stop)
        beside = [self._thread(f"beside-{n}", partial(one, self._rt), stop)
                  for n, one in enumerate(self._agents.beside)]  # fmt: skip
        try:
            stop.wait()
        finally:
            crew.join(STOP_SECONDS)
            keeper.join(STOP_SECONDS)
            for one in beside:
                one.join(STOP_SECONDS)
            self._leases.release(self._rt)
            with contextlib.suppress(WeftError):
                self._leave()

    def _thread(
        self, name: str, target: Callable[[threading.Event], None], stop: threading.Event
    ) -> threading.Thread:
        thread = threading.Thread(target=target, args=(stop,), name=f"weft-{name}", daemon=True)
        thread.start()
        return thread

    def _serve(self, stop: threading.Event) -> None:
        def work() -> bool:
            return not stop.is_set() and self._once(stop)

        self._rt.jobs.serve(self._queues, work, stop, self._rt.settings.worker_threads)

    def _once(self, stop: threading.Event) -> bool:
        try:
            return work_once(
                self._rt, self._queues, self._agents, leases=self._leases, owner=self.id,
                round_=self._round,
            )  # fmt: skip
        except WeftError as error:
            self._log.warning("the worker waits", **error.to_json())
        except Exception:  # noqa: BLE001 (an edge: the worker goes on)
            self._log.exception("the worker broke")
        stop.wait(1.0)
        return False

    def _keep(self, stop: threading.Event) -> None:
        """Heartbeat, leases and sweeps, each in its own rhythm."""
        settings = self._rt.settings
        pause = min(settings.sweep_seconds, settings.heartbeat_seconds)
        since_beat, since_chores = 0.0, CHORE_SECONDS
        while not stop.wait(pause):
            since_beat += pause
            since_chores += pause
            try:
                sweep(self._rt, self._agents)
                if since_chores >= CHORE_SECONDS:
                    since_chores = 0.0
                    for chore in self._agents.chores:
                        chore(self._rt)
                if since_beat >= settings.heartbeat_seconds:
                    since_beat = 0.0
                    self._beat()
            except WeftError as error:
                self._log.warning("the sweep waits", **error.to_json())
            except Exception:  # noqa: BLE001 (an edge: the keeper goes on)
                self._log.exception("the sweep broke")
        self._finish_keeping()

    def _finish_keeping(self) -> None:
        """While the last steps finish, their leases go on."""
        with contextlib.suppress(WeftError):
            self._leases.renew(self._rt)

    def _beat(self) -> None:
        self._leases.renew(self._rt)
        with self._rt.db.transaction(PLATFORM, durable=False) as tx:
            known = workers.beat(tx, self.id, len(self._leases))
        if not known:
            self._join()

    def _join(self) -> None:
        with self._rt.db.transaction(PLATFORM, durable=False) as tx:
            workers.join(tx, self.id, "worker", self._queues, os.getpid(), socket.gethostname())

    def _leave(self) -> None:
        with self._rt.db.transaction(PLATFORM, durable=False) as tx:
            workers.leave(tx, self.id)
