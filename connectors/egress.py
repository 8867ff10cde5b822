"""The only way out: every outgoing HTTP request goes through `Egress.request`, every other
connection (mail boxes, file servers) through `Egress.connect`.

A host is resolved once and the connection goes to an address that was checked, so a second DNS
answer changes nothing. Bytes and time are capped; what a tenant sees never tells "refused" from
"unreachable".
"""

from __future__ import annotations

import contextlib
import copy
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import httpcore

from connectors.addresses import (
    PORTS,
    SOCKET_PORTS,
    Target,
    allowed_places,
    host_of,
    literal,
    parse,
    place_of,
    public,
)
from connectors.routes import Kept, Route, Way
from core.errors import InvalidInput, Unanswered, Unavailable, Unfinishable
from core.net import Reply, joined
from core.telemetry import log

_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "content-type", "user-agent"}
_QUESTIONS = {"GET", "HEAD"}
_REDIRECTS = {301, 302, 303, 307, 308}
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address that the system's resolver gives. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Egress:
    """`allow`: the operator's private `host:port` list. Caps: 20 MB decoded, 30 s in all."""

    def __init__(
        self,
        allow: str = "",
        *,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        bytes_max: int = 20_000_000,
        seconds_max: float = 30.0,
    ) -> None:
        self._allow = allowed_places(allow)
        self._resolver = resolver
        self._tls = tls
        self._bytes_max, self._seconds_max = bytes_max, seconds_max
        self._kept: Kept | None = None

    def check(self, url: str) -> Target:
        """Raises `InvalidInput` for a URL that may never be called; asks no DNS."""
        target = parse(url)
        if target.place in self._allow:
            return target
        local = target.host == "localhost" or target.host.endswith(".localhost")
        if local or target.port not in PORTS or (literal(target.host) and not public(target.host)):
            raise InvalidInput(
                f"{target.place} may not be called: only public addresses on the ports "
                f"{', '.join(map(str, sorted(PORTS)))} are. The operator can allow it with "
                f"WEFT_EGRESS_ALLOW={target.place}",
                code="target_not_allowed",
            )
        return target

    def check_place(self, host: str, port: int) -> None:
        """Raises `InvalidInput` for a place that may never be called; asks no DNS."""
        name = host_of(host)
        place = place_of(name, port)
        if place in self._allow:
            return
        local = name == "localhost" or name.endswith(".localhost")
        if local or port not in SOCKET_PORTS or (literal(name) and not public(name)):
            raise InvalidInput(
                f"{place} may not be called: only public addresses on the ports "
                f"{', '.join(map(str, sorted(SOCKET_PORTS)))} are. The operator can allow it with "
                f"WEFT_EGRESS_ALLOW={place}",
                code="target_not_allowed",
            )

    def allowed(self, host: str, port: int) -> bool:
        """Whether the operator named this place himself: what may be called without TLS too."""
        return place_of(host_of(host), port) in self._allow

    def connect(self, host: str, port: int, *, tls: bool, seconds: float = 30.0) -> socket.socket:
        """A connected socket, with TLS verified for `host` when `tls`; `seconds` is its timeout.
        Raises like `request`."""
        self.check_place(host, port)
        name = host_of(host)
        place = place_of(name, port)
        deadline = time.monotonic() + min(seconds, self._seconds_max)
        try:
            plain = self._dialled(self._checked(name, port, place, deadline), port, deadline)
            plain.settimeout(seconds)
            return self.start_tls(plain, name) if tls else plain
        except OSError as error:
            raise self._unreached(place, error) from None

    def connect_beside(
        self, control: socket.socket, port: int, *, seconds: float = 30.0
    ) -> socket.socket:
        """Another connection to the very address that `control`, of `connect`, leads to: never to
        one that the other side names. Raises like `request`."""
        address = str(control.getpeername()[0])
        place = place_of(address, port)
        if not 1024 <= port <= 65535:
            raise InvalidInput(f"{place} may not be called.", code="target_not_allowed")
        try:
            beside = socket.create_connection((address, port), min(10.0, seconds))
            beside.settimeout(seconds)
        except OSError as error:
            raise self._unreached(place, error) from None
        return beside

    def start_tls(
        self, plain: socket.socket, host: str, *, like: socket.socket | None = None
    ) -> socket.socket:
        """TLS on a socket of `connect`, verified for `host`; the plain one is closed on failure."""
        session = like.session if isinstance(like, ssl.SSLSocket) else None
        try:
            return self._trusted().wrap_socket(
                plain, server_hostname=host_of(host), session=session
            )
        except OSError as error:
            plain.close()
            raise self._unreached(host, error, dialled=True) from None

    @staticmethod
    def _dialled(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in addresses[:4]:
            try:
                seconds = max(0.01, min(10.0, deadline - time.monotonic()))
                return socket.create_connection((address, port), seconds)
            except OSError as error:
                failure = error
        raise failure

    @staticmethod
    def _unreached(
        place: str, error: Exception, *, sent: bool = False, dialled: bool = False
    ) -> Unavailable:
        # The operator's log has the reason; a tenant could map the network with it.
        log("connectors").info("egress failed", place=place, reason=repr(error))
        if sent:
            return Unanswered(f"{place} could not be reached.", code="unreachable")
        refused = any(isinstance(one, ssl.SSLError) for one in (error, error.__cause__))
        if refused or (dialled and not isinstance(error, TimeoutError)):
            return Unavailable(  # an address that may be called: this tells of no other
                f"{place} answers, but not with TLS and a certificate that is trusted for it. "
                "Correct the address, or ask its keeper for another certificate.",
                code="no_tls",
            )
        return Unavailable(f"{place} could not be reached.", code="unreachable")

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
        """Raises `InvalidInput` (may never be called), `Unavailable` (not reached), `Unanswered`
        (no answer in time) or `Unfinishable` (too large, too many redirects). Redirects are
        followed by hand, each checked like the first; with `redirects_max=0` the redirect itself
        is the reply."""
        deadline = time.monotonic() + self._seconds_max
        cap = 0 if not want_body else bytes_max or self._bytes_max
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        target = self.check(url)
        for _ in range(redirects_max + 1):
            reply = self._once(method, target, sent, content, deadline, cap)
            where = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not where or redirects_max == 0:
                return reply
            there = self.check(joined(target.url, where))
            if there.origin != target.origin:
                if content and reply.status in (307, 308):
                    raise Unfinishable("The body is not sent on to another site.", code="redirect")
                sent = {k: v for k, v in sent.items() if k in _KEPT_ACROSS_ORIGINS}
            if target.scheme == "https" and there.scheme == "http":
                raise Unfinishable("A redirect leads from https to http.", code="redirect")
            if reply.status not in (307, 308) and method != "HEAD":
                method, content = "GET", b""
            target = there
        raise Unfinishable(f"More than {redirects_max} redirects.", code="redirect")

    def _once(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        content: bytes,
        deadline: float,
        bytes_max: int,
    ) -> Reply:
        """`bytes_max` 0: without the body. A kept connection that the other side has closed since
        is no failure of a question that changes nothing."""
        again = self._kept is not None and self._kept.has(target.origin)
        for last in (not (again and method in _QUESTIONS), True):
            route: Route | None = None
            try:
                with self._way(target, deadline) as (route, pool):
                    return self._answered(pool, method, target, headers, content, bytes_max)
            except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
                    httpcore.UnsupportedProtocol, OSError) as error:  # fmt: skip
                if not last and isinstance(error, httpcore.NetworkError | httpcore.ProtocolError):
                    continue
                sent = bool(route and route.sent)
                raise self._unreached(target.place, error, sent=sent) from None
        raise AssertionError

    def _answered(
        self, pool: httpcore.ConnectionPool, method: str, target: Target,
        headers: Mapping[str, str], content: bytes, bytes_max: int,
    ) -> Reply:  # fmt: skip
        url = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path
        )
        sent = _headers(target, headers, keep=self._kept is not None)
        with pool.stream(method, url, headers=sent, content=content or None) as answer:
            got = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers}
            skip = not bytes_max or answer.status in _REDIRECTS
            body = b"" if skip else _body(answer.iter_stream(), got, bytes_max)
            return Reply(answer.status, got, body, target.url)

    @contextlib.contextmanager
    def _way(self, target: Target, deadline: float) -> Iterator[Way]:
        def made() -> Way:
            route = Route(self._addresses(target, deadline), deadline)
            context = self._tls_context(target)
            return route, httpcore.ConnectionPool(ssl_context=context, network_backend=route)

        if self._kept is not None:
            with self._kept.way(target.origin, made, deadline) as way:
                yield way
            return
        route, pool = made()
        with pool:
            yield route, pool

    @contextlib.contextmanager
    def keeping(self) -> Iterator[Egress]:
        """The same way out, for one thread, whose connections stay open from one request to the
        next."""
        own = copy.copy(self)
        own._kept = Kept()
        try:
            yield own
        finally:
            own._kept.close()

    def _addresses(self, target: Target, deadline: float) -> Sequence[str]:
        return self._checked(target.host, target.port, target.place, deadline)

    def _checked(self, host: str, port: int, place: str, deadline: float) -> Sequence[str]:
        if literal(host):
            return [host]
        found = _in_time(lambda: self._resolver(host, port), deadline)
        if place not in self._allow and not all(public(address) for address in found):
            raise OSError(f"not public: {found}")
        if not found:
            raise OSError("no address")
        return found

    def _tls_context(self, target: Target) -> ssl.SSLContext | None:
        return self._trusted() if target.scheme == "https" else None

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpcore.default_ssl_context()
        return self._tls


