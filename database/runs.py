"""Runs: one row each, with its own copy of the definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from database.engine import Database, Tx
from database.pages import Page, page
from database.prepared import Prepared
from database.tables import runs

Json = Mapping[str, Any]
ENDED = frozenset({"completed", "failed", "cancelled", "needs_review"})


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    workflow: str
    version: int | None
    definition_hash: str
    definition: Json
    goal: str | None
    status: str
    priority: int
    inputs: Json
    documents: list[str]
    metadata: Json
    callback_url: str | None
    outputs: Json | None
    error: Json | None
    parent_run_id: str | None
    parent_step_id: str | None
    item_index: int | None
    item: Any
    actor: str
    roles: list[str]
    scopes: list[str]
    request_id: str
    traceparent: str | None
    cancel_requested: bool
    step_count: int
    usage: Json
    deadline_ms: int
    created_ms: int
    started_ms: int | None
    completed_ms: int | None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


_columns = tuple(runs.c[field.name] for field in fields(Run))
_mine = (runs.c.tenant_id == bindparam("tenant"), runs.c.id == bindparam("run"))
_by_id = select(*_columns).where(*_mine)
_get = Prepared(_by_id)
_ended_at = Prepared(select(runs.c.completed_ms).where(*_mine))
# Not FOR UPDATE: rows that point at a run can be added while it is held.
_lock = Prepared(_by_id.with_for_update(key_share=True))
_hold = Prepared(select(runs.c.id).where(*_mine).with_for_update(key_share=True))
_insert = Prepared(insert(runs))
_children = Prepared(
    select(*_columns)
    .where(
        runs.c.tenant_id == bindparam("tenant"),
        runs.c.parent_run_id == bindparam("run"),
        runs.c.parent_step_id == bindparam("step"),
    )
    .order_by(runs.c.item_index)
)
_children_of = (
    select(*_columns)
    .where(runs.c.tenant_id == bindparam("tenant"), runs.c.parent_run_id == bindparam("run"))
    .order_by(runs.c.id)
)
_all_children = Prepared(_children_of)
_lock_children = Prepared(_children_of.with_for_update(key_share=True))


def add(tx: Tx, ctx: Ctx, run_id: str, values: Json) -> None:
    """`values`: every column that has no default."""
    add_many(tx, ctx, [{"id": run_id, **values}])


def add_many(tx: Tx, ctx: Ctx, rows: Sequence[Json]) -> None:
    tx.execute(_insert, [{"tenant_id": ctx.tenant, **row} for row in rows])


def get(tx: Tx, ctx: Ctx, run_id: str) -> Run:
    return _one(tx.execute(_get, {"tenant": ctx.tenant, "run": run_id}).first())


def ended_at(db: Database, ctx: Ctx, run_id: str) -> int | None:
    """When it ended, in ms; None while it goes on. The cheapest look at a run there is."""
    row = db.glance(ctx, _ended_at, {"tenant": ctx.tenant, "run": run_id})
    if row is None:
        raise NotFound("There is no such workflow run.")
    return None if row[0] is None else int(row[0])


def lock(tx: Tx, ctx: Ctx, run_id: str) -> Run:
    """The run, held until the transaction ends: whoever decides about a run holds its row first."""
    return _one(tx.execute(_lock, {"tenant": ctx.tenant, "run": run_id}).first())


def lock_ahead(tx: Tx, ctx: Ctx, run_id: str) -> None:
    """`lock` follows, and other questions travel with it."""
    tx.ahead(_lock, {"tenant": ctx.tenant, "run": run_id})


def hold(tx: Tx, ctx: Ctx, run_id: str) -> None:
    """The same without a look at it. Whoever writes a run's steps, jobs or facts begins with it:
    so nobody meets anybody half-way, and a run's facts become visible in the order of their
    numbers. SQLite has one writer anyway."""
    if tx.dialect != "sqlite":
        tx.execute(_hold, {"tenant": ctx.tenant, "run": run_id})


def _one(row: Any) -> Run:
    if row is None:
        raise NotFound("There is no such workflow run.")
    return Run(*row)


def change(tx: Tx, ctx: Ctx, run_id: str, **values: Any) -> None:
    """Sets columns; the caller holds the row's lock."""
    tx.execute(update(runs).where(*_mine).values(**values), {"tenant": ctx.tenant, "run": run_id})


_end = Prepared(
    update(runs)
    .where(*_mine)
    .values(
        status=bindparam("to"), outputs=bindparam("result"), error=bindparam("why"),
        completed_ms=bindparam("now"), forget_ms=bindparam("until"),
    )
)  # fmt: skip
_start = Prepared(
    update(runs)
    .where(*_mine)
    .values(status="running", started_ms=bindparam("now"), step_count=bindparam("count"))
)


def start(tx: Tx, ctx: Ctx, run_id: str, step_count: int) -> None:
    tx.execute(_start, {"tenant": ctx.tenant, "run": run_id, "now": tx.now_ms, "count": step_count})


def end(
    tx: Tx,
    ctx: Ctx,
    run_id: str,
    status: str,
    outputs: Json | None,
    error: Json | None,
    *,
    forget_ms: int | None = None,
) -> None:
    """`forget_ms`: when `database.old_runs` may delete it; None: never by itself."""
    params = {
        "tenant": ctx.tenant, "run": run_id, "to": status, "result": outputs, "why": error,
        "now": tx.now_ms, "until": forget_ms,
    }  # fmt: skip
    tx.execute(_end, params)


def children(tx: Tx, ctx: Ctx, run_id: str, step_id: str) -> list[Run]:
    """The runs of a `for_each` step, in the order of its items."""
    params = {"tenant": ctx.tenant, "run": run_id, "step": step_id}
    return [Run(*row) for row in tx.execute(_children, params)]


def descendants(tx: Tx, ctx: Ctx, run_id: str, *, lock: bool = False) -> list[Run]:
    """Every child run, whatever its step."""
    params = {"tenant": ctx.tenant, "run": run_id}
    found = tx.execute(_lock_children if lock else _all_children, params)
    return [Run(*row) for row in found]


def listing(
    tx: Tx,
    ctx: Ctx,
    *,
    limit: int = 50,
    cursor: str | None = None,
    status: str | None = None,
    workflow: str | None = None,
) -> Page[Run]:
    """Newest first; child runs are seen through their parent only."""
    query = select(*_columns).where(runs.c.tenant_id == ctx.tenant, runs.c.parent_run_id.is_(None))
    if status:
        query = query.where(runs.c.status == status)
    if workflow:
        query = query.where(runs.c.workflow == workflow)
    keys = (runs.c.created_ms, runs.c.id)
    return page(tx, query, keys, lambda row: Run(*row), limit=limit, cursor=cursor)
