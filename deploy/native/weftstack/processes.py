"""Processes by id and time of birth: a recycled id is never signalled, a tree is ended whole."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from weftstack.halt import Halt

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """`born` in clock ticks after boot: together with `pid` and `boot` it means one process."""

    pid: int
    born: int
    boot: str

    @property
    def alive(self) -> bool:
        seen = _look(self.pid)
        return seen is not None and seen.born == self.born and self.boot == _boot()

    @property
    def paused(self) -> bool:
        seen = _look(self.pid)
        return self.alive and seen is not None and seen.state in "Tt"

    def send(self, number: int) -> None:
        """Signals this very process; nothing happens when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.alive:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)


@dataclass(frozen=True, slots=True)
class _Seen:
    pid: int
    state: str
    parent: int
    session: int
    born: int


def read(path: Path) -> Process | None:
    """The process of a pid file, dead or alive; None when there is no file."""
    try:
        return Process(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Halt(f"{path} is damaged. Type: rm '{path}'") from error


def launch(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    pid_file: Path,
    user: str | None = None,
) -> Process:
    """Starts a daemon in a session of its own. The child writes its pid file before it becomes
    the program, so that it is known even when this process is killed in between."""
    failed_read, failed_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            _redirect(log)
            pid_file.write_text(json.dumps(asdict(itself(os.getpid()))))
            os.chdir(cwd)
            if user:
                _become(user)
            os.execve(argv[0], [str(part) for part in argv], dict(env))
        except BaseException as error:  # noqa: BLE001 - the child must never return
            os.write(failed_write, str(error).encode()[:500])
        finally:
            os._exit(127)
    os.close(failed_write)
    with open(failed_read, "rb") as pipe:
        problem = pipe.read().decode()
    if problem:
        os.waitpid(pid, 0)
        pid_file.unlink(missing_ok=True)
        raise Halt(f"{argv[0]} cannot be started: {problem}")
    found = read(pid_file)
    assert found is not None
    return found


def itself(pid: int) -> Process:
    seen = _look(pid)
    if seen is None:
        raise ProcessLookupError(pid)
    return Process(pid, seen.born, _boot())


def tree(root: Process) -> list[Process]:
    """The process, its descendants, and what is left of its session, in order of birth."""
    if root.boot != _boot():
        return []
    alive = {seen.pid: seen for seen in _all()}
    lead = alive.get(root.pid)
    if lead is not None and lead.born != root.born:
        return []  # the id was given to somebody else
    found = {root.pid} if lead is not None else set()
    found |= {s.pid for s in alive.values() if s.session == root.pid and s.born >= root.born}
    grown = True
    while grown:
        more = {s.pid for s in alive.values() if s.parent in found} - found
        found |= more
        grown = bool(more)
    born = sorted((alive[pid] for pid in found), key=lambda seen: (seen.born, seen.pid))
    return [Process(seen.pid, seen.born, root.boot) for seen in born]


def send_all(root: Process, number: int) -> None:
    for each in tree(root):
        each.send(number)


def ask(root: Process, number: int) -> None:
    """Asks the root to end in order; what was paused must go on to hear it."""
    root.send(number)
    send_all(root, signal.SIGCONT)


def end(root: Process, seconds: float) -> bool:
    """Waits for the tree to end by itself, then kills it. False when it had to be killed."""
    members = tree(root)
    if gone(members, seconds) and not tree(root):
        return True
    slay(root)
    return False


def slay(root: Process) -> None:
    """SIGKILL for the whole tree; stopped first, so that nothing is born meanwhile."""
    root.send(signal.SIGSTOP)
    members = tree(root)
    for each in members:
        each.send(signal.SIGKILL)
    if not gone(members, 15):
        left = ", ".join(str(each.pid) for each in members if each.alive)
        raise Halt(f"process {left} does not end, even after SIGKILL")


def stop_all(root: Process) -> None:
    """SIGSTOP for the whole tree; gives back when each has heard it."""
    root.send(signal.SIGSTOP)  # first, so that nothing is born meanwhile
    members = tree(root)
    for each in members:
        each.send(signal.SIGSTOP)
    deadline = time.monotonic() + 15
    while any(each.alive and not each.paused for each in members):
        if time.monotonic() > deadline:
            raise Halt("a process does not stop, even on SIGSTOP")
        time.sleep(0.01)


def gone(members: Sequence[Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(each.alive for each in members):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    for each in members:
        reap(each)
    return True


def reap(ended: Process) -> None:
    """Takes notice of the end of an own child; others are their parent's."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(ended.pid, os.WNOHANG)


def memory(root: Process) -> int:
    """Bytes in memory of the whole tree."""
    total = 0
    for each in tree(root):
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int((PROC / str(each.pid) / "statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


def words(pid: int) -> str:
    """What a person calls this process: its program and id."""
    try:
        name = (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        name = "a program"
    return f"{name}, process {pid}"


def listener(port: int) -> int | None:
    """The id of the process that listens on a port, where this user may know it."""
    sockets: set[str] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                field = line.split()
                if field[3] == "0A" and int(field[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{field[9]}]")
    for seen in _all():
        with contextlib.suppress(OSError):
            for handle in (PROC / str(seen.pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(handle) in sockets:
                        return seen.pid
    return None


def _look(pid: int) -> _Seen | None:
    """None for a process that does not run, also for one that ended and waits to be noticed."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything, blanks and parentheses too.
    field = text.rpartition(")")[2].split()
    if field[0] in "ZX":
        return None
    return _Seen(pid, field[0], int(field[1]), int(field[3]), int(field[19]))


def _all() -> list[_Seen]:
    found = (_look(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return [seen for seen in found if seen is not None]


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
