"""How the platform as a whole is doing, over all tenants and without any tenant's content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from database.engine import Tx
from database.tables import approvals, events, jobs, shelf_heads, workers


@dataclass(frozen=True, slots=True)
class Backlog:
    queue: str
    ready: int
    oldest_seconds: float


def served_queues(tx: Tx, silent_ms: int) -> frozenset[str]:
    """Queues of the workers that gave a sign of life within `silent_ms`."""
    living = select(workers.c.queues).where(workers.c.heartbeat_ms > tx.now_ms - silent_ms)
    return frozenset(queue for queues in tx.execute(living).scalars() for queue in queues)


def backlogs(tx: Tx) -> list[Backlog]:
    """Queues with jobs that could run now."""
    ready = (
        select(jobs.c.queue, func.count(), func.min(jobs.c.ready_ms))
        .where(jobs.c.status == "ready", jobs.c.ready_ms <= tx.now_ms)
        .group_by(jobs.c.queue)
    )
    return [
        Backlog(queue, count, (tx.now_ms - oldest_ms) / 1000)
        for queue, count, oldest_ms in map(tuple, tx.execute(ready))
    ]


def dead_jobs(tx: Tx) -> int:
    dead = select(func.count()).select_from(jobs).where(jobs.c.status == "dead")
    return int(tx.execute(dead).scalar_one())


def unpublished_seconds(tx: Tx) -> float:
    """Age of the oldest event that the relay has not published; 0 when there is none."""
    oldest = select(func.min(events.c.at_ms)).where(events.c.published_ms.is_(None))
    at_ms = tx.execute(oldest).scalar_one()
    return 0.0 if at_ms is None else (tx.now_ms - at_ms) / 1000


def shelves(tx: Tx) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The segments and generations of each tenant's shelf, as their rows keep them."""
    query = select(shelf_heads.c.segments, shelf_heads.c.generations)
    return [(list(segments), list(known or ())) for segments, known in tx.execute(query)]


def approvals_waiting(tx: Tx) -> int:
    waiting = select(func.count()).select_from(approvals).where(approvals.c.status == "waiting")
    return int(tx.execute(waiting).scalar_one())
