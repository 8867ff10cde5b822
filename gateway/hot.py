"""The two reads that are asked most, answered before the router: it costs more than they do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import WeftError
from gateway.exchange import exchange_of
from gateway.house import Caller, House, Permit
from gateway.problems import of_error
from gateway.routers import auth, workflows

_STATUS = re.compile(r"^/workflows/([0-9A-Za-z-]{1,64})/status$")
_MAY_READ = Permit("workflows:read")
_SIGNED_IN = Permit()


@dataclass(frozen=True, slots=True)
class _Route:
    """What the log and the metrics call it."""

    path: str


_STATUS_ROUTE = _Route("/workflows/{workflow_id}/status")
_VERIFY_ROUTE = _Route("/auth/verify")


class HotReads:
    """The same permits and the same functions as the routes themselves."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        try:
            if path == "/auth/verify":
                scope["route"] = _VERIFY_ROUTE
                answer = auth.verified(_SIGNED_IN.caller(self._house, scope))
            elif path.endswith("/status") and (found := _STATUS.match(path)):
                scope["route"], scope["path_params"] = _STATUS_ROUTE, {"workflow_id": found[1]}
                answer = await self._status(_MAY_READ.caller(self._house, scope), found[1])
            else:
                await self._app(scope, receive, send)
                return
        except WeftError as error:
            answer = of_error(error, exchange_of(scope).request_id)
        await answer(scope, receive, send)

    async def _status(self, who: Caller, workflow_id: str) -> Response:
        """On SQLite a read takes less time than handing it to a thread."""
        if who.rt.db.is_sqlite:
            return workflows.status_of(who, workflow_id)
        return await run_in_threadpool(workflows.status_of, who, workflow_id)
