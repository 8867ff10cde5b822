"""A circuit breaker per target: five failures in a row, then thirty seconds of rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

from core.clock import Clock, SystemClock
from core.errors import InDoubt, Unavailable


@dataclass(slots=True)
class _State:
    failures: int = 0
    shut_until_ms: int = 0


class Breaker:
    """`Unavailable` and `InDoubt` count as failures; a target that refuses a request is alive."""

    def __init__(
        self, clock: Clock | None = None, failures: int = 5, seconds: float = 30.0
    ) -> None:
        self._clock, self._failures, self._seconds = clock or SystemClock(), failures, seconds
        self._states: dict[str, _State] = {}
        self._lock = threading.Lock()

    @contextmanager
    def guard(self, target: str, alive: Set[str] = frozenset()) -> Iterator[None]:
        """Raises `Unavailable` with `retry_after` at once while `target` rests; when the rest is
        over, one caller probes and the others go on waiting. `alive`: codes that are no failure."""
        self._enter(target)
        try:
            yield
        except (Unavailable, InDoubt) as error:
            (self._answered if error.slug in alive else self._failed)(target)
            raise
        except BaseException:
            self._answered(target)
            raise
        self._answered(target)

    def open(self, target: str) -> bool:
        """Whether `target` rests now; for `agents/status`."""
        with self._lock:
            state = self._states.get(target)
            return bool(state and state.shut_until_ms > self._clock.now_ms())

    def _enter(self, target: str) -> None:
        with self._lock:
            state = self._states.get(target)
            if state is None or state.failures < self._failures:
                return
            wait_ms = state.shut_until_ms - self._clock.now_ms()
            if wait_ms > 0:
                raise Unavailable(
                    f"{target} failed {state.failures} times in a row and rests for a while.",
                    code="target_resting",
                    retry_after=-(-wait_ms // 1000),  # rounded up: who comes then is let in
                )
            state.shut_until_ms = self._clock.now_ms() + int(self._seconds * 1000)

    def _failed(self, target: str) -> None:
        with self._lock:
            state = self._states.setdefault(target, _State())
            state.failures += 1
            if state.failures >= self._failures:
                state.shut_until_ms = self._clock.now_ms() + int(self._seconds * 1000)

    def _answered(self, target: str) -> None:
        with self._lock:
            self._states.pop(target, None)
