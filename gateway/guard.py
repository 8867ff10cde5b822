"""Deny by default: no request reaches a route without a credential unless `OPEN` names its path."""

from __future__ import annotations

import re

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import WeftError
from core.ports import Allowance
from core.tiers import tier_of
from gateway.access import AccessControl, Identity, credential_of
from gateway.content_types import check_content_type
from gateway.credentials import refused
from gateway.exchange import Exchange, exchange_of
from gateway.problems import of_error
from runtime import Runtime
from workflows.admission import WINDOW_SECONDS, check_request, count_request

# Frozen by a test: a route that is open must be written here, and nowhere else.
OPEN = frozenset({
    "/", "/healthz", "/health", "/readyz", "/docs", "/docs/page.js", "/why", "/why/page.js",
    "/openapi.json", "/auth/login", "/auth/refresh",
})  # fmt: skip
# Its signature is its credential.
_SIGNED = re.compile(r"/triggers/[^/]+")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


def is_open(method: str, path: str) -> bool:
    """Whether it is answered without a credential."""
    return path in OPEN or (method == "POST" and _SIGNED.fullmatch(path) is not None)


class Guard:
    """Authentication and the tenant's rate limit, before anything of the body is read."""

    def __init__(self, app: ASGIApp, rt: Runtime, access: AccessControl) -> None:
        self._app = app
        self._rt = rt
        self._access = access
        self._limits_here = rt.settings.limits_url.startswith("local:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        try:
            await self._admit(scope, exchange)
        except WeftError as error:
            await of_error(error, exchange.request_id, scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, exchange: Exchange) -> None:
        path = scope["path"]
        if not is_open(scope["method"], path):
            credential = credential_of(scope["headers"])
            if credential is None and path == "/metrics" and _from_this_machine(scope):
                return
            exchange.identity = await self._access.identify(credential)
            await self._limit(exchange, exchange.identity)
        check_content_type(scope)

    async def _limit(self, exchange: Exchange, identity: Identity) -> None:
        if tier_of(identity.tier).requests_per_minute is None:
            return
        if self._limits_here:
            allowance = count_request(self._rt, identity.ctx, identity.tier)
        else:
            allowance = await anyio.to_thread.run_sync(
                count_request, self._rt, identity.ctx, identity.tier
            )
        if allowance is not None:
            exchange.headers.extend(_shown(allowance))
        check_request(identity.tier, allowance)


def _shown(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """IETF draft-ietf-httpapi-ratelimit-headers."""
    reset = max(0, round(allowance.reset_seconds))
    return [
        (b"ratelimit", f'"tenant";r={allowance.remaining};t={reset}'.encode()),
        (b"ratelimit-policy", f'"tenant";q={allowance.limit};w={WINDOW_SECONDS}'.encode()),
    ]


def _from_this_machine(scope: Scope) -> bool:
    """A proxy on this machine speaks for others, so a forwarded request does not count."""
    client = scope.get("client")
    forwarded = any(name in _FORWARDED for name, _ in scope["headers"])
    return client is not None and client[0] in _LOOPBACK and not forwarded


def identity_of(scope: Scope) -> Identity:
    """Raises `Unauthenticated` when the guard let the request in without a credential."""
    identity = exchange_of(scope).identity
    if identity is None:
        raise refused()
    return identity
