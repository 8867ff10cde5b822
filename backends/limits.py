"""Rate limits in memory: a moving window per key."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from core.clock import Clock
from core.ports import Allowance

_KEYS_MAX = 50_000


@dataclass(slots=True)
class _Log:
    """Hits of one window, oldest first, as (ms, cost), and what they cost together."""

    hits: deque[tuple[int, int]] = field(default_factory=deque)
    used: int = 0

    def let_go(self, since_ms: int) -> None:
        while self.hits and self.hits[0][0] <= since_ms:
            self.used -= self.hits.popleft()[1]

    def take(self, now_ms: int, cost: int) -> None:
        self.hits.append((now_ms, cost))
        self.used += cost


class LocalLimiter:
    """`Limiter`: an exact log of the window's hits; keys that rest are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logs: dict[tuple[str, int], _Log] = {}

    def hit(self, key: str, limit: int, window_seconds: int, cost: int = 1) -> Allowance:
        now = self._clock.now_ms()
        since = now - window_seconds * 1000
        with self._lock:
            log = self._logs.setdefault((key, window_seconds), _Log())
            log.let_go(since)
            allowed = log.used + cost <= limit
            if allowed:
                log.take(now, cost)
            reset = (log.hits[0][0] - since) / 1000 if log.hits else 0.0
            left = max(0, limit - log.used)
            if len(self._logs) > _KEYS_MAX:
                self._forget(now)
        return Allowance(allowed, limit, left, reset)

    def _forget(self, now: int) -> None:
        """Drops every key whose window is empty by now."""
        for key, log in list(self._logs.items()):
            if not log.hits or log.hits[-1][0] <= now - key[1] * 1000:
                del self._logs[key]
