"""Processes that work, by their heartbeats. They serve all tenants, so there is no `Ctx` here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from database.engine import Tx
from database.inserts import if_absent
from database.tables import workers

FORGET_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class WorkerRow:
    id: str
    role: str
    queues: list[str]
    pid: int
    host: str
    running: int
    started_ms: int
    heartbeat_ms: int


_list = select(
    workers.c.id, workers.c.role, workers.c.queues, workers.c.pid, workers.c.host,
    workers.c.running, workers.c.started_ms, workers.c.heartbeat_ms,
)  # fmt: skip
_beat = (
    update(workers)
    .where(workers.c.id == bindparam("worker"))
    .values(heartbeat_ms=bindparam("now"), running=bindparam("busy"))
)
_delete = delete(workers).where(workers.c.id == bindparam("worker"))
_stale = delete(workers).where(workers.c.heartbeat_ms < bindparam("before"))


def join(tx: Tx, worker_id: str, role: str, queues: Sequence[str], pid: int, host: str) -> None:
    """A process says that it is there; those silent for an hour are forgotten."""
    tx.execute(_stale, {"before": tx.now_ms - FORGET_MS})
    row = {
        "id": worker_id, "role": role, "queues": list(queues), "pid": pid, "host": host,
        "running": 0, "started_ms": tx.now_ms, "heartbeat_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(if_absent(tx, workers), row)


def beat(tx: Tx, worker_id: str, running: int) -> bool:
    """False when the row was forgotten: join again."""
    params = {"worker": worker_id, "now": tx.now_ms, "busy": running}
    return tx.execute(_beat, params).rowcount == 1


def leave(tx: Tx, worker_id: str) -> None:
    tx.execute(_delete, {"worker": worker_id})


def listing(tx: Tx) -> list[WorkerRow]:
    return [WorkerRow(*row) for row in tx.execute(_list)]
