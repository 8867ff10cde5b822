"""The way out, as crafts are given it: `connectors.egress` is the one that makes connections."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin


def joined(base: str, told: str) -> str:
    """`told` as it is meant at `base`. What is no address at all (`http://[`) stays as it is: the
    way out refuses it."""
    try:
        return urljoin(base, told)
    except ValueError:
        return told


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` in lower case; `body` decoded, empty when it was not asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Net(Protocol):
    """Every host is resolved once and the connection goes to an address that was checked. What may
    not be reached reads like what cannot be."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        redirects_max: int = 5,
        want_body: bool = True,
        bytes_max: int | None = None,
    ) -> Reply:
        """Raises `InvalidInput` (may never be called), `Unavailable` (no answer in time) or
        `Unfinishable` (too large, too many redirects). `bytes_max`: of the body, instead of the
        usual cap."""
        ...

    def keeping(self) -> AbstractContextManager[Net]:
        """The same way out, for one thread, whose connections stay open from one request to the
        next."""
        ...

    def check(self, url: str) -> object:
        """Raises `InvalidInput` for a web address that may never be called; asks no DNS."""
        ...

    def check_place(self, host: str, port: int) -> None:
        """Raises `InvalidInput` for a place that may never be called; asks no DNS."""
        ...

    def allowed(self, host: str, port: int) -> bool:
        """Whether the operator named this place himself: what may be called without TLS too."""
        ...

    def connect(self, host: str, port: int, *, tls: bool, seconds: float = 30.0) -> socket.socket:
        """A connected socket, with TLS verified for `host` when `tls`; `seconds` is its timeout.
        Raises like `request`."""
        ...

    def connect_beside(
        self, control: socket.socket, port: int, *, seconds: float = 30.0
    ) -> socket.socket:
        """Another connection to the very address that `control`, of `connect`, leads to, on a port
        of 1024 and up: FTP sends its files so. Raises like `request`."""
        ...

    def start_tls(
        self, plain: socket.socket, host: str, *, like: socket.socket | None = None
    ) -> socket.socket:
        """TLS on a socket of `connect`, verified for `host`, going on with the session of `like`,
        a socket that was given here before. Raises `Unavailable`."""
        ...
