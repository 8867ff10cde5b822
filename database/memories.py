"""Long-term memory, one row a path: `/summaries/{actor}/{name}`, `/preferences/{actor}`,
`/facts/{actor}`. What it says is sealed by who writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, and_, delete, select, update

from core.context import Ctx
from database.engine import Tx
from database.inserts import if_absent
from database.tables import memories

Kind = Literal["summaries", "preferences", "facts"]
KINDS: tuple[Kind, ...] = ("summaries", "preferences", "facts")
_c = memories.c


@dataclass(frozen=True, slots=True)
class MemoryRow:
    kind: Kind
    name: str
    sealed: bytes
    created_ms: int
    updated_ms: int


def of_actor(tx: Tx, ctx: Ctx, *kinds: Kind) -> list[MemoryRow]:
    """Of the actor who asks: by kind, then the latest first. No kinds: all of them."""
    query = select(memories).where(_c.tenant_id == ctx.tenant, _c.actor == ctx.actor)
    if kinds:
        query = query.where(_c.kind.in_(kinds))
    query = query.order_by(_c.kind, _c.updated_ms.desc(), _c.name)
    return [_row(row) for row in tx.execute(query)]


def get(tx: Tx, ctx: Ctx, kind: Kind, name: str = "", *, lock: bool = False) -> MemoryRow | None:
    """`lock`: nobody else changes it before this transaction ends."""
    query = select(memories).where(_is(ctx, ctx.actor, kind, name))
    row = tx.execute(query.with_for_update() if lock else query).first()
    return _row(row) if row is not None else None


def put(tx: Tx, ctx: Ctx, kind: Kind, name: str, sealed: bytes) -> None:
    first = {
        "tenant_id": ctx.tenant, "actor": ctx.actor, "kind": kind, "name": name, "sealed": sealed,
        "created_ms": tx.now_ms, "updated_ms": tx.now_ms,
    }  # fmt: skip
    if tx.execute(if_absent(tx, memories), first).rowcount == 1:
        return
    mine = _is(ctx, ctx.actor, kind, name)
    tx.execute(update(memories).where(mine).values(sealed=sealed, updated_ms=tx.now_ms))


def remove(tx: Tx, ctx: Ctx, actor: str, kind: Kind, name: str = "") -> bool:
    """Whether there was one. Whose it may be is decided by the caller."""
    return tx.execute(delete(memories).where(_is(ctx, actor, kind, name))).rowcount > 0


def keep_latest(tx: Tx, ctx: Ctx, kind: Kind, count: int) -> None:
    """Of this actor's, the oldest above `count` go."""
    mine = and_(_c.tenant_id == ctx.tenant, _c.actor == ctx.actor, _c.kind == kind)
    query = select(_c.name).where(mine).order_by(_c.updated_ms.desc(), _c.name)
    old = [row[0] for row in tx.execute(query.offset(count).limit(1000))]
    if old:
        tx.execute(delete(memories).where(mine, _c.name.in_(old)))


def erase(tx: Tx, ctx: Ctx, actor: str) -> int:
    """All that is remembered of this actor; how many paths that were."""
    return tx.execute(
        delete(memories).where(_c.tenant_id == ctx.tenant, _c.actor == actor)
    ).rowcount


def _row(row: object) -> MemoryRow:
    names = ("kind", "name", "sealed", "created_ms", "updated_ms")
    return MemoryRow(*(getattr(row, name) for name in names))


def _is(ctx: Ctx, actor: str, kind: Kind, name: str) -> ColumnElement[bool]:
    return and_(_c.tenant_id == ctx.tenant, _c.actor == actor, _c.kind == kind, _c.name == name)
