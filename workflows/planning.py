"""A goal in words: its plan becomes the run's definition, after a person's yes where it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.errors import WeftError
from core.ids import new_id
from database import approvals, runs
from database import steps as step_rows
from database.runs import Run
from database.steps import StepRow
from workflows import definitions
from workflows.definitions import Definition
from workflows.submission import PLAN
from workflows.turn import Turn

WAITS: Literal["waits"] = "waits"
ADOPTED: Literal["adopted"] = "adopted"


def adopt(
    t: Turn, run: Run, definition: Definition, rows: Mapping[str, StepRow]
) -> Literal["waits", "adopted"] | None:
    """When the plan has just been made: validates it like any definition and takes it on.

    None: there is nothing to adopt (not planned yet, or adopted before).
    """
    row = rows.get(PLAN)
    if row is None or row.status != "completed" or PLAN not in definition.by_id:
        return None
    if len(rows) > 1:
        return None
    assert t.agents is not None
    try:
        plan = definitions.parse((row.output or {})["definition"], t.agents.catalog)
        if PLAN in plan.by_id:
            raise KeyError(PLAN)
    except (WeftError, KeyError) as error:
        detail = error.detail if isinstance(error, WeftError) else "the plan has no definition"
        why = {"code": "bad_plan", "detail": f"The plan is not valid: {detail}"}
        step_rows.finish(t.tx, t.ctx, row.id, "failed", error=why)
        return ADOPTED
    if _acts(t, plan) and not _agreed(t, run, plan):
        return WAITS
    _take_on(t, run, plan)
    return ADOPTED


def _acts(t: Turn, plan: Definition) -> bool:
    """Whether some task of the plan may act on the outside world."""
    assert t.agents is not None
    tasks = [(step.agent, step.task) for step in plan.steps]
    tasks += [(inner["agent"], inner["task"]) for step in plan.steps
              for inner in step.body.get("steps", ())]  # fmt: skip
    specs = (t.agents.catalog.find(agent, task) for agent, task in tasks)
    return any(spec is not None and spec.effects for spec in specs)


def _agreed(t: Turn, run: Run, plan: Definition) -> bool:
    """Whether a person has said yes to exactly this plan; asks when nobody was asked yet."""
    asked = [one for one in approvals.of_run(t.tx, t.ctx, run.id) if one.kind == "plan"]
    if asked:
        return asked[-1].status == "approved" and asked[-1].request_hash == plan.hash
    request = {
        "id": new_id(), "run_id": run.id, "step_id": None, "effect_id": None, "kind": "plan",
        "summary": plan.summary or f"Carry out the plan for: {run.goal}",
        "request_hash": plan.hash, "status": "waiting",
        "expires_ms": t.tx.now_ms + t.rt.settings.approval_seconds_max * 1000,
        "created_ms": t.tx.now_ms,
    }  # fmt: skip
    approvals.add_many(t.tx, t.ctx, [request])
    runs.change(t.tx, t.ctx, run.id, status="waiting_approval")
    t.fact(run.id, "approval.requested", asks="plan", summary=request["summary"])
    return False


def plan_of(row: StepRow | None) -> Any:
    """The plan as it was made, for the approver's eyes."""
    return (row.output or {}).get("definition") if row is not None else None


def _take_on(t: Turn, run: Run, plan: Definition) -> None:
    items = [(step.id, step.agent, step.task) for step in plan.steps]
    runs.change(
        t.tx, t.ctx, run.id, definition=dict(plan.body), definition_hash=plan.hash,
        status="running", step_count=run.step_count + len(items),
    )  # fmt: skip
    step_rows.add_many(t.tx, t.ctx, run.id, items)
    t.fact(run.id, "workflow.planned", steps=[step.id for step in plan.steps])
