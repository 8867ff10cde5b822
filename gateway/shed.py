"""How overload is refused: before anything else is done for a request, with an answer that was
built beforehand. A refusal that is dear is what an overloaded server dies of."""

from __future__ import annotations

import time
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Unavailable
from gateway.edge import BEGAN, DEFAULTS, SECURITY, request_id_of
from gateway.exchange import KEY
from gateway.overload import Gate, Line, credential_in
from gateway.problems import of_error

_MARK = "request id"
_BUSY = of_error(
    Unavailable(
        "Too much is asked of this server at once. Try again in a moment.",
        code="overloaded", retry_after=1,
    ), _MARK,
)  # fmt: skip
_BEFORE, _AFTER = bytes(_BUSY.body).split(_MARK.encode())
_HEADERS = (
    *((name, value) for name, value in _BUSY.raw_headers if name != b"content-length"),
    *SECURITY, *DEFAULTS,
)  # fmt: skip
Headers = list[tuple[bytes, bytes]]


class Shed:
    """The outermost layer: a request has its place, or waits for it, or is refused."""

    def __init__(self, app: ASGIApp, gate: Gate, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._gate = gate
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate = self._gate
        line = gate.line(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if line is None:
            await self._app(scope, receive, send)
            return
        credential = credential_in(scope["headers"])
        tenant = gate.tenant(credential)
        scope[BEGAN] = time.monotonic()
        if not await line.enter(tenant):
            await gate.refuse()
            await self._refuse(scope, send)
            return
        place = _Place(line, tenant, send)
        try:
            await self._app(scope, receive, place.send if line is gate.short else send)
        finally:
            place.leave()
            exchange = scope.get(KEY)
            identity = exchange.identity if exchange is not None else None
            known = identity.ctx.tenant if identity is not None else None
            if known != (tenant or None):
                gate.learn(credential, known)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        headers = scope["headers"]
        request_id = request_id_of(dict(headers)).encode()
        body = _BEFORE + request_id + _AFTER
        given = [
            *_HEADERS, (b"x-request-id", request_id), (b"content-length", b"%d" % len(body)),
            *_origin(headers, self._origins),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": 503, "headers": given})
        await send({"type": "http.response.body", "body": body})


class _Place:
    """Given back with the first byte of the answer: a client that reads slowly holds none."""

    __slots__ = ("_left", "_line", "_send", "_tenant")

    def __init__(self, line: Line, tenant: str, send: Send) -> None:
        self._line, self._tenant, self._send, self._left = line, tenant, send, False

    async def send(self, message: Message) -> None:
        self.leave()
        await self._send(message)

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._line.leave(self._tenant)


def _origin(headers: Headers, allowed: frozenset[bytes]) -> Headers:
    """A page elsewhere may read the answer as it may read others."""
    if not allowed:
        return []
    asked = next((value for name, value in headers if name == b"origin"), None)
    if asked is None or not allowed & {asked, b"*"}:
        return []
    return [(b"access-control-allow-origin", asked), (b"vary", b"Origin")]
