"""One killable child per file, forked from a warm server; what it says is checked here."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from core.codec import decode
from core.documents import Document
from core.errors import Unavailable, Unfinishable
from ingestion.limits import Limits

ROOT = Path(__file__).parents[1]
_START_SECONDS = 30.0
_GRACE_SECONDS = 3.0  # after the child's deadline, for the fork server to report it
_PIECE = 2**20
_ENDED = struct.Struct("!iQ?")
_HEAD = struct.Struct("!I")
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ingestion.zygote import main; main(int(sys.argv[2]))"
)


class _Lost(Exception):
    """The fork server is gone; the file is not to blame."""


class _Server:
    """The fork server's process and the socket whose end is its end."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", _BOOT, str(ROOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env={}, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self.lock = threading.Lock()
        self.level: dict[str, str] = self._ready()

    def _ready(self) -> dict[str, str]:
        self.control.settimeout(_START_SECONDS)
        told = b""
        try:
            while not told.endswith(b"\n"):
                piece = self.control.recv(4096)
                if not piece:
                    break
                told += piece
        except TimeoutError:
            told = b""
        if not told:
            self.close()
            raise Unavailable(
                "The document parser did not start. Type: weft doctor", retry_after=10
            )
        self.control.settimeout(_GRACE_SECONDS)
        level: dict[str, str] = json.loads(told)
        return level

    def start(self, job: socket.socket, ended: int, seconds: float) -> None:
        try:
            with self.lock:
                socket.send_fds(self.control, [struct.pack("!d", seconds)], [job.fileno(), ended])
        except OSError as error:
            raise _Lost from error

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_server: _Server | None = None
_owner = 0
_guard = threading.Lock()


def _running() -> _Server:
    global _server, _owner
    with _guard:
        if _server is None or _owner != os.getpid() or _server.process.poll() is not None:
            if _server is not None and _owner == os.getpid():
                _server.close()
            _server, _owner = _Server(), os.getpid()
        return _server


def achieved_level() -> dict[str, str]:
    """What walls the parsers have on this machine, for /health; empty before the first parse."""
    server = _server
    return dict(server.level) if server and _owner == os.getpid() else {}


def close() -> None:
    """Ends the fork server; the next parse starts another."""
    global _server
    with _guard:
        if _server is not None and _owner == os.getpid():
            _server.close()
        _server = None


def _retire(server: _Server) -> None:
    global _server
    with _guard:
        if _server is server:
            server.close()
            _server = None


atexit.register(close)


def parse(
    data: bytes,
    filename: str,
    format: str,
    *,
    password: str | None = None,
    limits: Limits | None = None,
) -> Document:
    """Reads `data` in a child of its own. Raises `Unfinishable` with code `corrupted`, `encrypted`,
    `empty`, `no_pages`, `limit_memory`, `limit_time` or `too_many_parts`."""
    caps = limits or Limits()
    head = json.dumps({
        "filename": filename, "format": format, "password": password, "size": len(data),
        "limits": asdict(caps),
    }).encode()  # fmt: skip
    for _attempt in range(2):
        server = _running()
        try:
            answer, ended = _ask(server, [_HEAD.pack(len(head)) + head, data], caps)
            return _judged(answer, ended, caps)
        except _Lost:
            _retire(server)
    raise Unavailable("The document parser was stopped from outside.", retry_after=5)


def _ask(server: _Server, request: list[bytes], caps: Limits) -> tuple[bytes, bytes]:
    """The child's answer, perhaps cut off, and how it ended."""
    job, theirs = socket.socketpair()
    ended_in, ended_out = os.pipe()
    deadline = time.monotonic() + caps.seconds + _GRACE_SECONDS
    with job, os.fdopen(ended_in, "rb", buffering=0) as ended:
        try:
            server.start(theirs, ended_out, caps.seconds)
        finally:
            theirs.close()
            os.close(ended_out)
        answer = _exchange(job, request, deadline, caps.output_bytes + 1)
        job.close()
        return answer, _last_words(ended.fileno(), deadline)


def _exchange(job: socket.socket, request: list[bytes], deadline: float, cap: int) -> bytes:
    answer = bytearray()
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in request:
                job.settimeout(max(0.01, deadline - time.monotonic()))
                job.sendall(part)
        while len(answer) <= cap:
            job.settimeout(max(0.01, deadline - time.monotonic()))
            piece = job.recv(_PIECE)
            if not piece:
                break
            answer += piece
    except (TimeoutError, ConnectionResetError):
        pass
    return bytes(answer)


def _last_words(ended: int, deadline: float) -> bytes:
    poll = select.poll()  # select() refuses descriptors above 1023
    poll.register(ended, select.POLLIN)
    ready = poll.poll(max(10, int((deadline - time.monotonic()) * 1000)))
    return os.read(ended, _ENDED.size) if ready else b""


def _judged(answer: bytes, ended: bytes, caps: Limits) -> Document:
    if len(ended) != _ENDED.size:
        raise _Lost
    status, peak, late = _ENDED.unpack(ended)
    if late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)):
        raise Unfinishable(
            f"Reading this file takes longer than {caps.seconds:g} seconds.", code="limit_time"
        )
    if len(answer) > caps.output_bytes:
        raise Unfinishable("The document has too much content.", code="limit_memory")
    if os.WIFSIGNALED(status):
        raise _killed(os.WTERMSIG(status), peak, caps)
    if answer[:1] == b"E":
        told = json.loads(answer[1:])
        raise Unfinishable(str(told["detail"]), code=str(told["code"]))
    if status != 0 or answer[:1] != b"D":
        raise Unfinishable("The parser broke on this file.", code="corrupted")
    return decode(Document, answer[1:])


def _killed(number: int, peak: int, caps: Limits) -> Unfinishable:
    # Native code that gets no memory aborts; the system's own killer uses SIGKILL.
    if number in (signal.SIGABRT, signal.SIGKILL) or peak > caps.memory_bytes // 2:
        return Unfinishable(
            f"Reading this file takes more than {caps.memory_bytes // 2**20} MiB of memory.",
            code="limit_memory",
        )
    return Unfinishable(f"The parser broke on this file (signal {number}).", code="corrupted")
