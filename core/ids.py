"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def made_ms(id_: str) -> int | None:
    """When a UUIDv7 was made, ms since the epoch; None for any other text."""
    try:
        value = UUID(id_)
    except ValueError:
        return None
    return value.int >> 80 if value.version == 7 else None


def new_id() -> str:
    """A UUIDv7 as 36 characters; ids of one process are strictly increasing (RFC 9562 §6.2)."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, int.from_bytes(os.urandom(2)) & 0x7FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        stamp, counter = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    value = (stamp << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
