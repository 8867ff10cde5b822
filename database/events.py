"""Facts: the outbox and the resumable event stream in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, insert, select, text

from core.context import Ctx
from core.events import Event
from database.engine import Tx
from database.prepared import Prepared
from database.tables import events

_AT_ONCE = 50  # facts in one statement
_insert = Prepared(insert(events).inline())
_columns = (
    events.c.seq, events.c.tenant_id, events.c.run_id, events.c.type, events.c.at_ms,
    events.c.data,
)  # fmt: skip


@lru_cache(maxsize=64)
def _in_order(count: int) -> Prepared:
    """PostgreSQL's INSERT of that many facts of one run: first it waits for whoever writes of the
    same run, then the numbers are given."""
    rows = ", ".join(
        f"({n}, CAST(:kind{n} AS VARCHAR), CAST(:data{n} AS JSON))" for n in range(count)
    )
    return Prepared(
        text(_IN_ORDER.format(rows=rows)).bindparams(
            bindparam("tenant", type_=String), bindparam("run", type_=String),
            bindparam("at", type_=BigInteger),
            *(bindparam(f"kind{n}", type_=String) for n in range(count)),
            *(bindparam(f"data{n}", type_=events.c.data.type) for n in range(count)),
        )
    )  # fmt: skip


_IN_ORDER = """
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended(CAST(:run AS VARCHAR), 0))
)
INSERT INTO events (tenant_id, run_id, type, data, at_ms)
SELECT CAST(:tenant AS VARCHAR), CAST(:run AS VARCHAR), fact.type, fact.data, CAST(:at AS BIGINT)
FROM turn, (VALUES {rows}) AS fact(number, type, data)
ORDER BY fact.number
"""
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
    if not facts:
        return
    ordered = {run for run, _, _ in facts if run is not None} if tx.dialect != "sqlite" else ()
    for run in sorted(ordered):
        _append_in_order(tx, ctx, run, [fact[1:] for fact in facts if fact[0] == run])
    rows = [
        {"tenant_id": ctx.tenant, "run_id": run, "type": kind, "data": data, "at_ms": tx.now_ms}
        for run, kind, data in facts
        if run not in ordered
    ]
    if rows:
        tx.execute(_insert, rows)


def _append_in_order(
    tx: Tx, ctx: Ctx, run: str, facts: Sequence[tuple[str, Mapping[str, Any]]]
) -> None:
    for at in range(0, len(facts), _AT_ONCE):
        some = facts[at : at + _AT_ONCE]
        params: dict[str, Any] = {"tenant": ctx.tenant, "run": run, "at": tx.now_ms}
        for number, (kind, data) in enumerate(some):
            params[f"kind{number}"], params[f"data{number}"] = kind, data
        tx.execute(_in_order(len(some)), params)


def of_run(tx: Tx, ctx: Ctx, run_id: str, *, after: int = 0, limit: int = 200) -> list[Event]:
    """In order, after the given `seq`: what a stream resumes with."""
    params = {"tenant": ctx.tenant, "run": run_id, "after": after, "limit": limit}
    return [Event(*row) for row in tx.execute(_of_run, params)]
