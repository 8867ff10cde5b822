"""A child that becomes Tesseract: the walls are up, its input and output are the job's socket."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from ingestion import jail
from ingestion.child import asked

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/opt/homebrew")


def warm_up() -> None:
    """Nothing: the program loads itself."""


def readable() -> list[Path]:
    """The program, its data and its libraries, as the server was told by its name."""
    _kind, program, data = sys.argv[3].split(":", 2)
    root = Path(program).parents[2]
    own = [root / "usr/lib"] if root != Path("/") else []
    return [Path(program), Path(data), *own, *map(Path, _LIBRARIES)]


def programs() -> bool:
    return True


def run(fd: int) -> None:
    """Never returns."""
    job = socket.socket(fileno=fd)
    head, _nothing = asked(job)
    job.setblocking(True)  # the program knows nothing of our deadlines
    os.dup2(fd, 0)
    os.dup2(fd, 1)
    jail.enter_child(head["memory_bytes"], head["seconds"])
    try:
        os.execve(head["arguments"][0], head["arguments"], head["environment"])  # noqa: S606
    finally:
        os._exit(127)
