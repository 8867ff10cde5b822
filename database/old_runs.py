"""Runs whose time is over, deleted with all that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Table, bindparam, delete, select, update

from core.context import Ctx
from database.engine import Tx
from database.prepared import Prepared
from database.tables import events, jobs, reports, runs

Verdict = Literal["forgotten", "kept", "later"]
_LATER_MS = 86_400_000
_due = Prepared(
    select(runs.c.tenant_id, runs.c.id)
    .where(runs.c.forget_ms <= bindparam("now"))
    .order_by(runs.c.forget_ms)
    .limit(bindparam("count"))
)


def due(tx: Tx, count: int) -> list[tuple[str, str]]:
    """(tenant, run id) of those whose time is over, the one that waits longest first."""
    return [(row[0], row[1]) for row in tx.execute(_due, {"now": tx.now_ms, "count": count})]


def forget(tx: Tx, ctx: Ctx, run_id: str) -> Verdict:
    """Deletes the run, its children, and the steps, effects, approvals, lines and facts of all.
    One with a report is its proof and stays for good; one with work left (a dead letter, a fact
    that is not published) is looked at again a day later."""
    family = _family(tx, ctx, run_id)
    if _any(tx, ctx, reports, family):
        return _stays(tx, ctx, run_id, None)
    unheard = events.c.published_ms.is_(None)
    if _any(tx, ctx, jobs, family) or _any(tx, ctx, events, family, unheard):
        return _stays(tx, ctx, run_id, tx.now_ms + _LATER_MS)
    tx.execute(delete(events).where(_of(ctx, events, family)))
    tx.execute(delete(runs).where(runs.c.tenant_id == ctx.tenant, runs.c.id == run_id))
    return "forgotten"


def _family(tx: Tx, ctx: Ctx, run_id: str) -> list[str]:
    found, generation = [run_id], [run_id]
    while generation:
        query = select(runs.c.id).where(
            runs.c.tenant_id == ctx.tenant, runs.c.parent_run_id.in_(generation)
        )
        generation = [row[0] for row in tx.execute(query)]
        found += generation
    return found


def _stays(tx: Tx, ctx: Ctx, run_id: str, until_ms: int | None) -> Verdict:
    mine = (runs.c.tenant_id == ctx.tenant) & (runs.c.id == run_id)
    tx.execute(update(runs).where(mine).values(forget_ms=until_ms))
    return "kept" if until_ms is None else "later"


def _any(tx: Tx, ctx: Ctx, table: Table, family: Sequence[str], *more: ColumnElement[bool]) -> bool:
    query = select(table.c.run_id).where(_of(ctx, table, family), *more).limit(1)
    return tx.execute(query).first() is not None


def _of(ctx: Ctx, table: Table, family: Sequence[str]) -> ColumnElement[bool]:
    return (table.c.tenant_id == ctx.tenant) & table.c.run_id.in_(family)
