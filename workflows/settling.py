"""Steps that waited for others: the children of a `for_each`, and outside effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from database import effects, runs
from database import steps as step_rows
from database.effects import Effect
from database.runs import Run
from database.steps import StepRow
from workflows.definitions import Definition
from workflows.turn import Turn

_BAD = {"code": "items_failed"}


def settle(t: Turn, run: Run, definition: Definition, rows: Mapping[str, StepRow]) -> bool:
    """Ends every step whose last child or effect has ended; True when there was one."""
    found = False
    for row in rows.values():
        if row.status not in ("waiting", "waiting_approval") or row.open_items > 0:
            continue
        what = (row.waiting_for or {}).get("kind")
        if what == "items":
            _join(t, run, definition, row)
            found = True
        elif what in ("approval", "effects"):
            _finish_effects(t, run, row)
            found = True
    return found


def _join(t: Turn, run: Run, definition: Definition, row: StepRow) -> None:
    children = runs.children(t.tx, t.ctx, run.id, row.id)
    failed = [_failure(child) for child in children if child.status != "completed"]
    output = {
        "items": [child.outputs or {} for child in children if child.status == "completed"],
        "failed": failed,
        "count": len(children),
    }
    strict = definition.step(row.key).on_error == "fail"
    if not failed or not strict:
        _end(t, run, row, "completed", output=output)
    elif any(child.status == "needs_review" for child in children):
        _end(t, run, row, "needs_review", output=output, error=failed[0]["error"])
    else:
        detail = f"{len(failed)} of {len(children)} items failed: {failed[0]['error']['detail']}"
        _end(t, run, row, "failed", output=output, error={**_BAD, "detail": detail})


def _failure(child: Run) -> dict[str, Any]:
    error = child.error or {"code": child.status, "detail": f"the item's run is {child.status}"}
    return {"item": child.item, "error": error, "run_id": child.id}


def _finish_effects(t: Turn, run: Run, row: StepRow) -> None:
    own = [one for one in effects.of_run(t.tx, t.ctx, run.id) if one.step_id == row.id]
    output = {**(row.output or {}), "effects": [_shown(one) for one in own]}
    status, error = _verdict(own)
    _end(t, run, row, status, output=output, error=error)


def _shown(effect: Effect) -> dict[str, Any]:
    return {
        "effect_id": effect.id, "connector": effect.connector, "target": effect.target,
        "status": effect.status, "response": effect.response, "error": effect.error,
    }  # fmt: skip


def _verdict(own: Sequence[Effect]) -> tuple[str, Mapping[str, Any] | None]:
    """The worst of its effects; a person's no skips the step and lets the run go on."""
    for status, verdict in (("unknown", "needs_review"), ("refused", "failed")):
        for effect in own:
            if effect.status == status:
                return verdict, effect.error or {"code": f"effect_{status}", "detail": ""}
    if own and all(effect.status == "rejected" for effect in own):
        return "skipped", own[0].error
    return "completed", None


def _end(
    t: Turn, run: Run, row: StepRow, status: str, *, output: Any,
    error: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    step_rows.finish(t.tx, t.ctx, row.id, status, output=output, error=error)
    t.fact(run.id, f"step.{status}", step=row.key, agent=row.agent, **_why(error))


def _why(error: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"error": dict(error)} if error else {}
