"""The parent's side of the fork servers: one for each kind of child, started when first needed."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.errors import Unavailable
from ingestion.frames import Cut

ROOT = Path(__file__).parents[1]
PARSERS, PICTURES, TESSERACT = "parsers", "pictures", "tesseract"
_START_SECONDS = 30.0
_GRACE_SECONDS = 3.0  # for the fork server to report a child's end
_ENDED = struct.Struct("!iQ?")
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ingestion.zygote import main; main(int(sys.argv[2]), sys.argv[3])"
)


class Lost(Exception):
    """The fork server is gone; the file is not to blame."""


class Ended(NamedTuple):
    """How a child ended: its wait status, its greatest memory in bytes, killed at its deadline."""

    status: int
    peak: int
    late: bool


class Child:
    """One child: `job` is its socket, the leash ends it and tells how it ended."""

    def __init__(self, job: socket.socket, leash: socket.socket) -> None:
        self.job, self._leash = job, leash

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        """A child that still runs is killed by the leash's end."""
        self.job.close()
        self._leash.close()

    def send(self, parts: list[bytes], deadline: float) -> None:
        """Raises `Cut`."""
        try:
            for part in parts:
                self.job.settimeout(max(0.01, deadline - time.monotonic()))
                self.job.sendall(part)
        except TimeoutError as error:
            raise Cut(late=True) from error
        except OSError as error:
            raise Cut from error

    def rest(self, deadline: float, cap: int) -> bytes:
        """All that it says after our last word. Raises `Cut`, `OverflowError`."""
        said = bytearray()
        with suppress(OSError):
            self.job.shutdown(socket.SHUT_WR)
        while len(said) <= cap:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Cut(late=True)
            self.job.settimeout(left)
            try:
                piece = self.job.recv(2**18)
            except TimeoutError as error:
                raise Cut(late=True) from error
            except OSError as error:
                raise Cut from error
            if not piece:
                return bytes(said)
            said += piece
        raise OverflowError

    def kill(self) -> None:
        with suppress(OSError):
            self._leash.sendall(b"k")

    def ended(self) -> Ended:
        """Waits for its end. Raises `Lost`."""
        self._leash.settimeout(_GRACE_SECONDS)
        told = b""
        with suppress(OSError):
            while len(told) < _ENDED.size and (piece := self._leash.recv(_ENDED.size)):
                told += piece
        if len(told) != _ENDED.size:
            raise Lost
        return Ended(*_ENDED.unpack(told))


class Server:
    """A fork server's process and the socket whose end is its end."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.control, theirs = socket.socketpair()
        # Threads of numeric libraries do not survive a fork.
        env = {} if kind == PARSERS else {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", _BOOT, str(ROOT), str(theirs.fileno()), kind],
                pass_fds=[theirs.fileno()], env=env, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self._lock = threading.Lock()
        self.level: dict[str, str] = self._ready()

    def _ready(self) -> dict[str, str]:
        deadline = time.monotonic() + _START_SECONDS
        told = b""
        poll = select.poll()  # select() refuses descriptors above 1023
        poll.register(self.control, select.POLLIN)
        while not told.endswith(b"\n"):
            left = max(0, int((deadline - time.monotonic()) * 1000))
            piece = self.control.recv(4096) if poll.poll(left) else b""
            if not piece:
                self.close()
                raise Unavailable(
                    "The document parser did not start. Type: weft doctor", retry_after=10
                )
            told += piece
        self.control.settimeout(_GRACE_SECONDS)
        level: dict[str, str] = json.loads(told)
        return level

    def start(self, seconds: float) -> Child:
        """A child that is killed after `seconds` at the latest. Raises `Lost`."""
        job, its_job = socket.socketpair()
        leash, its_leash = socket.socketpair()
        with its_job, its_leash:
            try:
                with self._lock:
                    socket.send_fds(
                        self.control,
                        [struct.pack("!d", seconds)],
                        [its_job.fileno(), its_leash.fileno()],
                    )
            except OSError as error:
                job.close()
                leash.close()
                raise Lost from error
        return Child(job, leash)

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_servers: dict[str, Server] = {}
_owner = 0
_guard = threading.Lock()


def running(kind: str = PARSERS) -> Server:
    """Started if it does not run; a forked process starts its own. Raises `Unavailable`."""
    global _owner
    with _guard:
        if _owner != os.getpid():
            _servers.clear()
            _owner = os.getpid()
        server = _servers.get(kind)
        if server is not None and server.process.poll() is not None:
            server.close()
            server = None
        if server is None:
            server = _servers[kind] = Server(kind)
        return server


def found(kind: str = PARSERS) -> Server | None:
    """The one that runs in this process, if any."""
    return _servers.get(kind) if _owner == os.getpid() else None


def all_found() -> dict[str, Server]:
    """By kind, those that run in this process."""
    return dict(_servers) if _owner == os.getpid() else {}


def retire(server: Server) -> None:
    with _guard:
        if _servers.get(server.kind) is server:
            del _servers[server.kind]
            server.close()


def close() -> None:
    """Ends all fork servers; the next job starts another."""
    with _guard:
        if _owner == os.getpid():
            for server in _servers.values():
                server.close()
        _servers.clear()


atexit.register(close)
