"""A decision point: settle what has ended, ask the supervisor, carry its decision out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import telemetry
from core.errors import WeftError
from database import approvals, checkpoints, jobs, runs
from database import steps as step_rows
from database.dispatch import Claim
from database.runs import Run
from database.steps import StepRow
from workflows import definitions, ending, expressions, planning, scope, settling, starting
from workflows.definitions import UNDO, Definition, Step
from workflows.held import Held, Shift
from workflows.supervision import Decision, RunView
from workflows.turn import Turn

_ROUNDS_MAX = 200


def advance(t: Turn, shift: Shift, claim: Claim) -> Held | None:
    """Everything between two steps. Gives the step that this worker goes on with, if any."""
    if claim.kind == "step":  # never the first decision: it looks at more than the run
        runs.lock_ahead(t.tx, t.ctx, claim.run_id)
        step_rows.of_run_ahead(t.tx, t.ctx, claim.run_id)
        checkpoints.newest_ahead(t.tx, t.ctx, claim.run_id)
    run = runs.lock(t.tx, t.ctx, claim.run_id)
    about = {"weft.run_id": run.id, "weft.tenant_id": t.ctx.tenant}
    with telemetry.span(
        "workflow.advance", parent=run.traceparent, kind="consumer", attributes=about
    ):
        return _advance(t, shift, claim, run)


def _advance(t: Turn, shift: Shift, claim: Claim, run: Run) -> Held | None:
    if run.ended:
        jobs.end(t.tx, claim)
        return None
    t.mark("advance.commit")
    definition = definitions.stored(run.definition_hash, run.definition)
    first = run.started_ms is None
    if stop := _must_stop(t, run, definition):
        return _end(t, run, definition, claim, Decision(end="failed", error=stop))
    rows = _plan(t, run, definition) if first else step_rows.of_run(t.tx, t.ctx, run.id)
    if not first and settling.settle(t, run, definition, rows):
        rows = step_rows.of_run(t.tx, t.ctx, run.id)
    if run.error is not None:
        return _undo(t, shift, claim, run, definition, rows)
    if run.goal is not None and (planned := planning.adopt(t, run, definition, rows)):
        if planned == planning.WAITS:
            jobs.end(t.tx, claim)
            return None
        return advance(t, shift, claim)
    return _decide(t, shift, claim, run, definition, rows, first)


def _must_stop(t: Turn, run: Run, definition: Definition) -> dict[str, Any] | None:
    """The limits that end a run by name."""
    most = t.rt.settings.run_steps_max
    if len(definition.steps) > most or run.step_count > most:
        return {"code": "steps_ceiling", "detail": f"A run may have {most} steps at most."}
    if t.tx.now_ms > run.deadline_ms:
        return {"code": "deadline", "detail": "The run took longer than it may."}
    return None


def _plan(t: Turn, run: Run, definition: Definition) -> dict[str, StepRow]:
    items = [(step.id, step.agent, step.task) for step in definition.steps]
    runs.start(t.tx, t.ctx, run.id, run.step_count + len(items))
    t.fact(run.id, "workflow.started", workflow=run.workflow, steps=len(items))
    return step_rows.add_many(t.tx, t.ctx, run.id, items)


def _decide(
    t: Turn, shift: Shift, claim: Claim, run: Run, definition: Definition,
    rows: dict[str, StepRow], first: bool,
) -> Held | None:  # fmt: skip
    """Asks until something runs, something waits, or the run ends."""
    assert t.agents is not None
    for _ in range(_ROUNDS_MAX):
        view = RunView(
            run.id,
            first,
            definition,
            {key: row.status for key, row in rows.items()},
            lambda text, rows=rows: expressions.holds(text, scope.of(t.tx, t.ctx, run, rows)),  # type: ignore[misc]
        )
        try:
            decision = t.agents.supervisor.decide(t.tx, t.ctx, claim, view)
        except WeftError as error:
            decision = Decision(end="failed", error=error.to_json())
        first = False
        if decision.end:
            return _end(t, run, definition, claim, _explained(decision, rows), rows)
        for key in decision.skip:
            step_rows.finish(t.tx, t.ctx, rows[key].id, "skipped")
            t.fact(run.id, "step.skipped", step=key, agent=rows[key].agent)
        held, over = _start(t, shift, claim, run, definition, rows, decision.start)
        if not over:
            if held is None:
                jobs.end(t.tx, claim)
                rest(t, run)
            return held
        rows = step_rows.of_run(t.tx, t.ctx, run.id)
    stuck = {"code": "no_progress", "detail": "The supervisor decided without getting anywhere."}
    return _end(t, run, definition, claim, Decision(end="failed", error=stuck), rows)


def _explained(decision: Decision, rows: Mapping[str, StepRow]) -> Decision:
    """The error of a run is that of the step that decided it."""
    key = (decision.error or {}).get("step_id")
    row = rows.get(key) if isinstance(key, str) else None
    if row is None or not row.error:
        return decision
    return Decision(end=decision.end, error={**row.error, "step_id": key})


def _start(
    t: Turn, shift: Shift, claim: Claim, run: Run, definition: Definition,
    rows: Mapping[str, StepRow], keys: tuple[str, ...],
) -> tuple[Held | None, bool]:  # fmt: skip
    """(the step taken on, whether some step is over already so that there is more to decide)."""
    chosen = [definition.by_id[key] for key in keys]
    over = False
    for step in chosen:
        if step.for_each is not None:
            over |= starting.fan_out(t, run, step, rows[step.id], rows)
    ready = [step for step in chosen if step.for_each is None]
    ids = {key: row.id for key, row in rows.items()}
    if over:
        starting.queue(t, run, ready, ids)
        return None, True
    held: Held | None = None
    mine = next((step for step in ready if starting.may_take(t, shift, step)), None)
    if mine is not None:
        try:
            held = starting.hand_over(t, shift, claim, run, definition, mine, ids)
        except WeftError as error:
            starting.fail(t, run, rows[mine.id], error.to_json())
            over = True
    starting.queue(t, run, [step for step in ready if step is not mine], ids)
    return held, over


def _end(
    t: Turn, run: Run, definition: Definition, claim: Claim, decision: Decision,
    rows: Mapping[str, StepRow] | None = None,
) -> Held | None:  # fmt: skip
    """Ends the run, or first starts taking back what was done."""
    jobs.end(t.tx, claim)
    status = decision.end or "failed"
    if status == "failed" and rows is not None and _to_undo(definition, rows):
        step_rows.stop_open(t.tx, t.ctx, run.id)
        jobs.clear(t.tx, t.ctx, run.id, keep_dead=True)
        runs.change(t.tx, t.ctx, run.id, error=dict(decision.error or {}))
        t.fact(run.id, "workflow.compensating", workflow=run.workflow)
        again(t, run)
        return None
    ending.end(t, run, definition, status, decision.error, rows)
    return None


def _to_undo(definition: Definition, rows: Mapping[str, StepRow]) -> Step | None:
    """The last completed step whose compensation has not been started."""
    for step in reversed(definition.steps):
        done = step.id in rows and rows[step.id].status == "completed"
        if step.compensate and done and step.id + UNDO not in rows:
            return definition.step(step.id + UNDO)
    return None


def _undo(
    t: Turn, shift: Shift, claim: Claim, run: Run, definition: Definition,
    rows: Mapping[str, StepRow],
) -> Held | None:  # fmt: skip
    """One compensation after the other, last step first (Garcia-Molina and Salem, Sagas, 1987)."""
    jobs.end(t.tx, claim)
    if any(row.status in step_rows.OPEN for row in rows.values()):
        return None
    step = _to_undo(definition, rows)
    if step is None:
        ending.end(t, run, definition, "failed", run.error)
        return None
    made = step_rows.add_many(t.tx, t.ctx, run.id, [(step.id, step.agent, step.task)])
    starting.queue(t, run, [step], {step.id: made[step.id].id})
    return None


def again(t: Turn, run: Run) -> None:
    """Another decision, by whoever serves the supervisor's queue."""
    jobs.add(t.tx, t.ctx, run.id, "advance", starting.SUPERVISOR, priority=run.priority)
    t.ring(starting.SUPERVISOR)


def rest(t: Turn, run: Run) -> None:
    """Nothing can go on: when that is because of a person, the run says so."""
    if jobs.alive(t.tx, t.ctx, run.id) == 0 and approvals.waiting(t.tx, t.ctx, run.id):
        runs.change(t.tx, t.ctx, run.id, status="waiting_approval")
        t.fact(run.id, "workflow.waiting_approval", workflow=run.workflow)
