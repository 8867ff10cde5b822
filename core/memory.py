"""Memory back to the system: glibc keeps freed buffers, and many sizes of them leave gaps."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


@functools.cache
def _trim() -> Callable[[int], int] | None:
    """The C libraries of other systems have no such call, and little need of it."""
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


def give_back() -> None:
    """Some milliseconds, so it is for after much was freed."""
    trim = _trim()
    if trim is not None:
        trim(0)
