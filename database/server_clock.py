"""What the server's clock says at least, known without a question.

Every transaction hears the server's clock. Since then at least so much time has passed as has
passed here, so a process that has just heard of it needs no round trip to ask again. It is never
ahead of the server: what is marked ready is ready for everybody (F. Cristian, Probabilistic clock
synchronization, 1989, with the lower bound only).
"""

from __future__ import annotations

import threading
import time

FRESH_SECONDS = 1.0  # in which two clocks of any quality go apart by less than a millisecond


class ServerClock:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0  # ms from this machine's monotonic clock to the server's, at least
        self._heard = -FRESH_SECONDS
        self._least = 0  # no answer goes back behind another one

    def at_least_ms(self) -> int | None:
        """None when the last word of the server is too old."""
        with self._lock:
            now = time.monotonic()
            if now - self._heard >= FRESH_SECONDS:
                return None
            self._least = max(self._least, int(self._ahead + now * 1000))
            return self._least

    def heard(self, server_ms: int, asked: float, received: float) -> None:
        """`asked` and `received` by `time.monotonic()`: the clock was read between them."""
        ahead = server_ms - received * 1000
        with self._lock:
            stepped_back = self._ahead + asked * 1000 > server_ms + 1
            if stepped_back:
                self._least = server_ms
            if stepped_back or ahead > self._ahead or received - self._heard >= FRESH_SECONDS / 2:
                self._ahead, self._heard = ahead, received
            self._least = max(self._least, server_ms)
