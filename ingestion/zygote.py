"""The fork server: parsers loaded once, a child per file. Started by `ingestion.sandbox` only.

Its control socket brings 8 bytes (seconds, a double) and two descriptors per job: a socket for the
file and its answer, and the leash: a byte or an end from there kills the child, and how the child
ended goes back by it. The server ends when its control socket does, so it dies with its parent,
however that dies.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ingestion import jail

ENDED = struct.Struct("!iQ?")  # wait status, peak memory in bytes, killed at the deadline
ROOM = Path(__file__).parent


@dataclass
class _Job:
    pid: int
    leash: int
    deadline: float
    late: bool = False
    killed: bool = False


class _Work(Protocol):
    """What the children of a server do: one of the modules in `_KINDS`."""

    def warm_up(self) -> None: ...

    def run(self, fd: int) -> None:
        """Never returns."""

    def readable(self) -> list[Path]:
        """What it needs beside the interpreter and this room."""

    def programs(self) -> bool:
        """Whether a child becomes another program."""


_KINDS = {
    "parsers": "ingestion.child",
    "pictures": "ingestion.ocr.onnx_child",
    "tesseract": "ingestion.ocr.tesseract_child",
}


def main(control_fd: int, kind: str) -> None:
    control = socket.socket(fileno=control_fd)
    work = cast(_Work, import_module(_KINDS[kind.partition(":")[0]]))
    left = jail.leave_network()  # before a library starts a thread
    work.warm_up()
    null = os.open(os.devnull, os.O_RDWR)
    level = jail.enter(
        [*_own_files(), *work.readable()], programs=work.programs(), left_network=left
    )
    os.dup2(null, 2)  # what native code says when it dies is no line of our log
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps(level).encode() + b"\n")
    _serve(control, work)


def _own_files() -> list[Path]:
    """The interpreter, its libraries and two rooms; never the house itself, where data may lie."""
    house = ROOM.parent
    libraries = [path for path in map(Path, sys.path) if path.resolve() != house.resolve()]
    return [*libraries, Path(sys.base_prefix) / "lib", ROOM, house / "core"]


def _serve(control: socket.socket, work: _Work) -> None:
    wake_in, wake_out = os.pipe()
    os.set_blocking(wake_out, False)
    os.set_blocking(wake_in, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    jobs: list[_Job] = []
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_in, select.POLLIN)
    while True:
        nearest = min((job.deadline for job in jobs), default=time.monotonic() + 60)
        ready = [fd for fd, _ in poll.poll(max(0, int((nearest - time.monotonic()) * 1000) + 1))]
        if wake_in in ready:
            with suppress(BlockingIOError):
                os.read(wake_in, 4096)
        if control.fileno() in ready:
            job = _accept(control, work)
            if job is None:
                break
            jobs.append(job)
            poll.register(job.leash, select.POLLIN)
        for job in jobs:
            if job.leash in ready and not job.killed:
                poll.unregister(job.leash)
                _kill(job)
        _kill_late(jobs)
        for job in [job for job in jobs if _ended(job)]:
            jobs.remove(job)
            with suppress(KeyError):
                poll.unregister(job.leash)
            os.close(job.leash)
    for job in jobs:
        os.kill(job.pid, signal.SIGKILL)


def _accept(control: socket.socket, work: _Work) -> _Job | None:
    try:
        message, fds, _flags, _address = socket.recv_fds(control, 8, 2)
    except OSError:
        return None
    if len(message) != 8 or len(fds) != 2:
        return None
    (seconds,) = struct.unpack("!d", message)
    pid = os.fork()
    if pid == 0:
        _become_child(fds[0], seconds, work)
    os.close(fds[0])
    return _Job(pid, fds[1], time.monotonic() + seconds)


def _become_child(job_fd: int, seconds: float, work: _Work) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A backstop where the fork server itself is killed and the system has no death signal.
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    os.setsid()
    os.dup2(job_fd, 3)
    os.closerange(4, 4096)
    work.run(3)


def _kill(job: _Job) -> None:
    job.killed = True
    os.kill(job.pid, signal.SIGKILL)


def _kill_late(jobs: list[_Job]) -> None:
    now = time.monotonic()
    for job in jobs:
        if not job.late and job.deadline <= now:
            job.late = True
            job.deadline = now + 3600
            os.kill(job.pid, signal.SIGKILL)


def _ended(job: _Job) -> bool:
    """Reaps a child that ended and tells its parent how."""
    pid, status, usage = os.wait4(job.pid, os.WNOHANG)
    if not pid:
        return False
    unit = 1 if sys.platform == "darwin" else 1024
    with suppress(OSError):
        os.write(job.leash, ENDED.pack(status, usage.ru_maxrss * unit, job.late))
    return True
