"""A socket that is read and written until a moment and for so many bytes, whatever the other side
does: a server that sends one byte a second, or without end, costs a deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from core.errors import Unavailable, Unfinishable
from core.net import Net

SECONDS = 30.0
BYTES = 4 * 2**20
_LINE_MAX = 8 * 2**20  # the answer to a search for a million mails


class Wire:
    """`begin` opens an allowance for one question and its answer; all else spends it. Raises
    `Unavailable` (late, broken off) or `Unfinishable` (too much). Not for two threads."""

    def __init__(self, net: Net, host: str, port: int) -> None:
        self.place = f"{host}:{port}"
        self._net, self._host = net, host
        self._sock = net.connect(host, port, tls=False, seconds=SECONDS)
        self._kept, self._looked = bytearray(), 0
        self.begin()

    def begin(self, seconds: float = SECONDS, bytes_max: int = BYTES) -> None:
        self._deadline = time.monotonic() + seconds
        self._left = bytes_max

    def secure(self) -> None:
        """TLS from here on. Raises `Unfinishable` for what was sent before it, which anybody on
        the way could have added, and for a certificate that is not trusted."""
        if self._kept:
            raise self._broke("sends in the clear what belongs into TLS")
        try:
            with _alarm(self._sock, self._deadline - time.monotonic()):
                self._sock = self._net.start_tls(self._sock, self._host)
        except Unavailable as error:
            raise Unfinishable(
                f"{self.place} answers, but not with TLS and a certificate that is trusted for "
                f"{self._host}. Correct `host`, `port` or `security`, or its certificate.",
                code="no_tls",
            ) from error

    def readline(self, limit: int = -1) -> bytes:
        """With its line end. `limit` is what libraries ask with; the allowance is what counts."""
        del limit
        while (end := self._kept.find(b"\n", self._looked)) < 0:
            self._looked = len(self._kept)
            if self._looked > _LINE_MAX:
                raise self._broke("sends a line without end")
            self._more()
        return self._taken(end + 1)

    def patient(self, seconds: float) -> bytes | None:
        """A line, or None when none has come in so many seconds; what came of it stays."""
        self.begin(seconds)
        try:
            return self.readline()
        except _LateError:
            return None

    def read(self, size: int) -> bytes:
        if size > self._left + len(self._kept):
            raise self._broke(f"wants to send {size:,} bytes at once")
        while len(self._kept) < size:
            self._more()
        return self._taken(size)

    def sendall(self, data: bytes) -> None:
        try:
            self._sock.settimeout(self._seconds())
            self._sock.sendall(data)
        except OSError as error:
            raise self._ended() from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._sock.close()

    def makefile(self, mode: str) -> Wire:
        """What a library takes for a file."""
        del mode
        return self

    def _taken(self, size: int) -> bytes:
        found = bytes(self._kept[:size])
        del self._kept[:size]
        self._looked = 0
        return found

    def _more(self) -> None:
        if self._left <= 0:
            raise self._broke("sends without end")
        try:
            self._sock.settimeout(self._seconds())
            found = self._sock.recv(min(65_536, self._left))
        except TimeoutError as error:
            raise _LateError(f"{self.place} did not answer in time.", code="timeout") from error
        except OSError as error:
            raise self._ended() from error
        if not found:
            raise self._ended()
        self._left -= len(found)
        self._kept += found

    def _seconds(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _LateError(f"{self.place} did not answer in time.", code="timeout")
        return left

    def _ended(self) -> Unavailable:
        return Unavailable(f"{self.place} broke off in the middle.", code="broken_off")

    def _broke(self, what: str) -> Unfinishable:
        return Unfinishable(
            f"{self.place} {what}: it is no mail server, or a broken one.", code="protocol"
        )


class _LateError(Unavailable):
    pass


@contextlib.contextmanager
def _alarm(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Ends a handshake that goes on and on: its own timeout is one of each byte."""
    with sock.dup() as twin:

        def ring() -> None:
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(0.01, seconds), ring)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def quoted(words: object, *secrets: str) -> str:
    """What a server said, for showing: short, one line, without what it may have repeated."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    for one in filter(None, secrets):
        text = text.replace(one, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200].rstrip(" .")
