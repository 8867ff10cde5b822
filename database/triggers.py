"""What starts workflows by itself: a time, a signed call, a document that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy import delete as _delete
from sqlalchemy.exc import IntegrityError

from core.context import Ctx
from core.errors import Conflict, NotFound
from database.engine import Tx
from database.integrations import Due
from database.pages import Page, page
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


def create(tx: Tx, ctx: Ctx, trigger_id: str, values: Mapping[str, Any]) -> Trigger:
    """Raises `Conflict` for a name that is taken."""
    row = {
        "tenant_id": ctx.tenant, "id": trigger_id, "fired": 0, "created_by": ctx.actor,
        "created_ms": tx.now_ms, "updated_ms": tx.now_ms, **values,
    }  # fmt: skip
    try:
        tx.execute(insert(triggers), row)
    except IntegrityError as error:
        raise Conflict(f"There is a trigger called {values['name']!r}.", code="name_taken") \
            from error  # fmt: skip
    return get(tx, ctx, trigger_id)


def get(tx: Tx, ctx: Ctx, trigger_id: str) -> Trigger:
    row = tx.execute(select(*_columns).where(_is(ctx, trigger_id))).first()
    if row is None:
        raise NotFound("There is no such trigger.")
    return Trigger(*row)


def tenant_of(tx: Tx, trigger_id: str) -> str | None:
    """Whose it is: asked before its call is believed, so in the platform's own look."""
    active = select(tenants.c.id).where(tenants.c.status == "active")
    query = select(_c.tenant_id).where(_c.id == trigger_id, _c.tenant_id.in_(active))
    return tx.execute(query).scalar()


def change(tx: Tx, ctx: Ctx, trigger_id: str, **values: Any) -> None:
    """Raises `NotFound`, or `Conflict` for a name that is taken."""
    found = update(triggers).where(_is(ctx, trigger_id))
    try:
        done = tx.execute(found.values(**values, updated_ms=tx.now_ms))
    except IntegrityError as error:
        raise Conflict("Another trigger has this name.", code="name_taken") from error
    if done.rowcount != 1:
        raise NotFound("There is no such trigger.")


def remove(tx: Tx, ctx: Ctx, trigger_id: str) -> None:
    """Its runs stay."""
    if tx.execute(_delete(triggers).where(_is(ctx, trigger_id))).rowcount != 1:
        raise NotFound("There is no such trigger.")


def listing(tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Trigger]:
    query = select(*_columns).where(_c.tenant_id == ctx.tenant)
    keys = (_c.created_ms, _c.id)
    return page(tx, query, keys, lambda row: Trigger(*row), limit=limit, cursor=cursor)


def of_kind(tx: Tx, ctx: Ctx, kind: str) -> list[Trigger]:
    """Those that are on, the oldest first."""
    query = select(*_columns).where(_c.tenant_id == ctx.tenant, _c.kind == kind, _c.enabled)
    return [Trigger(*row) for row in tx.execute(query.order_by(_c.created_ms, _c.id))]


def due(tx: Tx, limit: int) -> list[Due]:
    """Over all active tenants, the longest due first."""
    active = select(tenants.c.id).where(tenants.c.status == "active")
    query = (
        select(_c.tenant_id, _c.id, _c.due_ms)
        .where(_c.due_ms <= tx.now_ms, _c.enabled, _c.tenant_id.in_(active))
        .order_by(_c.due_ms)
        .limit(limit)
    )
    return [Due(*row) for row in tx.execute(query)]


def take_due(tx: Tx, ctx: Ctx, one: Due, next_ms: int | None) -> bool:
    """Whether this caller is the one who fires it."""
    found = update(triggers).where(_is(ctx, one.id), _c.due_ms == one.due_ms, _c.enabled)
    return tx.execute(found.values(due_ms=next_ms)).rowcount == 1


def fired(tx: Tx, ctx: Ctx, trigger_id: str, run_id: str) -> None:
    found = update(triggers).where(_is(ctx, trigger_id))
    tx.execute(found.values(fired=_c.fired + 1, fired_ms=tx.now_ms, last_run_id=run_id, error=None))


def failed(tx: Tx, ctx: Ctx, trigger_id: str, error: Mapping[str, Any]) -> None:
    """It could not start anything: said where people look for it."""
    found = update(triggers).where(_is(ctx, trigger_id))
    tx.execute(found.values(fired_ms=tx.now_ms, error=dict(error)))


def _is(ctx: Ctx, trigger_id: str) -> ColumnElement[bool]:
    return and_(_c.tenant_id == ctx.tenant, _c.id == trigger_id)
