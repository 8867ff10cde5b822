"""Login, rotation, logout. An unknown user, a wrong password and a locked account look alike."""

from __future__ import annotations

import hashlib

from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import RateLimited, Unauthenticated
from database import tokens, users
from database.engine import Tx
from database.users import Login, User
from gateway.credentials import new_refresh_token, refused
from gateway.house import Caller, House
from gateway.passwords import matches
from gateway.schemas.auth import LoginRequest, Tokens

TRIES = 10
WINDOW_SECONDS = 15 * 60
ADDRESS_TRIES = 300  # per client address and window: many people may share one


def login(house: House, request: LoginRequest, client: str) -> Tokens:
    """Raises `Unauthenticated`, and `RateLimited` after ten tries in fifteen minutes."""
    rt = house.rt
    _slow_down(house, f"login/ip/{client}", ADDRESS_TRIES)
    with rt.db.transaction(PLATFORM, durable=False) as tx:
        candidates = users.logins(tx, request.email, request.tenant)
        waits = [_guess(tx, candidate.user) for candidate in candidates]
    if not candidates:
        address = hashlib.sha256(users.normal(request.email).encode()).hexdigest()
        _slow_down(house, f"login/account/{address}", TRIES)
    if waits and all(wait is not None for wait in waits):
        raise _too_often(max(wait or 0 for wait in waits) / 1000)
    allowed = [c for c, wait in zip(candidates, waits, strict=True) if wait is None]
    found = _with_password(allowed, request.password)
    if found is None:
        raise Unauthenticated("The e-mail address or the password is wrong.", code="bad_login")
    ctx = Ctx(found.user.tenant, f"user:{found.user.id}")
    with rt.db.transaction(ctx) as tx:
        users.forgive(tx, found.user)
        given = _tokens(house, tx, found.user, None)
    house.warmer.warm(rt, ctx)
    return given


def _guess(tx: Tx, user: User) -> int | None:
    tx.become(Ctx(user.tenant, "system"))
    return users.guess(tx, user, tries=TRIES, window_ms=WINDOW_SECONDS * 1000)


def _with_password(candidates: list[Login], password: str) -> Login | None:
    if not candidates:
        matches(password, None)
    return next((c for c in candidates if matches(password, c.password_hash)), None)


def refresh(house: House, refresh_token: str) -> Tokens:
    """Each refresh token works once. Raises `Unauthenticated`; a second use of one ends the whole
    session, for whoever stole it and for whoever it was stolen from."""
    with house.rt.db.transaction(PLATFORM) as tx:
        session = tokens.redeem(tx, house.keyring.digest(refresh_token))
        answer = None if session is None else _tokens(house, tx, session.user, session.family)
    if answer is None:
        house.access.forget()
        raise Unauthenticated(
            "This refresh token is unknown, used up or expired. Sign in again.",
            code="bad_refresh_token",
        )
    return answer


def logout(who: Caller) -> None:
    """Ends the session of the access token in use. An API key has none: revoke it instead."""
    if who.identity.family is None:
        raise refused()
    with who.rt.db.transaction(who.ctx) as tx:
        tokens.revoke(tx, who.ctx, who.identity.family)
    who.house.access.forget()


def _tokens(house: House, tx: Tx, user: User, family: str | None) -> Tokens:
    settings, fresh = house.rt.settings, new_refresh_token()
    expires_ms = tx.now_ms + settings.refresh_token_seconds * 1000
    family = tokens.issue(tx, user, house.keyring.digest(fresh), expires_ms, family)
    access = house.keyring.sign(
        user.id, user.tenant, family, user.epoch, tx.now_ms, settings.access_token_seconds
    )
    return Tokens(
        access_token=access,
        refresh_token=fresh,
        expires_in=settings.access_token_seconds,
        refresh_expires_in=settings.refresh_token_seconds,
    )


def _slow_down(house: House, key: str, limit: int) -> None:
    allowance = house.rt.limiter.hit(key, limit, WINDOW_SECONDS)
    if not allowance.allowed:
        telemetry.limiter_refused.labels("logins").inc()
        raise _too_often(allowance.reset_seconds)


def _too_often(seconds: float) -> RateLimited:
    wait = max(1, round(seconds + 0.5))
    headers = {
        "RateLimit": f'"login";r=0;t={wait}',
        "RateLimit-Policy": f'"login";q={TRIES};w={WINDOW_SECONDS}',
    }
    return RateLimited(
        "Too many tries to sign in. Wait and try again.", code="too_many_logins",
        retry_after=wait, limit="logins", headers=headers,
    )  # fmt: skip
