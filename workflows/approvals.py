"""A person's yes or no to exactly one request: an outside effect, or a plan that has some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.context import Ctx
from core.errors import Conflict, Forbidden, InvalidInput
from database import Tx, audit, effects, jobs, runs
from database import approvals as rows
from database import steps as step_rows
from database.approvals import Approval
from database.effects import Effect
from database.pages import Page
from database.runs import Run
from runtime import Runtime
from workflows import advance, ending, gate, intents, outside, planning
from workflows.definitions import stored
from workflows.submission import PLAN
from workflows.turn import Turn, turn


@dataclass(frozen=True, slots=True)
class Request:
    """What a person decides about. `effect` is the frozen request, or `plan` the definition."""

    approval: Approval
    workflow: str
    effect: Effect | None
    plan: Any


def listing(
    tx: Tx, ctx: Ctx, *, status: str | None = "waiting", limit: int = 50, cursor: str | None = None
) -> Page[Request]:
    """Newest first, each with what would happen, its sources and its cost."""
    page = rows.listing(tx, ctx, status=status, limit=limit, cursor=cursor)
    return Page(tuple(_request(tx, ctx, one) for one in page.items), page.next_cursor)


def get(tx: Tx, ctx: Ctx, approval_id: str) -> Request:
    return _request(tx, ctx, rows.get(tx, ctx, approval_id))


def _request(tx: Tx, ctx: Ctx, one: Approval) -> Request:
    effect = effects.get(tx, ctx, one.effect_id) if one.effect_id else None
    run = runs.get(tx, ctx, one.run_id)
    steps = step_rows.of_run(tx, ctx, run.id) if effect is None else {}
    return Request(one, run.workflow, effect, planning.plan_of(steps.get(PLAN)))


def decide(
    rt: Runtime, ctx: Ctx, approval_id: str, decision: str, comment: str | None = None
) -> Approval:
    """`approve` or `reject`, once, by a person (or a person's key) who may.

    Raises `Forbidden` for runs and agents, `Conflict` when it was decided before, has expired or
    asks for something else by now.
    """
    ctx.permit("approvals:decide")
    if not ctx.actor.startswith(("user:", "key:")):
        raise Forbidden("Only people decide about approvals.", code="not_a_person")
    if decision not in ("approve", "reject"):
        raise InvalidInput("`decision` is `approve` or `reject`.")
    if comment is not None and len(comment) > 2000:
        raise InvalidInput("A comment has 2000 characters at most.")
    status = "approved" if decision == "approve" else "rejected"
    with turn(rt, ctx) as t:
        _decide(t, approval_id, status, comment)
        return rows.get(t.tx, ctx, approval_id)


def expire(rt: Runtime, ctx: Ctx, approval_id: str) -> None:
    """Nobody answered in time: that is a no."""
    with turn(rt, ctx) as t:
        one = rows.get(t.tx, ctx, approval_id)
        if one.status == "waiting":
            _decide(t, approval_id, "expired", None)


def _decide(t: Turn, approval_id: str, status: str, comment: str | None) -> None:
    seen = rows.get(t.tx, t.ctx, approval_id)
    run = runs.lock(t.tx, t.ctx, seen.run_id)
    one = rows.get(t.tx, t.ctx, approval_id, lock=True)
    if one.status != "waiting":
        raise Conflict(f"This was decided before: {one.status}.", code="already_decided")
    if status != "expired" and t.tx.now_ms > one.expires_ms:
        raise Conflict("This request has expired.", code="approval_expired")
    effect = effects.get(t.tx, t.ctx, one.effect_id) if one.effect_id else None
    if effect is not None and one.request_hash != gate.bound(
        effect.connector, effect.target, effect.request
    ):
        raise Conflict("The request is not the one that was asked about.", code="request_changed")
    rows.decide(t.tx, t.ctx, one.id, status, t.ctx.actor, comment)
    audit.record(
        t.tx, t.ctx, f"approval.{status}", one.id,
        {"run_id": run.id, "effect_id": one.effect_id, "comment": comment},
    )  # fmt: skip
    t.fact(run.id, f"approval.{status}", approval_id=one.id, by=t.ctx.actor)
    if run.ended:
        return
    if run.status == "waiting_approval":
        runs.change(t.tx, t.ctx, run.id, status="running")
    if effect is None:
        _plan_decided(t, run, status)
    else:
        _effect_decided(t, run, effect, status, comment)


def _plan_decided(t: Turn, run: Run, status: str) -> None:
    if status == "approved":
        advance.again(t, run)
        return
    why = {"code": f"plan_{status}", "detail": f"The plan was {status}."}
    ending.end(t, run, stored(run.definition_hash, run.definition), "cancelled", why)


def _effect_decided(t: Turn, run: Run, effect: Effect, status: str, comment: str | None) -> None:
    if status == "approved":
        effects.change(t.tx, t.ctx, effect.id, status="reserved")
        jobs.add(
            t.tx, t.ctx, run.id, "effect", intents.QUEUE, priority=run.priority,
            effect_id=effect.id,
        )  # fmt: skip
        t.ring(intents.QUEUE)
        return
    detail = f"The request was {status}" + (f": {comment}" if comment else ".")
    effects.change(
        t.tx, t.ctx, effect.id, status="rejected", completed_ms=t.tx.now_ms,
        error={"code": f"approval_{status}", "detail": detail},
    )  # fmt: skip
    outside.ended(t, run, effect)
