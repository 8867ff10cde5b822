"""Weight files over HTTPS, with deadlines everywhere: a closed network fails in seconds."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from core.errors import Unavailable

CONNECT_SECONDS = 4.0
STALL_SECONDS = 30.0
FILE_SECONDS = 1800.0
_CHUNK = 1 << 18

# Bytes done and bytes in all (0 where the server does not say).
Progress = Callable[[int, int], None]


class Downloader:
    """Remembers hosts that did not answer, so that a closed network costs one wait for each."""

    def __init__(self) -> None:
        self._dead: set[str] = set()

    def page(self, url: str) -> str:
        """A small text page. Raises `Unavailable`."""
        with self._open(url) as answer:
            return answer.read(4 << 20).decode("utf-8", "replace")

    def file(self, url: str, into: Path, bytes_max: int, progress: Progress) -> None:
        """Streams `url` to `into`. Raises `Unavailable`: no answer, a stall, or too many bytes."""
        deadline = time.monotonic() + FILE_SECONDS
        with self._open(url) as answer, into.open("wb") as out:
            total = int(getattr(answer, "headers", {}).get("Content-Length") or 0)
            done = 0
            while chunk := _read(answer, url):
                done += len(chunk)
                if done > bytes_max or time.monotonic() > deadline:
                    raise Unavailable(f"{_host(url)} sent too much, or too slowly.")
                out.write(chunk)
                progress(done, total)

    def _open(self, url: str) -> BinaryIO:
        host = _host(url)
        if host in self._dead or not _reachable(url):
            self._dead.add(host)
            raise Unavailable(f"{host} does not answer.")
        request = urllib.request.Request(url, headers={"User-Agent": "weft"})  # noqa: S310
        try:
            answer: BinaryIO = urllib.request.urlopen(request, timeout=STALL_SECONDS)  # noqa: S310
        except (OSError, ValueError) as error:  # URLError and HTTPError are OSErrors
            raise Unavailable(f"{host}: {error}") from error
        return answer


def _read(answer: BinaryIO, url: str) -> bytes:
    try:
        return answer.read(_CHUNK)
    except OSError as error:
        raise Unavailable(f"{_host(url)}: {error}") from error


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _reachable(url: str) -> bool:
    """Whether a connection opens within `CONNECT_SECONDS`, name lookup included (which has no
    timeout of its own). A configured proxy is trusted to answer."""
    parts = urlsplit(url)
    if parts.scheme in urllib.request.getproxies():
        return True
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    opened = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection(address, timeout=CONNECT_SECONDS).close()
        except OSError:
            return
        opened.set()

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    return opened.is_set()
