"""Whatever leaves the gateway for a reader who may not see personal data: by the tenant's policy
`mask`, JSON and events go out with dots in place of what is found in their texts.

Documents' text was masked at its source (`agents.privacy`), by all that the whole document tells.
This is the second wall: it holds for what was made earlier or by somebody who may see, such as a
run's outputs, a conversation or an approval, and for every route that will be added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents import privacy
from core.context import Ctx
from gateway.exchange import exchange_of
from runtime import Runtime

# People, credentials and settings: no documents' text, and what is read there is sent back changed,
# with its addresses.
_OWN = re.compile(
    r"/(?:auth|users|tenants|pii-policy|usage|health|healthz|readyz|metrics|docs|openapi\.json"
    r"|integrations|triggers|workflow-definitions|report-templates|why|v1|route|agents/status)(?:/|$)"
)


class Veil:
    def __init__(self, app: ASGIApp, rt: Runtime) -> None:
        self._app = app
        self._rt = rt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hidden = await self._hidden(scope) if scope["type"] == "http" else None
        await self._app(scope, receive, send if hidden is None else _Veiled(send, hidden))

    async def _hidden(self, scope: Scope) -> Callable[[Any], Any] | None:
        """How what this reader gets is made plain; None when nothing is hidden."""
        identity = exchange_of(scope).identity
        if identity is None or _OWN.match(scope["path"]) or privacy.REVEAL in identity.ctx.scopes:
            return None
        found = await _policy(self._rt, identity.ctx)
        if found is None:
            return None
        return partial(privacy.plain, self._rt, identity.ctx, kinds=found.kinds)


async def _policy(rt: Runtime, ctx: Ctx) -> privacy.Policy | None:
    """On SQLite a read takes less than handing it to a thread."""
    if rt.db.is_sqlite:
        return privacy.hides(rt, ctx)
    return await anyio.to_thread.run_sync(privacy.hides, rt, ctx)


class _Veiled:
    """JSON is held until it is whole; an event goes out as it comes."""

    def __init__(self, send: Send, plain: Callable[[Any], Any]) -> None:
        self._send = send
        self._plain = plain
        self._start: Message | None = None
        self._body = bytearray()
        self._kind = ""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._kind = Headers(raw=message["headers"]).get("content-type", "").split(";")[0]
            if not self._kind.endswith("json"):
                await self._send(message)
            self._start = message
        elif self._kind.endswith("json"):
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole()
        elif self._kind == "text/event-stream":
            body = await anyio.to_thread.run_sync(self._events, message.get("body", b""))
            await self._send({**message, "body": body})
        else:
            await self._send(message)

    async def _whole(self) -> None:
        assert self._start is not None
        body = await anyio.to_thread.run_sync(self._json, bytes(self._body))
        headers = MutableHeaders(raw=list(self._start["headers"]))
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})

    def _json(self, body: bytes) -> bytes:
        try:
            told = json.loads(body)
        except ValueError:
            return body  # empty, as the answer to HEAD is
        seen = self._plain(told)
        return body if seen == told else json.dumps(seen, ensure_ascii=False).encode()

    def _events(self, chunk: bytes) -> bytes:
        """Each event is one chunk, its data one line of JSON (`streams.sse`)."""
        lines = chunk.split(b"\n")
        return b"\n".join(
            b"data: " + self._json(line[6:]) if line.startswith(b"data: ") else line
            for line in lines
        )
