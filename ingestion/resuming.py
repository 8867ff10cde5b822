"""XML that is read on behind a part of it that is broken."""

from __future__ import annotations

import re
from typing import Protocol

_TAG_MAX = 4_096  # bytes in which a tag ends


class _Source(Protocol):
    def read(self, size: int = ...) -> bytes: ...


class Behind:
    """What stands before the first `mark`, then what begins with the mark number `skip` + 1: the
    parts between are left out as bytes, whatever is wrong with them."""

    def __init__(self, source: _Source, skip: int, mark: re.Pattern[bytes]) -> None:
        self._source = source
        self._left = skip + 1  # marks until it goes on
        self._mark = mark
        self._head = True
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end."""
        while self._left:
            piece = self._source.read(size)
            if not piece:
                return b""
            self._held += piece
            if told := self._step():
                return told
        told, self._held = self._held, b""
        return told or self._source.read(size)

    def _step(self) -> bytes:
        """What may be told of the bytes held; the beginning of a tag is kept for later."""
        told = b""
        while self._left and (match := self._mark.search(self._held)):
            if self._head:
                told, self._head = self._held[: match.start()], False
            self._left -= 1
            self._held = self._held[match.end() if self._left else match.start() :]
        if self._left:
            at = self._held.rfind(b"<")
            keep = at if at >= 0 and len(self._held) - at < _TAG_MAX else len(self._held)
            told = self._held[:keep] if self._head else told
            self._held = self._held[keep:]
        return told
