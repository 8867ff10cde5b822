"""What goes between the parent and a child: a letter, a length, that many bytes."""

from __future__ import annotations

import socket
import struct
import time

HEAD = struct.Struct("!cI")
# From the child: opened, page, skipped, raster, kind, document, error. To it: words, or none.
OPENED, PAGE, SKIPPED, RASTER, KIND, DOCUMENT, ERROR = b"O", b"P", b"X", b"R", b"K", b"D", b"E"
WORDS, NO_WORDS = b"W", b"N"
PICTURE = struct.Struct("!IIId")  # number, width, height, dots per inch; then the pixels
_PIECE = 2**20


class Cut(Exception):
    """The other side ended, or the deadline passed (`late`)."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("late" if late else "ended")
        self.late = late


def send(link: socket.socket, kind: bytes, *parts: bytes) -> None:
    link.sendall(HEAD.pack(kind, sum(map(len, parts))))
    for part in parts:
        link.sendall(part)


def receive(link: socket.socket, deadline: float, cap: int) -> tuple[bytes, bytearray]:
    """The next frame. Raises `Cut`, and `OverflowError` for one longer than `cap`."""
    kind, length = HEAD.unpack(exactly(link, HEAD.size, deadline))
    if length > cap:
        raise OverflowError
    return kind, exactly(link, length, deadline)


def exactly(link: socket.socket, length: int, deadline: float) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    at = 0
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
    return data
