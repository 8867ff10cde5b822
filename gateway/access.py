"""From headers to `Ctx`: the one place where a tenant is decided."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import anyio.to_thread

from core.context import PLATFORM, Ctx, scopes_of
from core.errors import Unauthenticated
from database import api_keys, tokens
from gateway.credentials import TOKEN_CHARS_MAX, Keyring, refused
from runtime import Runtime

# A verified credential is believed for so long: the longest time until a revocation is in force.
BELIEVED_MS = 3_000
_CACHE_MAX = 10_000
_TOUCH_MS = 60_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, checked at `checked_ms`."""

    ctx: Ctx
    tier: str
    tenant_slug: str
    email: str | None
    expires_ms: int | None
    family: str | None
    checked_ms: int
    touch: bool = False  # an API key whose last use was noted more than a minute ago

    def stands(self, now: int) -> bool:
        """Whether it may still be believed without asking the database."""
        fresh = 0 <= now - self.checked_ms < BELIEVED_MS
        return fresh and (self.expires_ms is None or self.expires_ms > now)


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The one credential of a request, whichever header carries it; two are refused."""
    found: list[str] = []
    for name, value in headers:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            found.append(token.strip() if kind.lower() == "bearer" else "")
        elif name == b"x-api-key":
            key = value.decode("latin-1").strip()
            found.append(key if key.startswith("wk_") else "")
    if len(found) > 1 or found == [""]:
        raise refused()
    return found[0] if found else None


class AccessControl:
    """Verifies credentials and believes them for `BELIEVED_MS`."""

    def __init__(self, rt: Runtime, keyring: Keyring) -> None:
        self._rt = rt
        self._keyring = keyring
        self._believed: dict[str, Identity] = {}

    async def identify(self, credential: str | None) -> Identity:
        """Raises `Unauthenticated`. A look into the cache, else one read of the database."""
        if not credential or len(credential) > TOKEN_CHARS_MAX:
            raise refused()
        now = self._rt.clock.now_ms()
        known = self._believed.get(credential)
        if known is not None and known.stands(now):
            return known
        return await self._verify(credential, now)

    async def _verify(self, credential: str, now: int) -> Identity:
        check = self._by_key if credential.startswith("wk_") else self._by_token
        try:
            if self._rt.db.is_sqlite:  # a read takes less than handing it to a thread
                found = check(credential, now)
            else:
                found = await anyio.to_thread.run_sync(functools.partial(check, credential, now))
        except Unauthenticated:
            self._believed.pop(credential, None)
            raise
        if len(self._believed) >= _CACHE_MAX:
            self._believed.clear()
        self._believed[credential] = found
        if found.touch:
            await anyio.to_thread.run_sync(self._touch, found.ctx)
        return found

    def _by_token(self, token: str, now: int) -> Identity:
        access = self._keyring.check(token, now)
        with self._rt.db.read(Ctx(access.tenant, f"user:{access.user}")) as tx:
            session = tokens.session(tx, access.tenant, access.user, access.family)
        if session is None or session.user.epoch != access.epoch:
            raise refused()
        user = session.user
        ctx = Ctx(user.tenant, f"user:{user.id}", frozenset({user.role}), scopes_of([user.role]))
        return Identity(
            ctx, session.tier, session.tenant_slug, user.email, access.expires_ms, access.family,
            now,
        )  # fmt: skip

    def _by_key(self, key: str, now: int) -> Identity:
        with self._rt.db.read(PLATFORM) as tx:
            session = api_keys.session(tx, self._keyring.digest(key))
        if session is None:
            raise refused()
        found = session.key
        ctx = Ctx(found.tenant, f"key:{found.id}", frozenset(), frozenset(found.scopes))
        stale = found.last_used_ms is None or now - found.last_used_ms > _TOUCH_MS
        return Identity(
            ctx, session.tier, session.tenant_slug, None, found.expires_ms, None, now, stale
        )

    def _touch(self, ctx: Ctx) -> None:
        with self._rt.db.transaction(ctx, durable=False) as tx:
            api_keys.touch(tx, ctx, ctx.actor.removeprefix("key:"))

    def forget(self) -> None:
        """After a change of rights made by this process: nothing is believed any more."""
        self._believed.clear()
