"""Rate limits in memory: a moving window per key."""

from __future__ import annotations

import threading
from collections import deque

from core.clock import Clock
from core.ports import Allowance

_KEYS_MAX = 50_000


class LocalLimiter:
    """`Limiter`: an exact log of the window's hits; keys that rest are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hits: dict[tuple[str, int], deque[tuple[int, int]]] = {}

    def hit(self, key: str, limit: int, window_seconds: int, cost: int = 1) -> Allowance:
        now = self._clock.now_ms()
        since = now - window_seconds * 1000
        with self._lock:
            log = self._hits.setdefault((key, window_seconds), deque())
            while log and log[0][0] <= since:
                log.popleft()
            used = sum(taken for _, taken in log)
            allowed = used + cost <= limit
            if allowed:
                log.append((now, cost))
                used += cost
            reset = (log[0][0] - since) / 1000 if log else 0.0
            if len(self._hits) > _KEYS_MAX:
                self._forget(now)
        return Allowance(allowed, limit, max(0, limit - used), reset)

    def _forget(self, now: int) -> None:
        """Drops every key whose window is empty by now."""
        for key, log in list(self._hits.items()):
            if not log or log[-1][0] <= now - key[1] * 1000:
                del self._hits[key]
