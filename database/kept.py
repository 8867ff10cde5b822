"""What was answered before, kept for the next time: answers to questions, replies of models.

Bounded in rows, bytes and age per tenant; what was used longest ago goes first. Contents are
sealed, and rows are found by keyed fingerprints only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table, delete, func, insert, select, update

from core.context import Ctx
from database.engine import Tx
from database.inserts import if_absent
from database.tables import kept_answers, kept_replies

_a, _r = kept_answers.c, kept_replies.c


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one tenant. `rows` 0: nothing is kept."""

    rows: int
    bytes: int
    age_ms: int


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """`content`: the shelf's content that it was made from (`shelves.content`)."""

    id: str
    asked: str
    content: int
    created_ms: int


def answers(tx: Tx, ctx: Ctx, scope: str, *, limit: int, age_ms: int) -> list[AnswerRow]:
    """Those that may fit, the one used last first."""
    query = (
        select(_a.id, _a.asked, _a.content, _a.created_ms)
        .where(_a.tenant_id == ctx.tenant, _a.scope == scope)
        .where(_a.created_ms > tx.now_ms - age_ms)
        .order_by(_a.used_ms.desc())
        .limit(limit)
    )
    return [AnswerRow(*row) for row in tx.execute(query)]


def sealed_answers(tx: Tx, ctx: Ctx, ids: Sequence[str]) -> dict[str, bytes]:
    query = select(_a.id, _a.sealed).where(_a.tenant_id == ctx.tenant, _a.id.in_(ids))
    return {row[0]: row[1] for row in tx.execute(query)}


def keep_answer(
    tx: Tx, ctx: Ctx, *, answer_id: str, scope: str, asked: str, content: int, sealed: bytes,
    bounds: Bounds,
) -> None:  # fmt: skip
    """In place of an earlier answer to the same words."""
    same = (_a.tenant_id == ctx.tenant, _a.scope == scope, _a.asked == asked)
    tx.execute(delete(kept_answers).where(*same))
    row = {
        "tenant_id": ctx.tenant, "id": answer_id, "scope": scope, "asked": asked,
        "content": content, "actor": ctx.actor, "sealed": sealed, "size": len(sealed),
        "created_ms": tx.now_ms, "used_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(insert(kept_answers), row)
    _bound(tx, ctx, kept_answers, bounds)


def use_answer(tx: Tx, ctx: Ctx, answer_id: str) -> None:
    mine = (_a.tenant_id == ctx.tenant, _a.id == answer_id)
    tx.execute(update(kept_answers).where(*mine).values(used_ms=tx.now_ms))


def forget_answers(tx: Tx, ctx: Ctx) -> None:
    """A document goes: no quote of it may stay behind."""
    tx.execute(delete(kept_answers).where(_a.tenant_id == ctx.tenant))
    tx.execute(delete(kept_replies).where(_r.tenant_id == ctx.tenant))


def reply(tx: Tx, ctx: Ctx, key: str, *, age_ms: int) -> bytes | None:
    mine = (_r.tenant_id == ctx.tenant, _r.id == key, _r.created_ms > tx.now_ms - age_ms)
    found: bytes | None = tx.execute(select(_r.sealed).where(*mine)).scalar_one_or_none()
    return found


def keep_reply(tx: Tx, ctx: Ctx, key: str, sealed: bytes, bounds: Bounds) -> None:
    row = {
        "tenant_id": ctx.tenant, "id": key, "actor": ctx.actor, "sealed": sealed,
        "size": len(sealed), "created_ms": tx.now_ms, "used_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(delete(kept_replies).where(_r.tenant_id == ctx.tenant, _r.id == key))
    tx.execute(if_absent(tx, kept_replies), row)  # another may have asked the same just now
    _bound(tx, ctx, kept_replies, bounds)


def use_reply(tx: Tx, ctx: Ctx, key: str) -> None:
    mine = (_r.tenant_id == ctx.tenant, _r.id == key)
    tx.execute(update(kept_replies).where(*mine).values(used_ms=tx.now_ms))


def erase(tx: Tx, ctx: Ctx, actor: str) -> None:
    """What this actor's questions left behind."""
    for table in (kept_answers, kept_replies):
        tx.execute(delete(table).where(table.c.tenant_id == ctx.tenant, table.c.actor == actor))


def _bound(tx: Tx, ctx: Ctx, table: Table, bounds: Bounds) -> None:
    c = table.c
    mine = c.tenant_id == ctx.tenant
    tx.execute(delete(table).where(mine, c.created_ms <= tx.now_ms - bounds.age_ms))
    many = select(func.count(), func.coalesce(func.sum(c.size), 0)).where(mine)
    rows, size = tx.execute(many).one()
    if rows <= bounds.rows and size <= bounds.bytes:
        return
    listed = select(c.id, c.size).where(mine).order_by(c.used_ms.desc(), c.id.desc())
    gone, kept, held = [], 0, 0
    for name, bytes_ in tx.execute(listed).fetchall():
        kept, held = kept + 1, held + bytes_
        if kept > bounds.rows or held > bounds.bytes:
            gone.append(name)
    for at in range(0, len(gone), 500):
        tx.execute(delete(table).where(mine, c.id.in_(gone[at : at + 500])))
