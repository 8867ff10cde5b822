"""HEAD is GET without its body (RFC 9110), for every route that answers GET."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Asks for the same with GET and stops the answer where its body would begin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        begun = False
        with anyio.CancelScope() as rest:

            async def headers_only(message: Message) -> None:
                nonlocal begun
                if begun:
                    return
                begun = True
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                rest.cancel()  # a stream would go on for as long as its run

            try:
                await self._app(asked, receive, headers_only)
            finally:
                if "route" in asked:  # for the log and the metrics
                    scope["route"] = asked["route"]
