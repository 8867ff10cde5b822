"""What starts workflows by itself: a time, a signed call, a document that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from core.context import Ctx
from database.engine import Tx
from database.named import Named
from database.tables import tenants, triggers

_c = triggers.c


@dataclass(frozen=True, slots=True)
class Trigger:
    """`secret` is sealed; `scopes` are what its runs may do."""

    id: str
    name: str
    kind: str  # schedule | webhook | document
    config: Mapping[str, Any]
    secret: bytes | None
    workflow: str
    inputs: Mapping[str, Any]
    scopes: Sequence[str]
    enabled: bool
    due_ms: int | None
    fired_ms: int | None
    fired: int
    last_run_id: str | None
    error: Mapping[str, Any] | None
    created_by: str
    created_ms: int
    updated_ms: int


_columns = [_c[name] for name in Trigger.__dataclass_fields__]
_rows = Named(triggers, Trigger, "trigger", fired=0)
create, get = _rows.create, _rows.get
change, remove, listing = _rows.change, _rows.remove, _rows.listing
due, take_due = _rows.due, _rows.take_due


def tenant_of(tx: Tx, trigger_id: str) -> str | None:
    """Whose it is: asked before its call is believed, so in the platform's own look."""
    active = select(tenants.c.id).where(tenants.c.status == "active")
    query = select(_c.tenant_id).where(_c.id == trigger_id, _c.tenant_id.in_(active))
    return tx.execute(query).scalar()


def of_kind(tx: Tx, ctx: Ctx, kind: str) -> list[Trigger]:
    """Those that are on, the oldest first."""
    query = select(*_columns).where(_c.tenant_id == ctx.tenant, _c.kind == kind, _c.enabled)
    return [Trigger(*row) for row in tx.execute(query.order_by(_c.created_ms, _c.id))]


def fired(tx: Tx, ctx: Ctx, trigger_id: str, run_id: str) -> None:
    found = update(triggers).where(_rows.own(ctx, trigger_id))
    tx.execute(found.values(fired=_c.fired + 1, fired_ms=tx.now_ms, last_run_id=run_id, error=None))


def failed(tx: Tx, ctx: Ctx, trigger_id: str, error: Mapping[str, Any]) -> None:
    """It could not start anything: said where people look for it."""
    found = update(triggers).where(_rows.own(ctx, trigger_id))
    tx.execute(found.values(fired_ms=tx.now_ms, error=dict(error)))
