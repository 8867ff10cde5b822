"""A tenant's secrets for messages: made from the root key, counted by version, two while they
rotate."""

from __future__ import annotations

from typing import Any

from core.context import Ctx
from core.derive import ingest_secret
from database import tenants
from database.tenants import Tenant
from runtime import Runtime

OVERLAP_SECONDS = 7 * 86_400


def version_of(tenant: Tenant) -> int:
    return _number(tenant, "version", 1)


def newest(rt: Runtime, tenant: Tenant) -> str:
    return ingest_secret(rt.root_key, tenant.id, version_of(tenant))


def valid(rt: Runtime, tenant: Tenant, now_ms: int) -> list[str]:
    """The newest first, and the one before it until its time is over."""
    version = version_of(tenant)
    versions = [version]
    if version > 1 and now_ms < _number(tenant, "old_until_ms", 0):
        versions.append(version - 1)
    return [ingest_secret(rt.root_key, tenant.id, one) for one in versions]


def rotate(rt: Runtime, ctx: Ctx, overlap_seconds: int = OVERLAP_SECONDS) -> str:
    """A new secret; the present one is good for `overlap_seconds` more."""
    with rt.db.transaction(ctx) as tx:
        version = version_of(tenants.own(tx, ctx)) + 1
        until = tx.now_ms + overlap_seconds * 1000
        config = {"ingest": {"version": version, "old_until_ms": until}}
        return newest(rt, tenants.patch(tx, ctx, ctx.tenant, config=config))


def _number(tenant: Tenant, name: str, default: int) -> int:
    kept: Any = tenant.config.get("ingest")
    value = kept.get(name) if isinstance(kept, dict) else None
    return value if isinstance(value, int) and value > 0 else default
