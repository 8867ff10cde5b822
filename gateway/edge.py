"""The outermost layer, plain ASGI: request id, caps, time limits, security headers, log."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import telemetry
from core.ids import new_id
from core.patience import person_waits
from core.settings import Settings
from gateway.exchange import KEY, Exchange
from gateway.problems import problem

_log = telemetry.log("gateway")
BEGAN = "weft.began"  # seconds on the monotonic clock: a request may have waited for its place
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,80}$")
_ID = re.compile(r"^[0-9a-f-]{36}$")
_HEADER_BYTES_MAX = 32 * 2**10
_HEADERS_MAX = 100
_IN_FLIGHT_MAX = 2_000
_CHUNK_SECONDS_MAX = 30.0  # a client that sends nothing for so long is cut off
_BODY_BYTES_PER_SECOND_MIN = 4 * 2**10
MULTIPART_FILES = 8  # one multipart body may hold this many files of the largest size

SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
DEFAULTS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


class Edge:
    """Nothing gets in or out but through here; an unexpected error becomes a 500 here."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._body_max = settings.body_bytes_max
        self._multipart_max = settings.upload_bytes_max * MULTIPART_FILES
        self._in_flight = 0
        self._log = _log.bind()  # once: binding costs more than writing the line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = scope.get(BEGAN) or time.monotonic()
        headers = dict(scope["headers"])
        exchange = Exchange(request_id_of(headers), _client(scope))
        scope[KEY] = exchange
        person_waits.set(True)  # for this request's task and its threads
        answer = _Answer(exchange, send)
        self._in_flight += 1
        with telemetry.span("HTTP", parent=_parent(headers), kind="server") as span:
            try:
                await self._admit(scope, headers, receive, answer)
            except Exception:  # noqa: BLE001 - the edge
                await _fail(scope, receive, answer)
            finally:
                self._in_flight -= 1
                _record(self._log, span, scope, answer, time.monotonic() - began)

    async def _admit(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: _Answer
    ) -> None:
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, code, detail = refusal
            more = {503: {"Retry-After": "1"}, 400: {"Connection": "close"}}.get(status)
            extra: dict[str, Any] = {"limit": self._cap(headers)} if status == 413 else {}
            response = problem(
                status,
                code,
                detail,
                answer.exchange.request_id,
                headers=more,
                path=scope["path"],
                **extra,
            )
            await response(scope, receive, answer.send)
            return
        if b"content-length" in headers or b"transfer-encoding" in headers:
            receive = _Body(receive, self._cap(headers)).receive
        await self._app(scope, receive, answer.send)

    def _cap(self, headers: dict[bytes, bytes]) -> int:
        multipart = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        return self._multipart_max if multipart else self._body_max

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str, str] | None:
        """Checks that need neither a credential nor a byte of the body."""
        raw = scope["headers"]
        if len(raw) > _HEADERS_MAX or sum(len(k) + len(v) for k, v in raw) > _HEADER_BYTES_MAX:
            return 431, "headers_too_large", "The headers are too many or too large."
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return 422, "invalid_input", "A NUL character has no place in an address."
        if b"transfer-encoding" in headers and b"content-length" in headers:
            return 400, "bad_request", "A body has one length: Content-Length or chunks."
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > self._cap(headers):
            cap = self._cap(headers)
            return 413, "too_large", f"The body of this request may have at most {cap} bytes."
        if self._in_flight > _IN_FLIGHT_MAX:
            return 503, "overloaded", "Too many requests at once. Try again in a moment."
        return None


class BodyTooLarge(HTTPException):
    """`extra` goes into the problem. No `WeftError`: FastAPI would call that bad JSON."""

    def __init__(self, cap: int) -> None:
        super().__init__(413, f"The body may have at most {cap} bytes.")
        self.extra = {"limit": cap}


class _Body:
    """Counts a body while it arrives and cuts it off at the first byte over its cap."""

    def __init__(self, receive: Receive, cap: int) -> None:
        self._receive = receive
        self._cap = cap
        self._seen = 0
        self._done = False
        self._began = time.monotonic()

    async def receive(self) -> Message:
        if self._done:
            return await self._receive()
        try:
            async with asyncio.timeout(_CHUNK_SECONDS_MAX):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "The body arrives too slowly.") from error
        if message["type"] == "http.request":
            self._count(message)
        return message

    def _count(self, message: Message) -> None:
        self._seen += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._seen > self._cap:
            raise BodyTooLarge(self._cap)
        spent = time.monotonic() - self._began - _CHUNK_SECONDS_MAX
        if spent > 0 and self._seen < spent * _BODY_BYTES_PER_SECOND_MIN:
            raise HTTPException(408, "The body arrives too slowly.")


class _Answer:
    """Adds the headers that every answer has, and remembers how it went."""

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self.exchange = exchange
        self.status = 0
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            present = {name for name, _ in headers}
            headers.append((b"x-request-id", self.exchange.request_id.encode()))
            headers.extend(SECURITY)
            headers.extend(pair for pair in DEFAULTS if pair[0] not in present)
            headers.extend(self.exchange.headers)
            message = {**message, "headers": headers}
        await self._send(message)


async def _fail(scope: Scope, receive: Receive, answer: _Answer) -> None:
    exchange = answer.exchange
    _log.error("request failed", request_id=exchange.request_id, exc_info=True)
    if answer.status:
        return  # the answer has begun: closing the connection is all that is left
    detail = "Something broke on our side. Name the request_id when you report it."
    response = problem(500, "internal_error", detail, exchange.request_id, path=scope["path"])
    await response(scope, receive, answer.send)


def _record(log: Any, span: telemetry.Span, scope: Scope, answer: _Answer, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    telemetry.count_request(method, route, answer.status, seconds)
    exchange = answer.exchange
    ctx = exchange.identity.ctx if exchange.identity else None
    run_id = exchange.run_id or _run_id(scope)
    log.info(
        "request", method=method, route=route, status=answer.status, ms=round(seconds * 1000, 2),
        request_id=exchange.request_id, client=exchange.client,
        tenant=ctx.tenant if ctx else None, actor=ctx.actor if ctx else None, run_id=run_id,
    )  # fmt: skip
    if not telemetry.traced():
        return
    span.name(f"{method} {route}")
    for name, value in (
        ("http.request.method", method), ("http.route", route),
        ("http.response.status_code", answer.status), ("weft.request_id", exchange.request_id),
        ("weft.tenant_id", ctx.tenant if ctx else None), ("weft.run_id", run_id),
    ):  # fmt: skip
        span.set(name, value)
    if answer.status >= 500 or not answer.status:
        span.fail(str(answer.status))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _parent(headers: dict[bytes, bytes]) -> str | None:
    """W3C Trace Context: a caller's trace goes on here."""
    given = headers.get(b"traceparent")
    return None if given is None else given.decode("latin-1")


def _run_id(scope: Scope) -> str | None:
    """The run that the address names; what is no id of ours stays out of the log."""
    given = (scope.get("path_params") or {}).get("workflow_id")
    return given if isinstance(given, str) and _ID.match(given) else None


def request_id_of(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.match(given) else new_id()


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
