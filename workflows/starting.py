"""Starting steps: hand the job over to the next one, queue the others, fan a `for_each` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core import telemetry
from core.context import Ctx
from core.errors import InvalidInput, WeftError
from core.ids import new_id
from database import chain, jobs, runs
from database import steps as step_rows
from database.dispatch import Claim
from database.runs import Run
from database.steps import StepRow
from workflows import definitions, expressions, scope
from workflows.definitions import Definition, Step
from workflows.held import Held, Shift
from workflows.turn import Turn, run_ctx

SUPERVISOR = "supervisor"


def hand_over(
    t: Turn, shift: Shift, claim: Claim, run: Run, definition: Definition, step: Step,
    ids: Mapping[str, str],
) -> Held:  # fmt: skip
    """This worker goes on with `step` at once. Raises `WeftError` when its `with` cannot be filled
    (nothing is written then)."""
    payload = scope.fill(t.tx, t.ctx, run, dict(step.with_))
    claim = jobs.hand_over(t.tx, claim, ids[step.id], step.agent, shift.lease_ms)
    step_rows.begin(t.tx, t.ctx, ids[step.id], 1, payload)
    t.fact(run.id, "step.started", step=step.id, agent=step.agent, attempt=1)
    ctx = run_ctx(run, t.ctx.tenant)
    return Held(claim, ctx, run, definition, step, ids, payload)


def pass_on(t: Turn, shift: Shift, held: Held, step: Step, output: Any) -> Held | None:
    """The held step is completed with `output` and this worker goes on with `step`, which asks for
    nobody's result. None, and nothing written, when that takes more than one statement."""
    if scope.looks_at_steps(dict(step.with_)) or not may_take(t, shift, step):
        return None
    try:
        payload = scope.fill(t.tx, t.ctx, held.run, dict(step.with_))
    except WeftError:
        return None
    claim = chain.pass_on(
        t.tx, t.ctx, held.claim, output, held.ids[step.id], step.agent, payload, shift.lease_ms
    )
    t.fact(held.run.id, "step.completed", step=held.step.id, agent=held.step.agent)
    t.fact(held.run.id, "step.started", step=step.id, agent=step.agent, attempt=1)
    return replace(held, claim=claim, step=step, payload=payload)


def may_take(t: Turn, shift: Shift, step: Step) -> bool:
    return step.agent in shift.queues and t.tx.now_ms <= shift.until_ms


def queue(t: Turn, run: Run, steps: Sequence[Step], ids: Mapping[str, str]) -> None:
    """Jobs for whoever serves their agents."""
    rows = []
    for step in steps:
        rows.append(
            jobs.new_row(
                t.tx, t.ctx, run.id, "step", step.agent, priority=run.priority,
                step_id=ids[step.id],
            )
        )  # fmt: skip
        waiting = {"kind": "worker", "queue": step.agent}
        step_rows.wait(t.tx, t.ctx, ids[step.id], "waiting", waiting, attempts=0)
        t.ring(step.agent)
    jobs.add_many(t.tx, t.ctx, rows)


def fan_out(t: Turn, run: Run, step: Step, row: StepRow, rows: Mapping[str, StepRow]) -> bool:
    """A child run for each item. True when the step is over already (no items, or bad ones)."""
    try:
        items = _items(t, run, step, rows)
    except WeftError as error:
        fail(t, run, row, error.to_json())
        return True
    if not items:
        empty: dict[str, Any] = {"items": [], "failed": [], "count": 0}
        step_rows.finish(t.tx, t.ctx, row.id, "completed", output=empty)
        t.fact(run.id, "step.completed", step=row.key, agent=row.agent)
        return True
    children = [_child(t.ctx, run, step, row, index, item) for index, item in enumerate(items)]
    runs.add_many(
        t.tx, t.ctx,
        [{**child, "created_ms": t.tx.now_ms} for child in children],
    )  # fmt: skip
    jobs.add_many(
        t.tx,
        t.ctx,
        [jobs.new_row(t.tx, t.ctx, child["id"], "advance", SUPERVISOR, priority=run.priority)
         for child in children],
    )  # fmt: skip
    step_rows.change(
        t.tx, t.ctx, row.id, status="waiting", attempts=1, open_items=len(items),
        waiting_for={"kind": "items", "count": len(items)}, started_ms=t.tx.now_ms,
    )  # fmt: skip
    t.fact(run.id, "step.started", step=row.key, agent=row.agent, items=len(items))
    t.ring(SUPERVISOR, min(len(items), 16))
    return False


def _items(t: Turn, run: Run, step: Step, rows: Mapping[str, StepRow]) -> list[Any]:
    items = expressions.evaluate(step.for_each or "", scope.of(t.tx, t.ctx, run, rows))
    if items is None:
        return []
    if not isinstance(items, list | tuple):
        raise InvalidInput(f"{step.for_each!r} is not a list.", code="bad_items")
    most = t.rt.settings.run_steps_max
    if len(items) > most:
        raise InvalidInput(
            f"{len(items)} items are more than the {most} that one step may have.",
            code="steps_ceiling",
        )
    return list(items)


def _child(ctx: Ctx, run: Run, step: Step, row: StepRow, index: int, item: Any) -> dict[str, Any]:
    inner = definitions.build(step.body)
    return {
        "id": new_id(), "workflow": run.workflow, "version": run.version,
        "definition_hash": inner.hash, "definition": inner.body, "goal": None,
        "status": "pending", "priority": run.priority, "inputs": dict(run.inputs),
        "documents": list(run.documents), "metadata": dict(run.metadata), "callback_url": None,
        "outputs": None, "error": None, "parent_run_id": run.id, "parent_step_id": row.id,
        "item_index": index, "item": item, "actor": run.actor, "roles": list(run.roles),
        "scopes": list(run.scopes), "request_id": run.request_id,
        "traceparent": telemetry.current() or run.traceparent, "cancel_requested": False,
        "step_count": 0, "usage": {}, "deadline_ms": run.deadline_ms, "started_ms": None,
        "completed_ms": None,
    }  # fmt: skip


def fail(t: Turn, run: Run, row: StepRow, error: Mapping[str, Any]) -> None:
    step_rows.finish(t.tx, t.ctx, row.id, "failed", error=error)
    t.fact(run.id, "step.failed", step=row.key, agent=row.agent, error=dict(error))
