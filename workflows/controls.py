"""What a person may do with a run: cancel it, try it again, revive its dead letters."""

from __future__ import annotations

from collections.abc import Mapping

from core.context import Ctx
from core.errors import Conflict
from database import audit, checkpoints, effects, jobs, runs
from database import steps as step_rows
from database.runs import Run
from database.steps import StepRow
from runtime import Runtime
from workflows import ending
from workflows.definitions import UNDO, stored
from workflows.starting import SUPERVISOR
from workflows.turn import Turn, turn

_AGAIN = frozenset({"failed", "cancelled", "needs_review"})


def cancel(rt: Runtime, ctx: Ctx, run_id: str) -> Run:
    """At once: nothing new starts, whoever works on it loses the fence. Children too."""
    with turn(rt, ctx) as t:
        run = runs.lock(t.tx, ctx, run_id)
        if run.ended:
            raise Conflict(f"The run has ended already: {run.status}.", code="run_ended")
        runs.change(t.tx, ctx, run.id, cancel_requested=True)
        why = {"code": "cancelled", "detail": f"Cancelled by {ctx.actor}."}
        ending.end(t, run, stored(run.definition_hash, run.definition), "cancelled", why)
        audit.record(t.tx, ctx, "workflow.cancel", run.id)
        return runs.get(t.tx, ctx, run.id)


def retry(rt: Runtime, ctx: Ctx, run_id: str) -> Run:
    """From the step that failed; finished steps and what they remember are reused."""
    with turn(rt, ctx) as t:
        run = runs.lock(t.tx, ctx, run_id)
        if run.status not in _AGAIN:
            raise Conflict(
                f"Only a run that failed, was cancelled or needs review can be tried again; "
                f"this one is {run.status}.",
                code="run_not_failed",
            )
        if run.parent_run_id:
            raise Conflict(
                f"This is one item of the run {run.parent_run_id}: retry that one.",
                code="retry_parent",
            )
        if any(key.endswith(UNDO) for key in step_rows.of_run(t.tx, ctx, run.id)):
            raise Conflict(
                "What this run had done was taken back; submit it anew.", code="run_compensated"
            )
        _reopen(t, run)
        audit.record(t.tx, ctx, "workflow.retry", run.id)
        return runs.get(t.tx, ctx, run.id)


def redrive(rt: Runtime, ctx: Ctx, run_id: str) -> Run:
    """Revives the dead letters of a run: its steps by `retry`, a callback's job by itself."""
    with rt.db.read(ctx) as tx:
        dead = [job for job in jobs.of_run(tx, ctx, run_id) if job.status == "dead"]
        callbacks = {one.id for one in effects.of_run(tx, ctx, run_id) if one.step_id == "callback"}
    if not dead:
        raise Conflict("The run has no dead letters.", code="nothing_dead")
    told = [job for job in dead if job.effect_id in callbacks]
    with turn(rt, ctx) as t:
        for job in told:
            effects.change(t.tx, ctx, job.effect_id or "", status="reserved", completed_ms=None)
            jobs.revive(t.tx, ctx, job.id)
            t.ring(job.queue)
    if len(told) < len(dead):
        return retry(rt, ctx, run_id)
    with rt.db.read(ctx) as tx:
        return runs.get(tx, ctx, run_id)


def _reopen(t: Turn, run: Run) -> None:
    """The run's failed steps are pending again, and those of its items with them."""
    rows = step_rows.of_run(t.tx, t.ctx, run.id)
    _drop_dead(t, run)
    checkpoints.forget(t.tx, t.ctx, run.id)
    bad = [row for row in rows.values() if row.status not in ("completed", "skipped")]
    again = [row for row in bad if not _open_items(t, run, row)]
    step_rows.reset(t.tx, t.ctx, [row.id for row in again])
    runs.change(
        t.tx, t.ctx, run.id, status="running" if rows else "pending", error=None, outputs=None,
        completed_ms=None, forget_ms=None, cancel_requested=False,
        deadline_ms=t.tx.now_ms + t.rt.settings.run_seconds_max * 1000,
    )  # fmt: skip
    jobs.add(t.tx, t.ctx, run.id, "advance", SUPERVISOR, priority=run.priority)
    t.fact(run.id, "workflow.retried", steps=[row.key for row in bad])
    t.ring(SUPERVISOR)


def _open_items(t: Turn, run: Run, row: StepRow) -> bool:
    """A `for_each`: only the items that did not complete run again. False for other steps, and
    for one that never fanned out."""
    children = runs.children(t.tx, t.ctx, run.id, row.id)
    bad = [child for child in children if child.status != "completed"]
    if not bad:
        return False
    for child in bad:
        _reopen(t, child)
    step_rows.change(
        t.tx, t.ctx, row.id, status="waiting", open_items=len(bad), error=None,
        waiting_for={"kind": "items", "count": len(bad)}, completed_ms=None,
    )  # fmt: skip
    return True


def _drop_dead(t: Turn, run: Run) -> None:
    own: Mapping[str, bool] = {
        one.id: one.step_id == "callback" for one in effects.of_run(t.tx, t.ctx, run.id)
    }
    for job in jobs.of_run(t.tx, t.ctx, run.id):
        if not own.get(job.effect_id or "", False):
            jobs.drop(t.tx, t.ctx, [job.id])
