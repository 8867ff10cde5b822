"""Whoever signs in will ask soon: the tenant's shelf is opened before the first question."""

from __future__ import annotations

import threading
import time

from agents import generations, shelf
from core.context import Ctx
from core.errors import WeftError
from runtime import Runtime

_AT_ONCE = 2
_SHARE = 4  # one tenant's shelf pushes at most a quarter of the others out of memory
_CLOSE_SECONDS = 5.0
_ASKED = "warm"


class Warmer:
    """Opens shelves beside the requests, one per tenant and few at a time; what comes when all
    hands are full is left to its first search."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Thread] = {}
        self._closed = False

    def warm(self, rt: Runtime, ctx: Ctx) -> bool:
        """Returns at once: whether the shelf is being opened for this call."""
        with self._lock:
            if self._closed or ctx.tenant in self._busy or len(self._busy) >= self._at_once:
                return False
            thread = threading.Thread(
                target=self._open, args=(rt, ctx), name="weft-warm", daemon=True
            )
            self._busy[ctx.tenant] = thread
            thread.start()
        return True

    def close(self) -> None:
        """Nothing more is begun; what is under way ends, or goes with the process."""
        with self._lock:
            self._closed = True
            threads = list(self._busy.values())
        until = time.monotonic() + _CLOSE_SECONDS
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))

    def _open(self, rt: Runtime, ctx: Ctx) -> None:
        try:
            open_shelf(rt, ctx)
        except WeftError:
            pass  # a store is away: the first search says so
        finally:
            with self._lock:
                del self._busy[ctx.tenant]


def open_shelf(rt: Runtime, ctx: Ctx) -> int:
    """Segments that are in memory now; also the model that embeds questions."""
    head = shelf.head_of(rt, ctx)
    if not head.segments:
        return 0
    embedder = generations.serving(rt, head)
    if embedder is not None:
        embedder.embed([_ASKED])
    digest = embedder.digest if embedder is not None else None
    return rt.shelves.warm(ctx, head.by(digest), digest, rt.settings.shelf_bytes_max // _SHARE)
