"""What every server has in common."""

from __future__ import annotations

import os
import signal
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from weftstack.place import Place

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Start:
    """How a prepared server becomes a process; `user` when it refuses to be root's."""

    argv: list[str | Path]
    env: dict[str, str] = field(default_factory=dict)
    user: str | None = None


class Service:
    name: str
    ports: dict[str, int]  # what for -> offset from the stack's base; "main" is where clients go
    start_seconds = 30.0
    stop_signal: int = signal.SIGTERM
    stop_seconds = 15.0
    client = False  # it uses the others: started after them, stopped before them

    def install(self, place: Place) -> None:
        """Brings what is missing."""

    def prepare(self, place: Place) -> Start:
        """Writes settings and first data; may be repeated."""
        raise NotImplementedError

    def ready(self, place: Place) -> bool:
        """One look, two seconds at most."""
        raise NotImplementedError

    def after(self, place: Place) -> None:
        """What has to be put into the running server; may be repeated."""

    def urls(self, place: Place) -> dict[str, str]:
        """The settings of Weft that this server is the answer to."""
        return {}

    def url(self, place: Place) -> str:
        return next(iter(self.urls(place).values()), f"http://{HOST}:{self.port(place)}")

    def outside(self, place: Place) -> list[Path]:
        """Folders of data that lie outside of the stack's folder."""
        return []

    def port(self, place: Place, which: str = "main") -> int:
        return place.base + self.ports[which]

    def folder(self, place: Place) -> Path:
        return place.folder(self.name)

    def environment(self, place: Place) -> dict[str, str]:
        """Little, so that the person's own settings do not change a server."""
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder(place)),
        }


def answers(url: str, status: int = 200, text: str | None = None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == status and (text is None or text in answer.read(4096).decode())
    except (urllib.error.URLError, OSError, ValueError):
        return False


def exchange(port: int, sent: bytes, size: int) -> bytes:
    """Sends bytes to a port and reads the beginning of the answer; empty when nobody answers."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as wire:
            wire.sendall(sent)
            return wire.recv(size)
    except OSError:
        return b""
