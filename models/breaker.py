"""Five failures in a row and a model server is left alone; then one call at a time may try it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.errors import Unavailable


class Breaker:
    def __init__(
        self,
        name: str,
        failures_max: int = 5,
        open_seconds: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._failures_max = failures_max
        self._open_seconds = open_seconds
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_at = 0.0

    @property
    def open(self) -> bool:
        return self._failures >= self._failures_max and self._now() < self._closed_at

    def enter(self) -> None:
        """Raises `Unavailable` while open; after that, lets one call through per period."""
        with self._lock:
            if self._failures < self._failures_max:
                return
            wait = self._closed_at - self._now()
            if wait > 0:
                raise Unavailable(
                    f"{self._name} failed {self._failures} times in a row and is left alone.",
                    code="model_breaker_open",
                    retry_after=round(wait, 1),
                )
            self._closed_at = self._now() + self._open_seconds

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._closed_at = self._now() + self._open_seconds

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
