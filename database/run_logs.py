"""A run's log lines, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from core.context import Ctx
from core.errors import InvalidInput
from database.engine import Tx
from database.pages import Page
from database.prepared import Prepared
from database.tables import run_logs, runs


@dataclass(frozen=True, slots=True)
class LogLine:
    seq: int
    run_id: str
    step_id: str | None
    agent: str | None
    level: str
    message: str
    data: Mapping[str, Any] | None
    at_ms: int


_insert = Prepared(insert(run_logs).inline())
_columns = (
    run_logs.c.seq, run_logs.c.run_id, run_logs.c.step_id, run_logs.c.agent, run_logs.c.level,
    run_logs.c.message, run_logs.c.data, run_logs.c.at_ms,
)  # fmt: skip


def add(
    tx: Tx,
    ctx: Ctx,
    run_id: str,
    message: str,
    *,
    level: str = "info",
    step_id: str | None = None,
    agent: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    tx.execute(
        _insert,
        {
            "tenant_id": ctx.tenant, "run_id": run_id, "step_id": step_id, "agent": agent,
            "level": level, "message": message[:4000], "data": data, "at_ms": tx.now_ms,
        },
    )  # fmt: skip


def of_run(
    tx: Tx, ctx: Ctx, run_id: str, *, limit: int = 100, cursor: str | None = None
) -> Page[LogLine]:
    """Oldest first, with the lines of its child runs."""
    limit = max(1, min(limit, 1000))
    if cursor and not cursor.isdigit():
        raise InvalidInput("This cursor is not one that we gave out.", code="bad_cursor")
    family = select(runs.c.id).where(
        runs.c.tenant_id == ctx.tenant,
        (runs.c.id == run_id) | (runs.c.parent_run_id == run_id),
    )
    found = tx.execute(
        select(*_columns)
        .where(
            run_logs.c.tenant_id == ctx.tenant,
            run_logs.c.run_id.in_(family),
            run_logs.c.seq > int(cursor or 0),
        )
        .order_by(run_logs.c.seq)
        .limit(limit + 1)
    ).fetchall()
    lines = tuple(LogLine(*row) for row in found[:limit])
    return Page(lines, str(lines[-1].seq) if len(found) > limit else None)
