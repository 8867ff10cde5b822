"""HTTP to an object store under rules that hold for every request: deadlines, whole bodies, a few
quick retries, a rest after failures. Everything Weft asks of a store may be asked twice."""

from __future__ import annotations

import contextlib
import hashlib
import io
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3 import HTTPResponse, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from core.breaker import Breaker
from core.errors import Outage, Unavailable
from core.patience import person_waits
from core.unsealing import Sink

CONNECT_SECONDS = 3.0
READ_SECONDS = 30.0  # silence between two pieces of an answer, and a whole body on its way out
SILENCE_SECONDS = 5.0  # the same for what is read while a person waits: he is told soon
DEADLINE_SECONDS = 45.0  # one request with its retries
TRIES = 3
RETRY_AFTER_SECONDS = 2
_BACKOFF_SECONDS = 0.1
_AGAIN = frozenset({429, 500, 502, 503, 504})
_READS = frozenset({"GET", "HEAD"})
_PIECE = 1 << 18
_MD5 = re.compile(r'^"?([0-9a-f]{32})"?$')


class _Torn(Exception):
    """The body is not the one that was stored."""


def _outage(why: str) -> Outage:
    return Outage(
        f"The object store does not answer: {why}. Nothing is lost; try again soon.",
        code="blobs_unavailable", retry_after=RETRY_AFTER_SECONDS,
    )  # fmt: skip


