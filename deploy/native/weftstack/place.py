"""Where a stack lives: its folder, its ports, its passwords, and the cache of programs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from weftstack.halt import Halt

ROOT = Path(__file__).resolve().parents[3]
PORTS = 60  # a stack uses the ports BASE .. BASE + 59; 20 .. 39 are free for toxiproxy's proxies
PORT_BASE = 24000


@dataclass(frozen=True, slots=True)
class Place:
    """One stack. Another folder and another base make a second one beside it."""

    state: Path
    base: int
    cache: Path

    @classmethod
    def here(cls) -> Place:
        """From WEFT_STACK_DIR, WEFT_STACK_PORTS and WEFT_STACK_CACHE, or their defaults."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft" / "stack"
        return cls(
            state=Path(os.environ.get("WEFT_STACK_DIR") or ROOT / "build" / "stack").absolute(),
            base=port_base(os.environ.get("WEFT_STACK_PORTS") or str(PORT_BASE)),
            cache=Path(os.environ.get("WEFT_STACK_CACHE") or cache).absolute(),
        )

    def folder(self, name: str) -> Path:
        return self.state / name

    def log(self, name: str) -> Path:
        return self.state / name / "log"

    def secret(self, name: str) -> str:
        """A password of 32 hex digits, made once and kept readable for the owner only."""
        with locked(self.state / "secrets.lock", "the passwords", 30):
            path = self.state / "secrets.json"
            known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
            if name not in known:
                known[name] = secrets.token_hex(16)
                write_private(path, json.dumps(known, indent=1))
            return known[name]

    @property
    def mark(self) -> str:
        """A short name of this stack's folder, for the few things that lie outside of it."""
        return hashlib.sha256(str(self.state).encode()).hexdigest()[:12]


def port_base(text: str) -> int:
    highest = 65535 - PORTS
    if not (text.isascii() and text.isdigit()) or not 1024 <= int(text) <= highest:
        raise Halt(
            f"WEFT_STACK_PORTS is {text!r}, but must be a number from 1024 to {highest}: "
            f"the first of {PORTS} ports."
        )
    return int(text)


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step; nobody else can read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


@contextlib.contextmanager
def locked(path: Path, what: str, seconds: float) -> Iterator[None]:
    """Only one `stack` at a time does this; the others wait, and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        end = time.monotonic() + seconds
        said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pass
            if time.monotonic() > end:
                raise Halt(f"another stack command holds {what} for {seconds:.0f} s: {path}")
            if not said and time.monotonic() > end - seconds + 1:
                said = True
                tell(f"waiting for another stack command, which is busy with {what}")
            time.sleep(0.05)
        yield


def tell(line: str) -> None:
    """Progress, for people: never on stdout, which programs read."""
    print(f"stack: {line}", file=sys.stderr, flush=True)
