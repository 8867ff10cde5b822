"""Jobs: who may do what next. Every write by a worker says `WHERE fence = mine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from core.context import Ctx
from core.ids import new_id
from database.dispatch import Claim
from database.engine import Tx
from database.prepared import Prepared
from database.tables import jobs


class FenceLost(Exception):
    """Another worker holds this job now (or it was cancelled): stop silently."""


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    run_id: str
    step_id: str | None
    effect_id: str | None
    kind: str
    queue: str
    status: str
    priority: int
    ready_ms: int
    lease_until_ms: int | None
    lease_owner: str | None
    attempts: int
    error: Mapping[str, Any] | None
    created_ms: int


_insert = Prepared(insert(jobs))
_mine = (
    jobs.c.tenant_id == bindparam("tenant"),
    jobs.c.id == bindparam("job"),
    jobs.c.fence == bindparam("mine"),
    jobs.c.status == "running",
)
_delete = Prepared(delete(jobs).where(*_mine))
_look = select(jobs.c.id).where(*_mine)
_held = Prepared(_look)
_hold = Prepared(_look.with_for_update(key_share=True))
_seize = Prepared(_look.with_for_update(key_share=True, skip_locked=True))
_release = Prepared(
    update(jobs)
    .where(*_mine)
    .values(
        status=bindparam("to"), ready_ms=bindparam("at"), attempts=bindparam("tries"),
        lease_until_ms=None, lease_owner=None, fence=jobs.c.fence + 1, error=bindparam("why"),
    )
)  # fmt: skip
_hand_over = Prepared(
    update(jobs)
    .where(*_mine)
    .values(
        step_id=bindparam("step"), kind="step", queue=bindparam("queue_"), attempts=1,
        ready_ms=bindparam("now"), lease_until_ms=bindparam("until"), error=None,
    )
)  # fmt: skip


def _key(claim: Claim) -> dict[str, Any]:
    return {"tenant": claim.tenant, "job": claim.job_id, "mine": claim.fence}


def add(
    tx: Tx,
    ctx: Ctx,
    run_id: str,
    kind: str,
    queue: str,
    *,
    priority: int,
    step_id: str | None = None,
    effect_id: str | None = None,
    ready_ms: int | None = None,
) -> str:
    """A ready job; gives its id."""
    row = new_row(
        tx, ctx, run_id, kind, queue, priority=priority, step_id=step_id, effect_id=effect_id,
        ready_ms=ready_ms,
    )  # fmt: skip
    tx.execute(_insert, row)
    return str(row["id"])


def add_many(tx: Tx, ctx: Ctx, rows: list[dict[str, Any]]) -> None:
    """Rows made by `new_row`."""
    if rows:
        tx.execute(_insert, [{**row, "tenant_id": ctx.tenant} for row in rows])


def new_row(
    tx: Tx,
    ctx: Ctx,
    run_id: str,
    kind: str,
    queue: str,
    *,
    priority: int,
    step_id: str | None = None,
    effect_id: str | None = None,
    ready_ms: int | None = None,
) -> dict[str, Any]:
    return {
        "tenant_id": ctx.tenant, "id": new_id(), "run_id": run_id, "kind": kind, "queue": queue,
        "status": "ready", "priority": priority, "step_id": step_id, "effect_id": effect_id,
        "ready_ms": tx.now_ms if ready_ms is None else ready_ms, "fence": 0, "attempts": 0,
        "created_ms": tx.now_ms,
    }  # fmt: skip


def hold(tx: Tx, claim: Claim) -> None:
    """Raises `FenceLost` unless the job is still this worker's."""
    tx.insist(_hold, _key(claim), FenceLost(claim.job_id))


def is_held(tx: Tx, claim: Claim) -> bool:
    """Whether the job is still this worker's, without locking it."""
    return tx.execute(_held, _key(claim)).first() is not None


def seize(tx: Tx, claim: Claim) -> bool:
    """Locks the job unless somebody else holds it just now, or it is not the claim's any more."""
    return tx.execute(_seize, _key(claim)).first() is not None


def end(tx: Tx, claim: Claim) -> None:
    """The job is done: its row goes. Raises `FenceLost`."""
    tx.insist(_delete, _key(claim), FenceLost(claim.job_id))


def release(
    tx: Tx,
    claim: Claim,
    *,
    ready_ms: int,
    attempts: int,
    error: Mapping[str, Any] | None = None,
    dead: bool = False,
) -> None:
    """Back to the queue for a later attempt, or to the dead letters. Raises `FenceLost`."""
    params = {
        **_key(claim), "to": "dead" if dead else "ready", "at": ready_ms, "tries": attempts,
        "why": error,
    }  # fmt: skip
    tx.insist(_release, params, FenceLost(claim.job_id))


