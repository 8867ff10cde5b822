"""A run as people and machines see it: status, listing, and why it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Ctx
from database import Tx, approvals, jobs, reports, runs, workers
from database import steps as step_rows
from database.jobs import Job
from database.pages import Page
from database.runs import Run
from database.steps import StepRow
from database.workers import WorkerRow
from runtime import Runtime
from workflows import scope
from workflows.definitions import stored

_OVER = frozenset({"completed", "skipped", "failed", "cancelled", "needs_review"})


def status(rt: Runtime, ctx: Ctx, run_id: str) -> dict[str, Any]:
    """The shape of `GET /workflows/{id}/status`; times in ms."""
    with rt.db.read(ctx) as tx:
        run = runs.get(tx, ctx, run_id)
        rows = step_rows.of_run(tx, ctx, run_id)
        made = reports.by_run(tx, ctx, run_id)
        outputs = run.outputs if run.outputs is not None else _so_far(tx, ctx, run, rows)
    steps = [_step(row) for row in _ordered(run, rows)]
    return {
        "workflow_id": run.id, "workflow": run.workflow, "version": run.version,
        "goal": run.goal, "status": run.status, "priority": run.priority,
        "progress": {"done": sum(s["status"] in _OVER for s in steps), "total": len(steps)},
        "steps": steps, "outputs": dict(outputs),
        "reports": [
            {
                "report_id": one.id, "format": form,
                "url": f"/reports/{one.id}/download?format={form}",
            }
            for one in made for form in one.files
        ],
        "error": dict(run.error) if run.error else None, "metadata": dict(run.metadata),
        "created_at": run.created_ms, "started_at": run.started_ms,
        "completed_at": run.completed_ms, "usage": dict(run.usage),
    }  # fmt: skip


def _so_far(tx: Tx, ctx: Ctx, run: Run, rows: Mapping[str, StepRow]) -> dict[str, Any]:
    """The declared outputs whose steps are over: a run that waits for a person already has them."""
    definition = stored(run.definition_hash, run.definition)
    over = {key for key, row in rows.items() if row.status == "completed"}
    known = {
        name: value
        for name, value in dict(definition.outputs).items()
        if scope.steps_named(value) <= over
    }
    return dict(scope.fill(tx, ctx, run, known, rows)) if over else {}


def _url(report_id: str, form: str) -> str:
    return f"/reports/{report_id}/download?format={form}"


def listing(
    rt: Runtime,
    ctx: Ctx,
    *,
    status: str | None = None,
    workflow: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Run]:
    """Newest first, without child runs."""
    with rt.db.read(ctx) as tx:
        return runs.listing(tx, ctx, limit=limit, cursor=cursor, status=status, workflow=workflow)


def _ordered(run: Run, rows: Mapping[str, StepRow]) -> list[StepRow]:
    """In the order of the definition; before the plan, all of them as pending."""
    definition = stored(run.definition_hash, run.definition)
    known = [
        rows.get(step.id)
        or StepRow(
            "", run.id, step.id, step.agent, step.task, "pending", 0, None, None, None, None,
            None, 0, None, None, run.created_ms,
        )
        for step in definition.steps
    ]  # fmt: skip
    ids = {step.id for step in definition.steps}
    return [row for key, row in rows.items() if key not in ids] + known


def _step(row: StepRow) -> dict[str, Any]:
    return {
        "step_id": row.key, "agent": row.agent, "task_type": row.task, "status": row.status,
        "attempts": row.attempts, "started_at": row.started_ms, "completed_at": row.completed_ms,
        "progress": row.progress or _items_done(row), "waiting_for": row.waiting_for,
        "error": dict(row.error) if row.error else None,
    }  # fmt: skip


def _items_done(row: StepRow) -> dict[str, int] | None:
    what = row.waiting_for or {}
    if what.get("kind") != "items":
        return None
    return {"done": what["count"] - row.open_items, "total": what["count"]}


# --- why -----------------------------------------------------------------------------------------


def why(rt: Runtime, ctx: Ctx, run_id: str) -> dict[str, Any]:
    """What the run waits for: each cause with its queue, its position there, who listens, when
    they were last heard of, and what would unblock it."""
    silent_ms = rt.settings.silent_ms
    with rt.db.read(ctx) as tx:
        run = runs.get(tx, ctx, run_id)
        crew = workers.listing(tx)
        causes = [] if run.ended else _causes(tx, ctx, run, crew, silent_ms)
    if run.ended:
        said = f"The run has ended: {run.status}."
    elif causes:
        said = str(causes[0]["unblock"])
    else:
        said = "Nothing is queued for this run; the next sweep looks after it."
    return {
        "workflow_id": run.id, "status": run.status, "waiting": bool(causes), "causes": causes,
        "summary": said,
    }  # fmt: skip


def _causes(
    tx: Tx, ctx: Ctx, run: Run, crew: Sequence[WorkerRow], silent_ms: int
) -> list[dict[str, Any]]:
    rows = {row.id: row for row in step_rows.of_run(tx, ctx, run.id).values()}
    found = [
        _job_cause(tx, ctx, job, rows.get(job.step_id or ""), crew, silent_ms)
        for job in jobs.of_run(tx, ctx, run.id)
    ]
    for one in approvals.of_run(tx, ctx, run.id):
        if one.status == "waiting":
            found.append(_cause(
                "approval", f"POST /approvals/{one.id} by someone who may decide: {one.summary}",
                approval_id=one.id, expires_at=one.expires_ms,
            ))  # fmt: skip
    for row in rows.values():
        if row.status == "waiting" and (row.waiting_for or {}).get("kind") == "items":
            found.append(_cause(
                "items", f"{row.open_items} item runs of step {row.key!r} have to end first.",
                step_id=row.key, open=row.open_items,
            ))  # fmt: skip
    return found


def _cause(waiting_for: str, unblock: str, **more: Any) -> dict[str, Any]:
    return {"waiting_for": waiting_for, "unblock": unblock, **more}


def _job_cause(
    tx: Tx, ctx: Ctx, job: Job, row: StepRow | None, crew: Sequence[WorkerRow], silent_ms: int
) -> dict[str, Any]:
    listeners = [one for one in crew if job.queue in one.queues]
    alive = [one for one in listeners if one.heartbeat_ms > tx.now_ms - silent_ms]
    more: dict[str, Any] = {
        "queue": job.queue, "step_id": row.key if row else None, "kind": job.kind,
        "position": jobs.ahead(tx, ctx, job) + 1 if job.status == "ready" else 0,
        "listeners": len(alive), "attempts": job.attempts, "error": job.error,
        "last_heartbeat": max((one.heartbeat_ms for one in listeners), default=None),
    }  # fmt: skip
    if job.status == "dead":
        return _cause("redrive", "Its attempts are used up; retry the run.", **more)
    if job.status == "running":
        return _cause("worker_at_work", f"A worker is at it ({job.lease_owner}).", **more)
    if job.ready_ms > tx.now_ms:
        seconds = (job.ready_ms - tx.now_ms) / 1000
        return _cause(
            "time", f"The next attempt is due in {seconds:.0f} s.", ready_at=job.ready_ms, **more
        )
    if not alive:
        return _cause(
            "worker", f"Nobody serves the queue {job.queue!r}: start `weft serve --only worker`.",
            **more,
        )  # fmt: skip
    return _cause("turn", f"{more['position'] - 1} jobs of this tenant go first.", **more)
