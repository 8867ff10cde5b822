"""Toxiproxy by its HTTP API: what lies between Weft and a server goes slow, narrow or away."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Proxy:
    """One way to a server: `listen` and `upstream` are host:port."""

    api: str
    name: str
    listen: str
    upstream: str

    def make(self) -> None:
        body = {"name": self.name, "listen": self.listen, "upstream": self.upstream}
        self._call("DELETE", f"/proxies/{self.name}", missing=True)
        self._call("POST", "/proxies", {**body, "enabled": True})

    def remove(self) -> None:
        self._call("DELETE", f"/proxies/{self.name}", missing=True)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens."""
        self._call("POST", f"/proxies/{self.name}", {"enabled": False})
        try:
            yield
        finally:
            self._call("POST", f"/proxies/{self.name}", {"enabled": True})

    @contextmanager
    def poisoned(self, kind: str, toxicity: float = 1.0, **attributes: int) -> Iterator[None]:
        """`kind` and its attributes as Toxiproxy names them; on what the server sends."""
        toxic = {"name": kind, "type": kind, "stream": "downstream", "toxicity": toxicity,
                 "attributes": attributes}  # fmt: skip
        self._call("POST", f"/proxies/{self.name}/toxics", toxic)
        try:
            yield
        finally:
            self._call("DELETE", f"/proxies/{self.name}/toxics/{kind}")

    def _call(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> None:
        request = urllib.request.Request(
            self.api + path, json.dumps(body).encode() if body is not None else None, method=method
        )
        try:
            # A slow drip is taken away only when what is under way has dripped through.
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            if not (missing and error.code == 404):
                raise AssertionError(f"{method} {path}: {error.read().decode()}") from error
