"""Connections of the way out: to checked addresses only, each request within its own time; those
of one pull are kept open between its requests."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import httpcore

_KEPT_MAX = 4  # origins that connections are kept to


class Route(httpcore.NetworkBackend):
    """Connects to the checked addresses only; TLS still names and verifies the original host."""

    def __init__(self, addresses: Sequence[str], deadline: float) -> None:
        self._addresses, self.deadline = addresses, deadline
        self._inner = httpcore.SyncBackend()
        self.sent = False  # a byte of the request left us

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        del host, timeout
        failure: Exception = OSError("no address")
        for address in self._addresses[:4]:
            try:
                seconds = min(10.0, _left(self.deadline))
                stream = self._inner.connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
                return Stream(stream, self)
            except httpcore.ConnectError as error:
                failure = error
        raise failure


class Stream(httpcore.NetworkStream):
    """Every read and write gets only what is left of the whole request's time."""

    def __init__(self, inner: httpcore.NetworkStream, route: Route) -> None:
        self._inner, self._route = inner, route

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._route.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = _left(self._route.deadline)
        self._route.sent = True
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._route.deadline)
        inner = self._inner.start_tls(ssl_context, server_hostname, left)
        return Stream(inner, self._route)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the whole request took too long")
    return seconds


Way = tuple[Route, httpcore.ConnectionPool]


class Kept:
    """Connections that stay open until `close`. Not for two threads."""

    def __init__(self) -> None:
        self._ways: dict[object, Way] = {}

    @contextlib.contextmanager
    def way(self, origin: object, make: Callable[[], Way], deadline: float) -> Iterator[Way]:
        """One that was opened before, or a new one. After a failure it is not used again."""
        if origin not in self._ways and len(self._ways) >= _KEPT_MAX:
            self.close()
        way = self._ways[origin] = self._ways.get(origin) or make()
        way[0].deadline, way[0].sent = deadline, False
        try:
            yield way
        except BaseException:
            self._ways.pop(origin)[1].close()
            raise

    def has(self, origin: object) -> bool:
        return origin in self._ways

    def close(self) -> None:
        for _, pool in self._ways.values():
            pool.close()
        self._ways.clear()
