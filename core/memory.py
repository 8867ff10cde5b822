"""Memory that a process has used once and does not need now."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Iterator

_MUCH = 2**20


@contextlib.contextmanager
def growing(size: int) -> Iterator[None]:
    """While values are made of `size` bytes: a million new ones would be looked through again and
    again for cycles, which they do not have, and every thread would wait."""
    paused = size > _MUCH and gc.isenabled()
    if paused:
        gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def give_back(*, cycles: bool = False) -> None:
    """glibc keeps freed buffers, each thread its own; the C libraries of other systems have no
    such call. With `cycles` also what only itself refers to: tens of milliseconds."""
    if cycles:
        gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
