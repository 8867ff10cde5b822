"""Memory that a process has used once and does not need now."""

from __future__ import annotations

import ctypes
import gc


def give_back(*, cycles: bool = False) -> None:
    """glibc keeps freed buffers, each thread its own; the C libraries of other systems have no
    such call. With `cycles` also what only itself refers to: tens of milliseconds."""
    if cycles:
        gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
