"""Whose turn it is to write: the tenant that wrote longest ago."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator

_REMEMBERED = 1_000  # tenants; one that is forgotten counts as one that never wrote


class Writers:
    """A lock that is handed over, not raced for. Each tenant has a line of its own, and the next is
    the first of the line that was served longest ago: who writes a hundred times as much as its
    neighbour waits behind itself, and the neighbour only for the one that writes just now. The
    platform's own work (claims, the relay) is a line like any other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._count = itertools.count(1)
        self._served: OrderedDict[str, int] = OrderedDict()
        self._lines: dict[str, deque[threading.Lock]] = {}

    @property
    def waiting(self) -> int:
        return sum(len(line) for line in list(self._lines.values()))

    @contextlib.contextmanager
    def turn(self, tenant: str) -> Iterator[None]:
        self._enter(tenant)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, tenant: str) -> None:
        with self._lock:
            if not self._held:
                self._held = True
                self._serve(tenant)
                return
            mine = threading.Lock()
            mine.acquire()
            self._lines.setdefault(tenant, deque()).append(mine)
        mine.acquire()  # until whoever leaves lets it go

    def _leave(self) -> None:
        with self._lock:
            if not self._lines:
                self._held = False
                return
            tenant = min(self._lines, key=lambda one: self._served.get(one, 0))
            line = self._lines[tenant]
            following = line.popleft()
            if not line:
                del self._lines[tenant]
            self._serve(tenant)
        following.release()

    def _serve(self, tenant: str) -> None:
        self._served[tenant] = next(self._count)
        self._served.move_to_end(tenant)
        if len(self._served) > _REMEMBERED:
            self._served.popitem(last=False)
