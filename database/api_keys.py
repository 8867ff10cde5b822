"""Keys for programs: kept as an HMAC, limited to scopes, revocable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from core.ids import new_id
from database import audit, forgetting
from database.engine import Tx
from database.pages import Page, page
from database.tables import api_keys, tenants


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    tenant: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_by: str
    expires_ms: int | None
    last_used_ms: int | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class KeySession:
    key: ApiKey
    tenant_slug: str
    tier: str


def create(
    tx: Tx,
    ctx: Ctx,
    *,
    name: str,
    prefix: str,
    key_hash: str,
    scopes: Iterable[str],
    expires_ms: int | None,
) -> ApiKey:
    key_id = new_id()
    row = {
        "tenant_id": ctx.tenant, "id": key_id, "name": name, "prefix": prefix,
        "key_hash": key_hash, "scopes": sorted(scopes), "created_by": ctx.actor,
        "expires_ms": expires_ms, "created_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(insert(api_keys), row)
    audit.record(tx, ctx, "api_key.create", key_id, {"scopes": row["scopes"]})
    return get(tx, ctx, key_id)


def get(tx: Tx, ctx: Ctx, key_id: str) -> ApiKey:
    row = tx.execute(
        select(api_keys).where(_is(ctx, key_id), api_keys.c.revoked_ms.is_(None))
    ).first()
    if row is None:
        raise NotFound("There is no such API key.")
    return _key(row)


def listing(tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
    query = select(api_keys).where(
        api_keys.c.tenant_id == ctx.tenant, api_keys.c.revoked_ms.is_(None)
    )
    keys = (api_keys.c.created_ms, api_keys.c.id)
    return page(tx, query, keys, _key, limit=limit, cursor=cursor)


def count(tx: Tx, ctx: Ctx) -> int:
    query = select(func.count()).select_from(api_keys).where(
        api_keys.c.tenant_id == ctx.tenant, api_keys.c.revoked_ms.is_(None)
    )  # fmt: skip
    return int(tx.execute(query).scalar_one())


def revoke(tx: Tx, ctx: Ctx, key_id: str) -> None:
    get(tx, ctx, key_id)
    tx.execute(update(api_keys).where(_is(ctx, key_id)).values(revoked_ms=tx.now_ms))
    forgetting.actor(tx, ctx, f"key:{key_id}")  # nobody could read it any more
    audit.record(tx, ctx, "api_key.revoke", key_id)


def session(tx: Tx, key_hash: str) -> KeySession | None:
    """While authenticating: the living key with this HMAC, or None."""
    row = tx.execute(
        select(api_keys, tenants.c.slug, tenants.c.tier)
        .join(tenants, tenants.c.id == api_keys.c.tenant_id)
        .where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_ms.is_(None))
        .where(tenants.c.status == "active")
    ).first()
    if row is None or (row.expires_ms is not None and row.expires_ms <= tx.now_ms):
        return None
    return KeySession(_key(row), row.slug, row.tier)


def touch(tx: Tx, ctx: Ctx, key_id: str) -> None:
    """Notes that the key was used; called at most once a minute per key."""
    tx.execute(update(api_keys).where(_is(ctx, key_id)).values(last_used_ms=tx.now_ms))


def _is(ctx: Ctx, key_id: str) -> Any:
    return (api_keys.c.tenant_id == ctx.tenant) & (api_keys.c.id == key_id)


def _key(row: Any) -> ApiKey:
    return ApiKey(
        row.id, row.tenant_id, row.name, row.prefix, tuple(row.scopes), row.created_by,
        row.expires_ms, row.last_used_ms, row.created_ms,
    )  # fmt: skip
