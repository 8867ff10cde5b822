"""Facts: the outbox and the resumable event stream in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from core.context import Ctx
from core.events import Event
from database.engine import Tx
from database.prepared import Prepared
from database.tables import events

_insert = Prepared(insert(events).inline())
_columns = (
    events.c.seq, events.c.tenant_id, events.c.run_id, events.c.type, events.c.at_ms,
    events.c.data,
)  # fmt: skip
_in_order = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("run"), 0))))
_of_run = Prepared(
    select(*_columns)
    .where(
        events.c.tenant_id == bindparam("tenant"),
        events.c.run_id == bindparam("run"),
        events.c.seq > bindparam("after"),
    )
    .order_by(events.c.seq)
    .limit(bindparam("limit"))
)


def append(tx: Tx, ctx: Ctx, run_id: str | None, kind: str, data: Mapping[str, Any]) -> None:
    append_many(tx, ctx, [(run_id, kind, data)])


def append_many(
    tx: Tx, ctx: Ctx, facts: Sequence[tuple[str | None, str, Mapping[str, Any]]]
) -> None:
    """`facts`: (run id, type, data). The last thing of a transaction: on PostgreSQL numbers are
    given before the commit, so that whoever writes of the same run waits for it. Else a stream
    that has seen the higher number would never see the lower one."""
    if facts and tx.dialect == "postgresql":
        for run in sorted({run for run, _, _ in facts if run is not None}):
            tx.execute(_in_order, {"run": run})
    if facts:
        rows = [
            {"tenant_id": ctx.tenant, "run_id": run, "type": kind, "data": data,
             "at_ms": tx.now_ms}
            for run, kind, data in facts
        ]  # fmt: skip
        tx.execute(_insert, rows)


def of_run(tx: Tx, ctx: Ctx, run_id: str, *, after: int = 0, limit: int = 200) -> list[Event]:
    """In order, after the given `seq`: what a stream resumes with."""
    params = {"tenant": ctx.tenant, "run": run_id, "after": after, "limit": limit}
    return [Event(*row) for row in tx.execute(_of_run, params)]
