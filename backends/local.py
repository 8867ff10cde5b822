"""Doorbell and bus inside one process: threads on conditions, callbacks in order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core import telemetry
from core.events import Event


@dataclass(eq=False, slots=True)
class _Sleeper:
    queues: frozenset[str]
    woken: threading.Event = field(default_factory=threading.Event)


class LocalJobs:
    """`JobQueue`: one ring wakes one sleeper of that queue; a silent bell is looked at anyway
    after `sweep_seconds`."""

    def __init__(self, sweep_seconds: float) -> None:
        self._sweep = sweep_seconds
        self._lock = threading.Lock()
        self._rung: Counter[str] = Counter()
        self._servers: Counter[str] = Counter()
        self._sleepers: list[_Sleeper] = []

    def ring(self, queue: str) -> None:
        with self._lock:
            for index in range(len(self._sleepers) - 1, -1, -1):
                if queue in self._sleepers[index].queues:
                    self._sleepers.pop(index).woken.set()
                    return
            # Nobody sleeps. Each server looks again before it does, so one ring for each is enough.
            self._rung[queue] = min(self._rung[queue] + 1, max(1, self._servers[queue]))

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        mine = frozenset(queues)
        with self._lock:
            self._servers.update(dict.fromkeys(mine, threads))
        try:
            crew = [self._start(number, mine, work, stop) for number in range(threads)]
            stop.wait()
            self._wake()
            for thread in crew:
                thread.join()
        finally:
            with self._lock:
                self._servers.subtract(dict.fromkeys(mine, threads))

    def _start(
        self, number: int, queues: frozenset[str], work: Callable[[], bool], stop: threading.Event
    ) -> threading.Thread:
        """A daemon: a step that does not end must not keep a process that was told to stop."""

        def look() -> None:
            while not stop.is_set():
                if not work():
                    self._wait(queues, stop)

        thread = threading.Thread(target=look, name=f"weft-work-{number}", daemon=True)
        thread.start()
        return thread

    def _wake(self) -> None:
        """Whoever sleeps for another `stop` looks once and sleeps again."""
        with self._lock:
            for sleeper in self._sleepers:
                sleeper.woken.set()
            self._sleepers.clear()

    def _wait(self, queues: frozenset[str], stop: threading.Event) -> None:
        sleeper = _Sleeper(queues)
        with self._lock:
            if stop.is_set():
                return
            for queue in queues:
                if self._rung[queue] > 0:
                    self._rung[queue] -= 1
                    return
            self._sleepers.append(sleeper)
        if not sleeper.woken.wait(self._sweep):
            with self._lock:
                if sleeper in self._sleepers:
                    self._sleepers.remove(sleeper)


class LocalBus:
    """`EventBus`: subscribers are called by the publisher's thread, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[Sequence[Event]], None], ...] = ()

    def publish(self, events: Sequence[Event]) -> None:
        for listen in self._listeners:
            try:
                listen(events)
            except Exception:  # noqa: BLE001 (an edge: one listener must not silence the others)
                telemetry.log("backends").exception("a listener broke")

    def subscribe(self, listen: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        with self._lock:
            self._listeners = (*self._listeners, listen)

        def leave() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listen)

        return leave
