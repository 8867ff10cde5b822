"""What goes between the parent and a child: a letter, a length, that many bytes."""

from __future__ import annotations

import io
import socket
import struct
import time

HEAD = struct.Struct("!cI")
# From the child: opened, page, skipped, facts, raster, kind, a file's name and then its bytes, the
# document, an error. To it: words, or none.
OPENED, PAGE, SKIPPED, FACTS, RASTER, KIND = b"O", b"P", b"X", b"A", b"R", b"K"
HELD, BYTES, DOCUMENT, ERROR = b"H", b"B", b"D", b"E"
WORDS, NO_WORDS = b"W", b"N"
PICTURE = struct.Struct("!IIId")  # number, width, height, dots per inch; then the pixels
_PIECE = 2**20


class Cut(Exception):
    """The other side ended, or the deadline passed (`late`)."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("late" if late else "ended")
        self.late = late


def send(link: socket.socket, kind: bytes, *parts: bytes) -> None:
    length = sum(map(len, parts))
    head = HEAD.pack(kind, length)
    if length <= _PIECE:  # in one go: who listens wakes up once
        link.sendall(b"".join((head, *parts)))
        return
    link.sendall(head)
    for part in parts:
        link.sendall(part)


def receive(link: socket.socket, deadline: float, cap: int) -> tuple[bytes, bytes]:
    """The next frame. Raises `Cut`, and `OverflowError` for one longer than `cap`."""
    kind, length = HEAD.unpack(exactly(link, HEAD.size, deadline))
    if length > cap:
        raise OverflowError
    return kind, exactly(link, length, deadline)


def exactly(link: socket.socket, length: int, deadline: float) -> bytes:
    """Written where it stays: of fifty megabytes there is one copy."""
    if not length:
        return b""
    held = io.BytesIO()
    held.seek(length - 1)
    held.write(b"\0")
    with held.getbuffer() as view:
        _fill(link, view, deadline)
    return held.getvalue()


def _fill(link: socket.socket, view: memoryview, deadline: float) -> None:
    at, length = 0, len(view)
    while at < length:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Cut(late=True)
        link.settimeout(left)
        try:
            got = link.recv_into(view[at:], min(_PIECE, length - at))
        except TimeoutError as error:
            raise Cut(late=True) from error
        except OSError as error:
            raise Cut from error
        if not got:
            raise Cut
        at += got