class Wire(PoolManager):
    """What the client sends by. Answers carry their whole body; raises `Outage` when there is
    none to be had by the deadline. `skew_seconds`: the store's clock minus ours, by its last
    answer."""

    def __init__(
        self,
        connections: int,
        deadline_seconds: float = DEADLINE_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        super().__init__(num_pools=2, maxsize=connections, block=False)
        self.pool_classes_by_scheme = {"http": _Plain, "https": _Secure}
        self.skew_seconds: float | None = None
        self._deadline_seconds, self._silence_seconds = deadline_seconds, silence_seconds
        # Short: callers are told to come back in two seconds, and then somebody has to knock.
        self._breaker = Breaker(failures=8, seconds=RETRY_AFTER_SECONDS)
        self._mine = threading.local()

    @contextlib.contextmanager
    def once(self) -> Iterator[None]:
        """This thread's writes succeed only where nothing is stored yet (RFC 9110 §13.1.2), and
        are not repeated: a repeat would meet its own first try."""
        self._mine.headers = {"If-None-Match": "*"}
        try:
            yield
        finally:
            self._mine.headers = {}

    @contextlib.contextmanager
    def into(self, sink: Sink) -> Iterator[None]:
        """This thread's next object goes to `sink` while it comes, and not into the answer. It is
        not hashed on the way: whoever takes it in pieces knows what it has to be."""
        self._mine.sink = sink
        try:
            yield
        finally:
            self._mine.sink = None

    def urlopen(  # type: ignore[override]
        self, method: str, url: str, redirect: bool = True, **kw: Any
    ) -> BaseHTTPResponse:
        more: Mapping[str, str] = getattr(self._mine, "headers", {})
        kw["headers"] = {**kw["headers"], **more}
        kw.pop("preload_content", None)
        try:
            with self._breaker.guard("The object store"):
                return self._tried(method, url, 1 if more else TRIES, kw)
        except Outage:
            raise
        except Unavailable as error:  # it rests
            raise Outage(error.detail, code="blobs_unavailable", **error.extra) from error

    def _tried(self, method: str, url: str, tries: int, kw: dict[str, Any]) -> BaseHTTPResponse:
        until = time.monotonic() + self._deadline_seconds
        for turn in range(1, tries + 1):
            last = turn == tries or time.monotonic() > until - CONNECT_SECONDS
            try:
                answer = self._asked(method, url, until, kw)
            except (HTTPError, OSError, _Torn) as error:
                if last or (self._hurried(method) and _silent(error)):
                    raise _outage(_named(error)) from error
            else:
                if answer.status not in _AGAIN:
                    return answer
                if last:
                    raise _outage(f"it answered {answer.status}")
            time.sleep(random.uniform(0.5, 1.0) * _BACKOFF_SECONDS * 4 ** (turn - 1))  # noqa: S311
        raise AssertionError("the last try answers or raises")

    def _asked(self, method: str, url: str, until: float, kw: dict[str, Any]) -> BaseHTTPResponse:
        left = max(0.1, until - time.monotonic())
        patience = self._silence_seconds if self._hurried(method) else READ_SECONDS
        timeout = Timeout(connect=min(CONNECT_SECONDS, left), read=min(patience, left))
        answer = super().urlopen(
            method, url, redirect=False, retries=False, timeout=timeout, preload_content=False, **kw
        )
        self._note_clock(answer.headers.get("date"))
        sink = self._sink
        try:
            if sink is not None and method == "GET" and answer.status == 200:
                _poured(answer, until, sink)
                return answer
            body = _whole(answer, until)
        except BaseException:
            answer.close()  # what may still come belongs to nobody
            raise
        if method == "GET" and answer.status == 200:
            _check(answer.headers, body)
        # Not the bytes themselves: urllib3 takes an empty body for none.
        return HTTPResponse(io.BytesIO(body), answer.headers, answer.status, request_method=method)

    def _hurried(self, method: str) -> bool:
        """A write may take its time: nothing of it is heard until all of it is there."""
        return self._sink is not None or (method in _READS and person_waits.get())

    @property
    def _sink(self) -> Sink | None:
        return getattr(self._mine, "sink", None)

    def _note_clock(self, date: str | None) -> None:
        with contextlib.suppress(TypeError, ValueError):
            if date is not None:
                self.skew_seconds = parsedate_to_datetime(date).timestamp() - time.time()


def _whole(answer: BaseHTTPResponse, until: float) -> bytes:
    pieces = []
    while piece := answer.read1(_PIECE, decode_content=False):
        pieces.append(piece)
        if time.monotonic() > until:
            raise TimeoutError("too slow")
    return b"".join(pieces)


def _poured(answer: BaseHTTPResponse, until: float, sink: Sink) -> None:
    length = answer.headers.get("content-length")
    if length is None:
        body = _whole(answer, until)
        sink.begin(len(body))
        sink.feed(body)
        return
    came = 0
    sink.begin(int(length))
    while piece := answer.read1(_PIECE, decode_content=False):
        sink.feed(piece)
        came += len(piece)
        if time.monotonic() > until:
            raise TimeoutError("too slow")
    if came != int(length):
        raise _Torn(f"{came} bytes of {length}")


def _check(headers: Mapping[str, str], body: bytes) -> None:
    """An object written in one request has the MD5 of its bytes as its tag, unless the store
    encrypts it with a key of its own."""
    length = headers.get("content-length")
    if length is not None and int(length) != len(body):
        raise _Torn(f"{len(body)} bytes of {length}")
    tag = _MD5.match(headers.get("etag", ""))
    if tag is None or "x-amz-server-side-encryption" in headers:
        return
    if hashlib.md5(body, usedforsecurity=False).hexdigest() != tag[1]:
        raise _Torn("other bytes than were stored")


def _silent(error: BaseException) -> bool:
    """It does not even refuse: to ask again would take as long."""
    return isinstance(error, (TimeoutError, ReadTimeoutError))


def _named(error: BaseException) -> str:
    """Never the URL, which names a tenant."""
    if isinstance(error, _Torn):
        return f"it sent {error}"
    return type(error).__name__


class _Patient:
    """urllib3 gives a body on its way out no more time than a connect."""

    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(READ_SECONDS)
        super().send(data)  # type: ignore[misc]


class _PlainConnection(_Patient, HTTPConnection):
    pass


class _SecureConnection(_Patient, HTTPSConnection):
    pass


class _Plain(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Secure(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