def _headers(target: Target, headers: Mapping[str, str], *, keep: bool) -> list[tuple[str, str]]:
    for name, value in headers.items():
        if not (name + value).isascii() or any(c in "\r\n\0" for c in name + value):
            raise InvalidInput(f"The header {name!r} is not one line of ASCII.", code="bad_header")
    usual = {"host": target.host_header, "user-agent": "weft", "accept-encoding": "gzip",
             "connection": "keep-alive" if keep else "close"}  # fmt: skip
    return list({**usual, **headers, "host": target.host_header}.items())


def _plain(chunks: Iterable[bytes], bytes_max: int) -> Iterator[bytes]:
    del bytes_max
    return iter(chunks)


def _gunzip(chunks: Iterable[bytes], bytes_max: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, told by its header
    begun, chunks = False, iter(chunks)
    try:
        for chunk in chunks:
            begun = True
            yield unpacker.decompress(chunk, bytes_max + 1)
            if unpacker.eof:
                next(chunks, None)  # the end of the answer: its connection is free then
                return
    except zlib.error as error:
        raise Unfinishable("The answer is damaged.", code="response_encoding") from error
    if begun:
        raise Unfinishable("The answer ends too early.", code="response_encoding")


_INFLATE = {"identity": _plain, "": _plain, "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _gunzip}


def _body(chunks: Iterable[bytes], headers: Mapping[str, str], bytes_max: int) -> bytes:
    """Inflates under the cap: a bomb is cut while it opens, not after."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    inflate = _INFLATE.get(coding)
    if inflate is None:
        raise Unfinishable(f"The answer is encoded as {coding!r}.", code="response_encoding")
    out = bytearray()
    for piece in inflate(chunks, bytes_max):
        out += piece
        if len(out) > bytes_max:
            raise Unfinishable(
                f"The answer is larger than {bytes_max:,} bytes.",
                code="response_too_large",
            )
    return bytes(out)


def _in_time(ask: Callable[[], Sequence[str]], deadline: float) -> Sequence[str]:
    """The system's resolver knows no deadline, so it works aside and is left behind when late."""
    result: list[Sequence[str]] = []

    def run() -> None:
        try:
            result.append(ask())
        except (OSError, UnicodeError):
            result.append(())

    thread = threading.Thread(target=run, name="resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, min(10.0, deadline - time.monotonic())))
    if not result:
        raise TimeoutError("the resolver did not answer")
    return result[0]
