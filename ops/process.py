"""The platform as a process: serve in the foreground, up and down in the background.

`DATA_DIR/weft.lock` is held by the serving process for as long as it lives; it tells `up`, `down`
and a second `serve` the truth even after kill -9, which a file with a process id alone would not.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import Conflict, Unavailable
from core.settings import Settings

STOP_SECONDS = 35.0
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    url: str


def running(settings: Settings) -> Running | None:
    """The platform that holds this data folder, or None."""
    path = _lock_path(settings)
    if not path.exists():
        return None
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = file.read()
            return Running(**json.loads(text)) if text else None
    return None


@contextlib.contextmanager
def holding(settings: Settings, url: str) -> Iterator[None]:
    """Holds the data folder; a second holder is told who has it."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _lock_path(settings).open("a+") as file:
        if not _lock(file.fileno()):
            raise Conflict(
                f"Weft already runs on {settings.data_dir}. Type: weft down", code="already_running"
            )
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield


def _lock(descriptor: int) -> bool:
    # `running` in another process holds a shared lock for an instant: try more than once.
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.03)
        else:
            return True
    return False


def bind(settings: Settings) -> socket.socket:
    """The listening socket; a busy port is said in words, before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named asyncio switches Nagle's delay off (40 ms on each kept connection).
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {settings.port} is in use by another program. "
                f"Type: WEFT_PORT={settings.port + 1} make up",
                code="port_in_use",
            ) from error
        raise Conflict(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Set WEFT_HOST and WEFT_PORT.",
            code="cannot_listen",
        ) from error
    return sock


def url_of(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def start(settings: Settings) -> Running:
    """Starts `weft serve` in the background and returns when it is ready."""
    found = running(settings)
    if found is not None:
        return found
    bind(settings).close()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = settings.data_dir / "weft.log"
    with log_path.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "ops", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "WEFT_DATA_DIR": str(settings.data_dir.absolute())},
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if ready(url_of(settings)):
            return Running(child.pid, url_of(settings))
        if child.poll() is not None:
            raise Unavailable(f"Weft did not start:\n{_tail(log_path)}", code="start_failed")
        time.sleep(0.05)
    raise Unavailable(
        f"Weft is not ready after {START_SECONDS:.0f} s. Look into {log_path}", code="start_slow"
    )


def stop(settings: Settings) -> bool:
    """Stops the platform; False when none ran. SIGKILL only after the grace is over."""
    found = running(settings)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running(settings) is not None:
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            deadline = time.monotonic() + STOP_SECONDS
        time.sleep(0.05)
    return True


def ready(url: str) -> bool:
    """It answers within 2 s, and a moment, even where a server that it asks does not."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=4) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _lock_path(settings: Settings) -> Path:
    return settings.data_dir / "weft.lock"


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return "\n".join(lines[-15:])
