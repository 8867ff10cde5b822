"""Runs what may hang in a thread of its own, and stops waiting at the deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.errors import Unavailable

T = TypeVar("T")


@dataclass
class Outlet(Generic[T]):
    """Where the thread puts what it makes. `abandoned` says that nobody waits any more."""

    queue: queue.SimpleQueue[T | BaseException | None] = field(default_factory=queue.SimpleQueue)
    abandoned: threading.Event = field(default_factory=threading.Event)
    close: Callable[[], None] = lambda: None

    def put(self, item: T) -> bool:
        """Answers whether to go on."""
        self.queue.put(item)
        return not self.abandoned.is_set()


def bounded(produce: Callable[[Outlet[T]], None], deadline_seconds: float) -> Iterator[T]:
    """What `produce` puts into its outlet, in order; its errors are raised here.

    Raises `Unavailable` at the deadline. `outlet.close` is called when nobody waits any more, so
    that a thread that hangs in a read ends.
    """
    outlet: Outlet[T] = Outlet()
    until = time.monotonic() + deadline_seconds
    threading.Thread(target=_drive, args=(produce, outlet), daemon=True).start()
    try:
        while (item := _next(outlet, until, deadline_seconds)) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        outlet.abandoned.set()
        outlet.close()


def _next(outlet: Outlet[T], until: float, seconds: float) -> T | BaseException | None:
    try:
        return outlet.queue.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise Unavailable(
            f"The model did not finish within {seconds:g} s.", code="model_deadline", retry_after=10
        ) from None


def _drive(produce: Callable[[Outlet[T]], None], outlet: Outlet[T]) -> None:
    try:
        produce(outlet)
    except BaseException as error:  # noqa: BLE001  # carried to the caller's thread, whole
        outlet.queue.put(error)
    else:
        outlet.queue.put(None)
