"""Long commands: progress that a person can see, a deadline, and one line when they fail."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from weftstack.halt import Halt
from weftstack.place import Place, locked, tell

NETWORK = re.compile(
    r"dial tcp|no such host|could not resolve|temporary failure|network is unreachable|"
    r"connection refused|timed? ?out|name or service not known|unknown host|failed to fetch|"
    r"connection broken|could not transfer artifact|no matching distribution",
    re.IGNORECASE,
)
FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


def program(
    place: Place, name: str, build: Callable[[Path], None], *, free_mib: int, minutes: float = 60
) -> Path:
    """The cached folder of a program. A missing one is built beside it and then renamed, so that
    half a build is never used; whoever asks at the same time waits for the first."""
    final = place.cache / name
    if final.is_dir():
        return final
    with locked(place.cache / f"{name}.lock", f"installing {name}", minutes * 60):
        fresh = place.cache / f".new-{name}"
        clear(fresh)
        if not final.is_dir():
            _room(place.cache, free_mib, name)
            fresh.mkdir(parents=True)
            began = time.monotonic()
            try:
                build(fresh)
                fresh.rename(final)
            finally:
                clear(fresh)
            tell(f"{name}: installed in {time.monotonic() - began:.0f} s")
    return final


def clear(folder: Path) -> None:
    """Removes a folder that may hold read-only files, as Go's do."""
    for parent, _folders, _files in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(parent, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def watched(
    argv: Sequence[str | Path],
    *,
    what: str,
    log: Path,
    minutes: float,
    hint: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Runs a command to its end. Its output goes to `log`; a failure says the likely cause."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        with _ended_with_us(child), _progress(what) as shown:
            while child.poll() is None:
                elapsed = time.monotonic() - began
                if elapsed > minutes * 60:
                    raise Halt(
                        f"{what}: not done after {minutes:.0f} minutes. "
                        "What was done is kept: type the same again."
                    )
                shown(elapsed)
                time.sleep(0.1)
    if child.returncode != 0:
        raise Halt(f"{what} failed: {cause(log)}. {hint} The whole output: {log}")


def cause(log: Path) -> str:
    """The most telling line of a failed command's output."""
    text = log.read_text(errors="replace")[-8000:]
    if FULL.search(text):
        return "the disk is full"
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no output"]
    for line in reversed(lines):
        if NETWORK.search(line):
            return f"the network could not be reached ({line[:160]})"
    errors = [line for line in lines if re.search(r"\berror\b|^E:", line, re.IGNORECASE)]
    return (errors or lines)[-1][:200].rstrip(".")


@contextlib.contextmanager
def _ended_with_us(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Control-C and deadlines end the command with all its children."""
    try:
        yield
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """On a terminal one line that counts the seconds; elsewhere a line every half minute."""
    live = sys.stderr.isatty()
    next_line = 30.0

    def shown(elapsed: float) -> None:
        nonlocal next_line
        if live:
            print(f"\rstack: {what} ... {elapsed:.0f} s ", end="", file=sys.stderr, flush=True)
        elif elapsed >= next_line:
            tell(f"{what} ... {elapsed:.0f} s")
            next_line += 30.0

    tell(what) if not live else None
    try:
        yield shown
    finally:
        if live:
            print(file=sys.stderr, flush=True)


def _room(folder: Path, mib: int, what: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free // 2**20
    if free < mib:
        raise Halt(
            f"{what} needs {mib} MiB of disk, {free} MiB are free under {folder}. "
            "Make room, or put the cache elsewhere: WEFT_STACK_CACHE=/other/disk"
        )
