"""The way in: a run, its first job and its event in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core import telemetry
from core.context import Ctx
from core.errors import InvalidInput
from core.ids import new_id
from core.ports import EffectCall
from database import Tx, audit, events, jobs, runs, tenants
from database.runs import Run
from runtime import Runtime
from workflows import definitions, registry
from workflows.definitions import Definition
from workflows.tasks import Catalog
from workflows.turn import turn

SUPERVISOR = "supervisor"
PLAN = "plan"
_GOAL: Mapping[str, Any] = {
    "name": "goal",
    "summary": "a goal in words: planned first, then run",
    "steps": [{
        "id": PLAN, "agent": SUPERVISOR, "task": "plan",
        "with": {"goal": "${goal}", "documents": "${documents}"},
    }],
}  # fmt: skip
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "list": list,
    "object": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Submission:
    """One of `workflow` (`name[@version]`), `definition` (text or mapping) or `goal` (words).

    `priority` 1 to 10, higher goes first. `callback_url` hears of the end, signed.
    """

    workflow: str | None = None
    definition: str | Mapping[str, Any] | None = None
    goal: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    priority: int = 5
    callback_url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def submit(
    rt: Runtime,
    ctx: Ctx,
    submission: Submission,
    *,
    catalog: Catalog | None = None,
    also: Callable[[Tx, Run], None] = lambda _tx, _run: None,
) -> Run:
    """Accepted: from here on the run ends in one way or another, whatever dies.

    `catalog` checks the agents and tasks of a `definition` that comes along. `also` runs in the
    same transaction.
    """
    with turn(rt, ctx, "submit.commit") as t:
        run = submit_in(rt, t.tx, ctx, submission, catalog=catalog)
        also(t.tx, run)
    rt.jobs.ring(SUPERVISOR)
    rt.jobs.ring("relay")
    return run


def submit_in(
    rt: Runtime, tx: Tx, ctx: Ctx, submission: Submission, *, catalog: Catalog | None = None
) -> Run:
    """The same in the caller's transaction; the caller rings `supervisor` after its commit."""
    run_id = new_id()
    about = {"weft.run_id": run_id, "weft.tenant_id": ctx.tenant, "weft.request_id": ctx.request_id}
    with telemetry.span("workflow.submit", kind="producer", attributes=about):
        run = _submitted(rt, tx, ctx, submission, catalog, run_id)
    telemetry.runs_submitted.inc()
    return run


def _submitted(
    rt: Runtime, tx: Tx, ctx: Ctx, submission: Submission, catalog: Catalog | None, run_id: str
) -> Run:
    definition, version = _definition(tx, ctx, submission, catalog)
    _check(submission)
    _check_callback(rt, tx, ctx, submission.callback_url)
    values: dict[str, Any] = {
        "workflow": definition.name, "version": version, "definition_hash": definition.hash,
        "definition": definition.body, "goal": submission.goal, "status": "pending",
        "priority": submission.priority, "inputs": _inputs(definition, submission),
        "documents": list(submission.documents), "metadata": dict(submission.metadata),
        "callback_url": submission.callback_url, "outputs": None, "error": None,
        "parent_run_id": None, "parent_step_id": None, "item_index": None, "item": None,
        "actor": ctx.actor, "roles": sorted(ctx.roles), "scopes": sorted(ctx.scopes),
        "request_id": ctx.request_id, "traceparent": telemetry.current(),
        "cancel_requested": False, "step_count": 0, "usage": {},
        "deadline_ms": tx.now_ms + rt.settings.run_seconds_max * 1000,
        "created_ms": tx.now_ms, "started_ms": None, "completed_ms": None,
    }  # fmt: skip
    runs.add(tx, ctx, run_id, values)
    jobs.add(tx, ctx, run_id, "advance", SUPERVISOR, priority=submission.priority)
    events.append(tx, ctx, run_id, "workflow.submitted", {"workflow": definition.name})
    audit.record(tx, ctx, "workflow.submit", run_id, {"workflow": definition.name})
    return Run(id=run_id, **values)


def _definition(
    tx: Tx, ctx: Ctx, submission: Submission, catalog: Catalog | None
) -> tuple[Definition, int | None]:
    given = [submission.workflow, submission.definition, submission.goal]
    if sum(value is not None for value in given) != 1:
        raise InvalidInput("Give exactly one of `workflow`, `definition` and `goal`.")
    if submission.workflow is not None:
        found = registry.get(tx, ctx, submission.workflow)
        return found.definition, found.version or None
    if submission.definition is not None:
        return definitions.parse(submission.definition, catalog), None
    if not (submission.goal or "").strip() or len(submission.goal or "") > 4000:
        raise InvalidInput("A goal is a sentence or two, 4000 characters at most.")
    return _PLANNING, None


_PLANNING = definitions.build(_GOAL)


def _check(submission: Submission) -> None:
    if not 1 <= submission.priority <= 10:
        raise InvalidInput("`priority` is a number from 1 to 10; higher goes first.")


def _check_callback(rt: Runtime, tx: Tx, ctx: Ctx, url: str | None) -> None:
    """Now, while its caller still listens: an address that may never be called is refused."""
    if url is None:
        return
    if not url.startswith(("http://", "https://")):
        raise InvalidInput("`callback_url` is an http or https address.", code="bad_callback_url")
    if webhook := rt.connectors.get("webhook"):
        request = {"url": url, "payload": {"type": "check"}}
        webhook.check(EffectCall("check", request, tenants.own(tx, ctx).config))


def _inputs(definition: Definition, submission: Submission) -> dict[str, Any]:
    """Those given, checked against what is declared, and the defaults of the others."""
    errors = [
        {"field": f"inputs.{name}", "detail": "the workflow has no such input"}
        for name in submission.inputs
        if name not in definition.inputs and submission.goal is None
    ]
    filled = dict(submission.inputs)
    for name, spec in definition.inputs.items():
        if name not in filled:
            if "default" in spec:
                filled[name] = spec["default"]
            elif spec.get("required", True):
                errors.append({"field": f"inputs.{name}", "detail": "is missing"})
            continue
        kind = str(spec.get("type", "string"))
        value = filled[name]
        truth = isinstance(value, bool) and kind in ("integer", "number")
        if truth or not isinstance(value, _KINDS[kind]):
            errors.append({"field": f"inputs.{name}", "detail": f"must be of type {kind}"})
    if errors:
        first = errors[0]
        raise InvalidInput(f"{first['field']}: {first['detail']}.", errors=errors)
    return filled
