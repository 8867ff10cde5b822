"""What was opened last, under a budget of bytes, for all tenants together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from core.memory import give_back

# What goes and what comes is never of one size: without this, the gaps between them took 28 MB
# above a budget of 128 after 2,000 cold searches, and went on growing.
_GIVE_BACK_BYTES = 16 * 2**20


class Sized(Protocol):
    @property
    def size(self) -> int:
        """Bytes in memory."""
        ...


T = TypeVar("T", bound=Sized)
Key = tuple[str, ...]


class Cache:
    """Least recently used goes first. A value over the whole budget is used and not kept.

    Loads of one key happen once, however many threads ask; other keys do not wait for it.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Any] = OrderedDict()
        self._loading: dict[Key, threading.Lock] = {}
        self.bytes = 0
        self._evicted = 0  # bytes, since memory was last given back

    def get(self, key: Key, load: Callable[[], T]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key]
                return kept
            turn = self._loading.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._kept:
                    found: T = self._kept[key]
                    return found
            try:
                value = load()
                self._keep(key, value)
                return value
            finally:
                with self._lock:
                    self._loading.pop(key, None)

    def forget(self, prefix: Key) -> None:
        """Drops every key that begins with `prefix`."""
        with self._lock:
            for key in [key for key in self._kept if key[: len(prefix)] == prefix]:
                self.bytes -= self._kept.pop(key).size

    def _keep(self, key: Key, value: Sized) -> None:
        with self._lock:
            if value.size > self._bytes_max or key in self._kept:
                return
            self._kept[key] = value
            self.bytes += value.size
            while self.bytes > self._bytes_max:
                size = self._kept.popitem(last=False)[1].size
                self.bytes -= size
                self._evicted += size
            much = self._evicted >= _GIVE_BACK_BYTES
            if much:
                self._evicted = 0
        if much:
            give_back()