def hand_over(tx: Tx, claim: Claim, step_id: str, queue: str, lease_ms: int) -> Claim:
    """The same job goes on with the run's next step, still held. Raises `FenceLost`."""
    params = {
        **_key(claim), "step": step_id, "queue_": queue, "now": tx.now_ms,
        "until": tx.now_ms + lease_ms,
    }  # fmt: skip
    tx.insist(_hand_over, params, FenceLost(claim.job_id))
    return handed_over(claim, step_id, queue)


def handed_over(claim: Claim, step_id: str, queue: str) -> Claim:
    return Claim(
        claim.tenant, claim.job_id, claim.run_id, step_id, None, "step", queue, claim.fence, 1,
        claim.priority,
    )  # fmt: skip


_of_run = (jobs.c.tenant_id == bindparam("tenant"), jobs.c.run_id == bindparam("run"))
_clear = delete(jobs).where(*_of_run, jobs.c.effect_id.is_(None))
_list = select(
    jobs.c.id, jobs.c.run_id, jobs.c.step_id, jobs.c.effect_id, jobs.c.kind, jobs.c.queue,
    jobs.c.status, jobs.c.priority, jobs.c.ready_ms, jobs.c.lease_until_ms, jobs.c.lease_owner,
    jobs.c.attempts, jobs.c.error, jobs.c.created_ms,
)  # fmt: skip
_list_run = Prepared(_list.where(*_of_run).order_by(jobs.c.id))
_alive = Prepared(select(func.count()).where(*_of_run, jobs.c.status != "dead"))
_drop = Prepared(
    delete(jobs).where(jobs.c.tenant_id == bindparam("tenant"), jobs.c.id == bindparam("job"))
)
_dead = Prepared(
    _list.where(jobs.c.tenant_id == bindparam("tenant"), jobs.c.status == "dead").order_by(
        jobs.c.id
    )
)


def clear(tx: Tx, ctx: Ctx, run_id: str, *, keep_dead: bool = False) -> None:
    """Takes every step's and decision's job of the run away; whoever holds one loses the fence."""
    statement = _clear.where(jobs.c.status != "dead") if keep_dead else _clear
    tx.execute(statement, {"tenant": ctx.tenant, "run": run_id})


def of_run(tx: Tx, ctx: Ctx, run_id: str) -> list[Job]:
    return [Job(*row) for row in tx.execute(_list_run, {"tenant": ctx.tenant, "run": run_id})]


def alive(tx: Tx, ctx: Ctx, run_id: str) -> int:
    """Jobs of the run that are ready or running."""
    return int(tx.execute(_alive, {"tenant": ctx.tenant, "run": run_id}).scalar_one())


def dead_letters(tx: Tx, ctx: Ctx) -> list[Job]:
    """Jobs that gave up, each with its reason in `error`."""
    return [Job(*row) for row in tx.execute(_dead, {"tenant": ctx.tenant})]


def drop(tx: Tx, ctx: Ctx, ids: Iterable[str]) -> None:
    for job_id in ids:
        tx.execute(_drop, {"tenant": ctx.tenant, "job": job_id})


_ahead = Prepared(
    select(func.count()).where(
        jobs.c.tenant_id == bindparam("tenant"),
        jobs.c.queue == bindparam("queue_"),
        jobs.c.status == "ready",
        jobs.c.ready_ms < bindparam("at"),
    )
)


def ahead(tx: Tx, ctx: Ctx, job: Job) -> int:
    """How many of the tenant's own jobs in that queue became ready before this one."""
    params = {"tenant": ctx.tenant, "queue_": job.queue, "at": job.ready_ms}
    return int(tx.execute(_ahead, params).scalar_one())


_revive = Prepared(
    update(jobs)
    .where(
        jobs.c.tenant_id == bindparam("tenant"), jobs.c.id == bindparam("job"),
        jobs.c.status == "dead",
    )
    .values(
        status="ready", attempts=0, error=None, ready_ms=bindparam("now"),
        fence=jobs.c.fence + 1,
    )
)  # fmt: skip


def revive(tx: Tx, ctx: Ctx, job_id: str) -> bool:
    """A dead letter becomes ready again with all its attempts; False when it is not dead."""
    params = {"tenant": ctx.tenant, "job": job_id, "now": tx.now_ms}
    return tx.execute(_revive, params).rowcount == 1
