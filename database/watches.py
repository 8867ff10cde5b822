"""Integrations that say by themselves when something is new: which process listens to which.

The lease is one number that only its holder knows: who finds another one there has lost it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update

from core.context import Ctx
from database.engine import Tx
from database.integrations import Integration
from database.tables import integrations, tenants

_c = integrations.c


@dataclass(frozen=True, slots=True)
class Watch:
    """Of any tenant; `lease_ms` is 0 or a lease that is over, once taken until when it is held."""

    tenant: str
    id: str
    lease_ms: int


def free(tx: Tx, limit: int) -> list[Watch]:
    """Over all active tenants: those to be listened to, to which nobody does."""
    active = select(tenants.c.id).where(tenants.c.status == "active")
    query = (
        select(_c.tenant_id, _c.id, _c.watch_lease_ms)
        .where(_c.watch_lease_ms <= tx.now_ms, _c.enabled, _c.tenant_id.in_(active))
        .order_by(_c.watch_lease_ms)
        .limit(limit)
    )
    return [Watch(*row) for row in tx.execute(query)]


def hold(tx: Tx, ctx: Ctx, one: Watch, lease_seconds: float) -> Watch | None:
    """Takes it or keeps it; None for somebody who lost it, or when it was changed since."""
    until = max(tx.now_ms + int(lease_seconds * 1000), one.lease_ms + 1)
    held = update(integrations).where(_is(ctx, one), _c.enabled)
    if tx.execute(held.values(watch_lease_ms=until)).rowcount != 1:
        return None
    return Watch(one.tenant, one.id, until)


def let_go(tx: Tx, ctx: Ctx, one: Watch) -> None:
    """For the next one to take at once; nothing when it is not held any more."""
    tx.execute(update(integrations).where(_is(ctx, one)).values(watch_lease_ms=0))


def news(tx: Tx, ctx: Ctx, integration_id: str) -> None:
    """It is due at once."""
    own = and_(_c.tenant_id == ctx.tenant, _c.id == integration_id, _c.enabled)
    tx.execute(update(integrations).where(own).values(due_ms=tx.now_ms))


def failed(tx: Tx, ctx: Ctx, row: Integration, error: Mapping[str, Any], **more: Any) -> None:
    """Nobody can listen: said where people look. Nothing when it was changed since."""
    own = and_(_c.tenant_id == ctx.tenant, _c.id == row.id, _c.updated_ms == row.updated_ms)
    values = {"status": "failing", "error": dict(error), **more}
    tx.execute(update(integrations).where(own).values(**values))


def _is(ctx: Ctx, one: Watch) -> ColumnElement[bool]:
    return and_(_c.tenant_id == ctx.tenant, _c.id == one.id, _c.watch_lease_ms == one.lease_ms)
