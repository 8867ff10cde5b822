"""A bell that a bad broker has: rings get lost, come up to five times and out of order."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence

from core.ports import JobQueue

WINDOW = 100
LOST = 0.2


class BadBells:
    """`JobQueue` around another one. A ring may wait until up to `WINDOW` later ones were rung."""

    def __init__(self, inner: JobQueue, seed: int) -> None:
        self._inner, self._random = inner, random.Random(seed)
        self._held: list[str] = []
        self._lock = threading.Lock()
        self.lost = self.repeated = 0

    def ring(self, queue: str) -> None:
        with self._lock:
            if self._random.random() < LOST:
                self.lost += 1
                return
            times = self._random.randint(1, 5)
            self.repeated += times - 1
            self._held += [queue] * times
            self._random.shuffle(self._held)
            keep = self._random.randint(0, WINDOW)
            out, self._held = self._held[keep:], self._held[:keep]
        for one in out:
            self._inner.ring(one)

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        self._inner.serve(queues, work, stop, threads)
