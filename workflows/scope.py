"""What `${…}` and `when` can see of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.context import Ctx
from database import Tx
from database import steps as step_rows
from database.runs import Run
from database.steps import StepRow
from workflows import expressions


def of(tx: Tx, ctx: Ctx, run: Run, rows: Mapping[str, StepRow] | None = None) -> dict[str, Any]:
    """Without `rows` they are read; a child run also sees its parent's steps."""
    if rows is None:
        rows = step_rows.of_run(tx, ctx, run.id)
    found: dict[str, Any] = {}
    if run.parent_run_id:
        found.update(_views(step_rows.of_run(tx, ctx, run.parent_run_id)))
    found.update(_views(rows))
    return {**bare(run), "steps": found}


def bare(run: Run) -> dict[str, Any]:
    """What never changes while the run runs."""
    scope: dict[str, Any] = {
        "inputs": run.inputs, "documents": run.documents, "metadata": run.metadata,
        "goal": run.goal, "run": {"id": run.id, "workflow": run.workflow},
    }  # fmt: skip
    if run.parent_run_id:
        scope[str(run.definition.get("as", "item"))] = run.item
    return scope


def fill(tx: Tx, ctx: Ctx, run: Run, value: Any, rows: Mapping[str, StepRow] | None = None) -> Any:
    """`value` with its `${…}` filled in; the steps are read only when it names one."""
    names = _names(value)
    if not names:
        return value
    if any(path[0] == "steps" for path in names):
        return expressions.fill(value, of(tx, ctx, run, rows))
    return expressions.fill(value, bare(run))


def looks_at_steps(value: Any) -> bool:
    return any(path[0] == "steps" for path in _names(value))


def steps_named(value: Any) -> set[str]:
    """The steps whose results `value` asks for."""
    return {str(path[1]) for path in _names(value) if path[0] == "steps" and len(path) > 1}


def _names(value: Any) -> list[Any]:
    return [
        path
        for text in expressions.placeholders(value)
        for path in expressions.paths(expressions.parse(text))
    ]


def _views(rows: Mapping[str, StepRow]) -> dict[str, Any]:
    return {key: _view(row) for key, row in rows.items()}


def _view(row: StepRow) -> dict[str, Any]:
    output = row.output if isinstance(row.output, Mapping) else {}
    return {
        "output": row.output, "status": row.status, "error": row.error,
        "failed": output.get("failed", []), "items": output.get("items", []),
    }  # fmt: skip
