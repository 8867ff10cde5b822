"""Tenants, users and API keys, made in one place for HTTP and for the `weft` command."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from typing import Any

from agents import lately
from core.context import ALL_SCOPES, PLATFORM, ROLE_SCOPES, Ctx, scopes_of
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, QuotaExceeded
from core.ids import new_id
from core.tiers import tier_of
from database import api_keys, tenants, users
from database.api_keys import ApiKey
from database.engine import Tx
from database.keys import new_tenant_key
from database.tenants import PLATFORM_SLUG, Tenant
from database.users import User
from gateway.credentials import Keyring, new_api_key
from gateway.passwords import hash_password
from runtime import Runtime


def provision(
    rt: Runtime,
    slug: str,
    name: str = "",
    tier: str = "free",
    config: Mapping[str, Any] | None = None,
    *,
    ctx: Ctx | None = None,
) -> Tenant:
    """A tenant with its own sealed key, webhook secret and branding. Raises `Conflict` when the
    slug is taken, `InvalidInput` for a bad slug or tier."""
    tenant_id = new_id()
    with rt.db.transaction(PLATFORM) as tx:
        return tenants.create(
            tx, ctx or Ctx(tenant_id, "system"), new_tenant_key(rt.root_key, tenant_id),
            tenant_id=tenant_id, slug=slug, name=name, tier=tier, config=config,
        )  # fmt: skip


def ensure_platform(rt: Runtime) -> Tenant:
    """The operator's own tenant; made at the first start."""
    with rt.db.read(PLATFORM) as tx, contextlib.suppress(NotFound):
        return tenants.by_slug(tx, PLATFORM_SLUG)
    try:
        return provision(rt, PLATFORM_SLUG, "Platform", "unlimited")
    except Conflict:  # another process was first
        with rt.db.read(PLATFORM) as tx:
            return tenants.by_slug(tx, PLATFORM_SLUG)


def remove_tenant(rt: Runtime, ctx: Ctx, tenant_id: str) -> None:
    """Shreds the key and removes the rows in one commit, then the objects, which nobody could read
    any more. Those that a crash leaves here go with `weft doctor --sweep`."""
    with rt.db.transaction(PLATFORM) as tx:
        tenants.delete(tx, ctx, tenant_id)
    rt.keys.forget(tenant_id)
    gone = Ctx(tenant_id, "system")
    rt.shelves.forget(gone)
    lately.LATELY.forget(gone)
    rt.vault.clear(gone)


def tenant_ctx(rt: Runtime, slug: str) -> Ctx:
    """For the operator's command line: acts as the system inside one tenant."""
    if slug == PLATFORM_SLUG:
        ensure_platform(rt)
    with rt.db.read(PLATFORM) as tx:
        tenant = tenants.by_slug(tx, slug)
    role = "platform_admin" if slug == PLATFORM_SLUG else "admin"
    return Ctx(tenant.id, "system", frozenset({role}), scopes_of([role]))


def create_user(
    rt: Runtime, ctx: Ctx, *, email: str, password: str, role: str, name: str = ""
) -> User:
    """In the tenant of `ctx`. Raises `Conflict`, `InvalidInput`, `QuotaExceeded`."""
    if role not in ROLE_SCOPES:
        raise InvalidInput(f"A role is one of {', '.join(ROLE_SCOPES)}.", code="bad_role")
    hashed = hash_password(password)
    with rt.db.transaction(ctx) as tx:
        _within(tx, ctx, "users", users.count(tx, ctx))
        return users.create(tx, ctx, email=email, password_hash=hashed, role=role, name=name)


def create_api_key(
    rt: Runtime,
    ctx: Ctx,
    *,
    name: str,
    scopes: Collection[str],
    expires_ms: int | None = None,
    keyring: Keyring | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is shown here and never again. No key can do more than
    its maker. Raises `Forbidden`, `InvalidInput`, `QuotaExceeded`."""
    unknown = sorted(set(scopes) - ALL_SCOPES)
    if unknown:
        raise InvalidInput(f"There is no scope {unknown[0]!r}.", code="bad_scope")
    beyond = sorted(set(scopes) - ctx.scopes)
    if beyond:
        raise Forbidden(f"You do not hold the scope {beyond[0]!r} yourself.", scope=beyond[0])
    if expires_ms is not None and expires_ms <= rt.clock.now_ms():
        raise InvalidInput("`expires_at` lies in the past.", code="bad_expiry")
    key, prefix = new_api_key()
    digest = (keyring or Keyring(rt.root_key)).digest(key)
    with rt.db.transaction(ctx) as tx:
        _within(tx, ctx, "api_keys", api_keys.count(tx, ctx))
        row = api_keys.create(
            tx, ctx, name=name, prefix=prefix, key_hash=digest, scopes=scopes,
            expires_ms=expires_ms,
        )  # fmt: skip
    return row, key


def _within(tx: Tx, ctx: Ctx, what: str, used: int) -> None:
    tenant = tenants.own(tx, ctx)
    limit = getattr(tier_of(tenant.tier), what)
    if limit is not None and used >= limit:
        raise QuotaExceeded(
            f"The tier {tenant.tier!r} holds {limit} {what.replace('_', ' ')}.", limit=what
        )
