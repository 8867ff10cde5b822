"""The fork server: parsers loaded once, a child per file. Started by `ingestion.sandbox` only.

Its control socket brings 8 bytes (seconds, a double) and two descriptors per job: a socket for the
file and its answer, a pipe for how the child ended. It ends when that socket does, so it dies with
its parent, however that dies.
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
from pathlib import Path

from ingestion import jail

ENDED = struct.Struct("!iQ?")  # wait status, peak memory in bytes, killed at the deadline
ROOM = Path(__file__).parent


@dataclass
class _Job:
    pid: int
    ended: int
    deadline: float
    late: bool = False


def main(control_fd: int) -> None:
    control = socket.socket(fileno=control_fd)
    from ingestion import child

    child.warm_up()
    null = os.open(os.devnull, os.O_RDWR)
    level = jail.enter(_own_files())
    os.dup2(null, 2)  # what native code says when it dies is no line of our log
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps(level).encode() + b"\n")
    _serve(control)


def _own_files() -> list[Path]:
    """The interpreter, its libraries and two rooms; never the house itself, where data may lie."""
    house = ROOM.parent
    libraries = [path for path in map(Path, sys.path) if path.resolve() != house.resolve()]
    return [*libraries, Path(sys.base_prefix) / "lib", ROOM, house / "core"]


def _serve(control: socket.socket) -> None:
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
        if control.fileno() in ready and not _accept(control, jobs):
            break
        _kill_late(jobs)
        jobs = [job for job in jobs if not _reap(job)]
    for job in jobs:
        os.kill(job.pid, signal.SIGKILL)


def _accept(control: socket.socket, jobs: list[_Job]) -> bool:
    try:
        message, fds, _flags, _address = socket.recv_fds(control, 8, 2)
    except OSError:
        return False
    if len(message) != 8 or len(fds) != 2:
        return False
    (seconds,) = struct.unpack("!d", message)
    pid = os.fork()
    if pid == 0:
        _become_child(fds[0], seconds)
    os.close(fds[0])
    jobs.append(_Job(pid, fds[1], time.monotonic() + seconds))
    return True


def _become_child(job_fd: int, seconds: float) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A backstop where the fork server itself is killed and the system has no death signal.
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    os.setsid()
    os.dup2(job_fd, 3)
    os.closerange(4, 4096)
    from ingestion import child

    child.run(3)


def _kill_late(jobs: list[_Job]) -> None:
    now = time.monotonic()
    for job in jobs:
        if not job.late and job.deadline <= now:
            job.late = True
            job.deadline = now + 3600
            os.kill(job.pid, signal.SIGKILL)


def _reap(job: _Job) -> bool:
    pid, status, usage = os.wait4(job.pid, os.WNOHANG)
    if not pid:
        return False
    unit = 1 if sys.platform == "darwin" else 1024
    with suppress(OSError):
        os.write(job.ended, ENDED.pack(status, usage.ru_maxrss * unit, job.late))
    os.close(job.ended)
    return True
