"""What the metrics say of the tables: over all tenants, counts without content."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    select,
)

from database.engine import Tx
from database.prepared import Prepared
from database.tables import approvals, events, jobs, runs, shelf_heads, tenants, workers


@dataclass(frozen=True, slots=True)
class Load:
    """Jobs of one tenant, queue and state: ready (could run now), later, running, dead."""

    tenant: str
    queue: str
    state: str
    jobs: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Crew:
    """Worker processes: those that live, and those that fell silent without leaving."""

    living: int
    silent: int


_later = and_(jobs.c.status == "ready", jobs.c.ready_ms > bindparam("now"))
_state = case((_later, "later"), else_=jobs.c.status)
_loads = Prepared(
    select(jobs.c.tenant_id, jobs.c.queue, _state, func.count(), func.min(jobs.c.ready_ms))
    .group_by(jobs.c.tenant_id, jobs.c.queue, _state)
)  # fmt: skip


def loads(tx: Tx) -> list[Load]:
    return [
        Load(tenant, queue, state, count, max(0.0, (tx.now_ms - oldest_ms) / 1000))
        for tenant, queue, state, count, oldest_ms in tx.execute(_loads, {"now": tx.now_ms})
    ]


def crews(tx: Tx, silent_ms: int) -> dict[str, Crew]:
    """queue → the processes that say they serve it; `""`: all of them."""
    found: dict[str, list[int]] = {"": [0, 0]}
    for queues, heartbeat_ms in tx.execute(select(workers.c.queues, workers.c.heartbeat_ms)).all():
        silent = heartbeat_ms <= tx.now_ms - silent_ms
        for queue in ("", *queues):
            found.setdefault(queue, [0, 0])[silent] += 1
    return {queue: Crew(*counts) for queue, counts in found.items()}


def open_runs(tx: Tx) -> dict[str, int]:
    """status → runs that have not ended."""
    counted = (
        select(runs.c.status, func.count())
        .where(runs.c.completed_ms.is_(None))
        .group_by(runs.c.status)
    )
    return {str(status): int(count) for status, count in tx.execute(counted)}


def stuck_runs(tx: Tx, quiet_ms: int) -> int:
    """Open runs that nothing would ever move: no job, no open child, no request for a person, and
    older than `quiet_ms`. There should never be one."""
    child = runs.alias()
    stuck = select(func.count()).where(
        runs.c.completed_ms.is_(None),
        runs.c.created_ms < tx.now_ms - quiet_ms,
        # `exists()` alone asks for every column, of which the platform may not see all.
        ~exists(jobs.c.id).where(_of_run(jobs), jobs.c.status != "dead"),
        ~exists(approvals.c.id).where(_of_run(approvals), approvals.c.status == "waiting"),
        ~exists(child.c.id).where(
            child.c.tenant_id == runs.c.tenant_id,
            child.c.parent_run_id == runs.c.id,
            child.c.completed_ms.is_(None),
        ),
    )
    return int(tx.execute(stuck).scalar_one())


def _of_run(table: Table) -> ColumnElement[bool]:
    return and_(table.c.tenant_id == runs.c.tenant_id, table.c.run_id == runs.c.id)


def unpublished(tx: Tx) -> tuple[int, float]:
    """(events that the relay has not published, age of the oldest in seconds)."""
    waiting = select(func.count(), func.min(events.c.at_ms)).where(events.c.published_ms.is_(None))
    count, oldest_ms = tx.execute(waiting).one()
    return count, 0.0 if oldest_ms is None else (tx.now_ms - oldest_ms) / 1000


def approvals_waiting(tx: Tx) -> tuple[int, float]:
    """(requests that wait for a person, age of the oldest in seconds)."""
    waiting = select(func.count(), func.min(approvals.c.created_ms)).where(
        approvals.c.status == "waiting"
    )
    count, oldest_ms = tx.execute(waiting).one()
    return count, 0.0 if oldest_ms is None else (tx.now_ms - oldest_ms) / 1000


def damaged_indexes(tx: Tx) -> int:
    """Tenants of whose index a part waits to be rebuilt: a sound segment does not name the mark."""
    marked = cast(shelf_heads.c.segments, Text).like('%"damaged_ms"%')
    return int(tx.execute(select(func.count()).where(marked)).scalar_one())


def tenants_by_status(tx: Tx) -> dict[str, int]:
    counted = select(tenants.c.status, func.count()).group_by(tenants.c.status)
    return {str(status): int(count) for status, count in tx.execute(counted)}
