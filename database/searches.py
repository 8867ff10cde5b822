"""What somebody searched for, where the tenant keeps it: bounded in rows and age, sealed by who
writes it, found by a keyed fingerprint only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from core.context import Ctx
from database.engine import Tx
from database.inserts import if_absent
from database.tables import searches

_c = searches.c


@dataclass(frozen=True, slots=True)
class SearchRow:
    id: str
    actor: str
    sealed: bytes
    searched_ms: int


def keep(tx: Tx, ctx: Ctx, search_id: str, sealed: bytes, *, rows_max: int, forget_ms: int) -> None:
    """Once, however often it is asked; of more than `rows_max` in the tenant the oldest go.
    `forget_ms`: how long from now."""
    times = {"searched_ms": tx.now_ms, "forget_ms": tx.now_ms + forget_ms}
    row = {"tenant_id": ctx.tenant, "id": search_id, "actor": ctx.actor, "sealed": sealed, **times}
    if tx.execute(if_absent(tx, searches), row).rowcount == 1:
        bound(tx, ctx, rows_max)
        return
    mine = (_c.tenant_id == ctx.tenant, _c.id == search_id)
    tx.execute(update(searches).where(*mine).values(**times))


def bound(tx: Tx, ctx: Ctx, rows_max: int) -> None:
    """The tenant's latest `rows_max` stay."""
    mine = _c.tenant_id == ctx.tenant
    if tx.execute(select(func.count()).where(mine)).scalar_one() <= rows_max:
        return
    newest = select(_c.id).where(mine).order_by(_c.searched_ms.desc(), _c.id).limit(rows_max)
    tx.execute(delete(searches).where(mine, _c.id.not_in(newest)))


def latest(tx: Tx, ctx: Ctx, limit: int, *, actor: str | None = None) -> list[SearchRow]:
    """The last one first; of everybody in the tenant, or of `actor`. None that is forgotten."""
    query = select(_c.id, _c.actor, _c.sealed, _c.searched_ms)
    query = query.where(_c.tenant_id == ctx.tenant, _c.forget_ms > tx.now_ms)
    if actor is not None:
        query = query.where(_c.actor == actor)
    query = query.order_by(_c.searched_ms.desc(), _c.id).limit(limit)
    return [SearchRow(*row) for row in tx.execute(query)]


def erase(tx: Tx, ctx: Ctx, actor: str) -> int:
    """Everything that this actor searched for; how many."""
    mine = (_c.tenant_id == ctx.tenant, _c.actor == actor)
    return tx.execute(delete(searches).where(*mine)).rowcount


def retime(tx: Tx, ctx: Ctx, *, forget_ms: int) -> None:
    """The tenant's durations have changed: they count for what is there, too."""
    mine = _c.tenant_id == ctx.tenant
    tx.execute(update(searches).where(mine).values(forget_ms=_c.searched_ms + forget_ms))


def due(tx: Tx, limit: int) -> list[str]:
    """Over all tenants: those with something to be forgotten."""
    query = select(_c.tenant_id).where(_c.forget_ms <= tx.now_ms).distinct().limit(limit)
    return [str(tenant) for (tenant,) in tx.execute(query)]


def forget(tx: Tx, ctx: Ctx) -> int:
    """What is over; how many."""
    over = (_c.tenant_id == ctx.tenant, _c.forget_ms <= tx.now_ms)
    return tx.execute(delete(searches).where(*over)).rowcount
