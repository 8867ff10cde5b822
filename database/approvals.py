"""Requests for a person's yes or no, bound to the exact request they were asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from database.engine import Tx
from database.pages import Page, page
from database.prepared import Prepared
from database.tables import approvals


@dataclass(frozen=True, slots=True)
class Approval:
    id: str
    run_id: str
    step_id: str | None
    effect_id: str | None
    kind: str
    summary: str
    request_hash: str
    status: str
    decided_by: str | None
    comment: str | None
    expires_ms: int
    created_ms: int
    decided_ms: int | None


_columns = tuple(approvals.c[field.name] for field in fields(Approval))
_mine = (approvals.c.tenant_id == bindparam("tenant"), approvals.c.id == bindparam("approval"))
_get = select(*_columns).where(*_mine)
_lock = _get.with_for_update()
_insert = Prepared(insert(approvals))
_decide = Prepared(
    update(approvals)
    .where(*_mine, approvals.c.status == "waiting")
    .values(
        status=bindparam("to"), decided_by=bindparam("who"), comment=bindparam("words"),
        decided_ms=bindparam("now"),
    )
)  # fmt: skip
_of_run = Prepared(
    select(*_columns)
    .where(approvals.c.tenant_id == bindparam("tenant"), approvals.c.run_id == bindparam("run"))
    .order_by(approvals.c.id)
)


def add_many(tx: Tx, ctx: Ctx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.execute(_insert, [{"tenant_id": ctx.tenant, **row} for row in rows])


def get(tx: Tx, ctx: Ctx, approval_id: str, *, lock: bool = False) -> Approval:
    params = {"tenant": ctx.tenant, "approval": approval_id}
    row = tx.execute(_lock if lock else _get, params).first()
    if row is None:
        raise NotFound("There is no such approval.")
    return Approval(*row)


def decide(tx: Tx, ctx: Ctx, approval_id: str, status: str, who: str, comment: str | None) -> bool:
    """False when it was decided before."""
    params = {
        "tenant": ctx.tenant, "approval": approval_id, "to": status, "who": who,
        "words": comment, "now": tx.now_ms,
    }  # fmt: skip
    return tx.execute(_decide, params).rowcount == 1


def of_run(tx: Tx, ctx: Ctx, run_id: str) -> list[Approval]:
    found = tx.execute(_of_run, {"tenant": ctx.tenant, "run": run_id})
    return [Approval(*row) for row in found]


def waiting(tx: Tx, ctx: Ctx, run_id: str) -> int:
    return int(
        tx.execute(
            select(func.count()).where(
                approvals.c.tenant_id == ctx.tenant,
                approvals.c.run_id == run_id,
                approvals.c.status == "waiting",
            )
        ).scalar_one()
    )


def close(tx: Tx, ctx: Ctx, run_id: str) -> None:
    """The run has ended: nobody needs to answer any more."""
    tx.execute(
        update(approvals)
        .where(
            approvals.c.tenant_id == ctx.tenant,
            approvals.c.run_id == run_id,
            approvals.c.status == "waiting",
        )
        .values(status="expired", decided_ms=tx.now_ms)
    )


def listing(
    tx: Tx, ctx: Ctx, *, status: str | None = "waiting", limit: int = 50, cursor: str | None = None
) -> Page[Approval]:
    query = select(*_columns).where(approvals.c.tenant_id == ctx.tenant)
    if status:
        query = query.where(approvals.c.status == status)
    keys = (approvals.c.created_ms, approvals.c.id)
    return page(tx, query, keys, lambda row: Approval(*row), limit=limit, cursor=cursor)
