"""A few answers kept as bytes, oldest dropped first."""

from __future__ import annotations

import threading
from collections.abc import Hashable


class Recent:
    """At most `bytes_max` in all. Whoever asks has already read from the database that the key,
    which holds the tenant, still stands for the answer."""

    def __init__(self, bytes_max: int = 8 * 2**20) -> None:
        self._bytes_max = bytes_max
        self._held = 0
        self._kept: dict[Hashable, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        return self._kept.get(key)

    def keep(self, key: Hashable, body: bytes) -> None:
        if len(body) > self._bytes_max // 8:
            return
        with self._lock:
            self._held += len(body) - len(self._kept.pop(key, b""))
            self._kept[key] = body
            while self._held > self._bytes_max:
                self._held -= len(self._kept.pop(next(iter(self._kept))))
