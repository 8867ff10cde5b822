"""A run's end: outputs, its parent's join, the callback, and nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import telemetry
from core.errors import WeftError
from database import approvals, effects, jobs, runs
from database import steps as step_rows
from database.runs import Run
from database.steps import StepRow
from workflows import callbacks, retention, scope
from workflows.definitions import Definition
from workflows.turn import Turn

SUPERVISOR = "supervisor"
_log = telemetry.log("workflows")


def end(
    t: Turn,
    run: Run,
    definition: Definition,
    status: str,
    error: Mapping[str, Any] | None = None,
    rows: Mapping[str, StepRow] | None = None,
) -> None:
    """The run's last transition. The caller holds the run's row, and has its steps maybe."""
    t.mark("run.commit")
    outputs: Mapping[str, Any] | None = None
    if status == "completed":
        try:
            outputs = _outputs(t, run, definition, rows)
        except WeftError as problem:
            status, error = "failed", problem.to_json()
    if status != "completed":
        _stop_rest(t, run)
    until = retention.forget_ms(t.rt.settings, run, status, t.tx.now_ms)
    runs.end(t.tx, t.ctx, run.id, status, outputs, error, forget_ms=until)
    if status != "completed" or rows is None:
        jobs.clear(t.tx, t.ctx, run.id, keep_dead=True)
    if run.callback_url:
        callbacks.reserve(t, run, status, outputs, error)
    why = {"error": dict(error)} if error else {}
    t.fact(run.id, f"workflow.{status}", workflow=run.workflow, **why)
    telemetry.runs.labels(status).inc()
    telemetry.run_seconds.labels(status).observe((t.tx.now_ms - run.created_ms) / 1000)
    _log.info(
        "run ended", run_id=run.id, tenant=t.ctx.tenant, request_id=run.request_id, status=status,
        code=(error or {}).get("code"), ms=t.tx.now_ms - run.created_ms,
    )  # fmt: skip
    if run.parent_run_id and run.parent_step_id:
        _tell_parent(t, run)


def _outputs(
    t: Turn, run: Run, definition: Definition, rows: Mapping[str, StepRow] | None
) -> dict[str, Any]:
    """What the definition declares; without a declaration the outputs of the last steps."""
    if definition.outputs:
        filled = scope.fill(t.tx, t.ctx, run, dict(definition.outputs), rows)
        return dict(filled)
    last = [step.id for step in definition.steps if not definition.after[step.id]]
    if rows is None:
        rows = step_rows.of_run(t.tx, t.ctx, run.id)
    ended = {key: rows[key].output for key in last if key in rows}
    if run.parent_run_id:
        return {key: row.output for key, row in rows.items()}
    return ended


def _stop_rest(t: Turn, run: Run, *, keep_dead: bool = True) -> None:
    """Children first, then jobs, then steps: the order in which their own workers lock them, and a
    child's end its parent's step."""
    for child in runs.descendants(t.tx, t.ctx, run.id, lock=True):
        if not child.ended:
            _stop_rest(t, child, keep_dead=False)
            why = {"code": "parent_ended", "detail": "The run that this item belongs to ended."}
            runs.end(t.tx, t.ctx, child.id, "cancelled", None, why)
            t.fact(child.id, "workflow.cancelled", workflow=child.workflow)
    jobs.clear(t.tx, t.ctx, run.id, keep_dead=keep_dead)
    step_rows.stop_open(t.tx, t.ctx, run.id)
    effects.cancel_open(t.tx, t.ctx, run.id)
    approvals.close(t.tx, t.ctx, run.id)


def _tell_parent(t: Turn, run: Run) -> None:
    left = step_rows.one_less(t.tx, t.ctx, run.parent_step_id or "")
    if left == 0:
        jobs.add(t.tx, t.ctx, run.parent_run_id or "", "advance", SUPERVISOR, priority=run.priority)
        t.ring(SUPERVISOR)
