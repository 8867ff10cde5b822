"""One tenant's numbers about each agent: depths of its queue, and how long its steps took."""

from __future__ import annotations

from sqlalchemy import func, select

from core.context import Ctx
from database.engine import Tx
from database.tables import jobs, steps

_SAMPLE = 2000


def depths(tx: Tx, ctx: Ctx) -> dict[tuple[str, str], int]:
    """(queue, status) → jobs of this tenant that could run now, run, or are dead."""
    query = (
        select(jobs.c.queue, jobs.c.status, func.count())
        .where(jobs.c.tenant_id == ctx.tenant, jobs.c.ready_ms <= tx.now_ms)
        .group_by(jobs.c.queue, jobs.c.status)
    )
    return {(row[0], row[1]): row[2] for row in tx.execute(query)}


def timings(tx: Tx, ctx: Ctx, since_ms: int) -> dict[str, list[tuple[int, bool]]]:
    """Agent → (milliseconds, whether it failed) of the newest steps that ended since then."""
    query = (
        select(steps.c.agent, steps.c.completed_ms - steps.c.started_ms, steps.c.status)
        .where(
            steps.c.tenant_id == ctx.tenant,
            steps.c.completed_ms >= since_ms,
            steps.c.started_ms.is_not(None),
            steps.c.status.in_(("completed", "failed")),
        )
        .order_by(steps.c.completed_ms.desc())
        .limit(_SAMPLE)
    )
    found: dict[str, list[tuple[int, bool]]] = {}
    for agent, took_ms, status in tx.execute(query):
        found.setdefault(agent, []).append((took_ms, status == "failed"))
    return found
