"""What time alone brings about: silent workers, deadlines, approvals that nobody gave."""

from __future__ import annotations

from core.context import PLATFORM, Ctx
from database import dispatch, runs
from runtime import Runtime
from workflows import approvals, definitions, ending, leases, triggers
from workflows.supervision import Agents
from workflows.turn import turn


def sweep(rt: Runtime, agents: Agents) -> int:
    """One round; gives how many things it moved. Any number of workers may sweep at once."""
    moved = leases.take_back(rt) + triggers.sweep(rt)
    with rt.db.read(PLATFORM) as tx:
        late = dispatch.overdue_runs(tx)
        unanswered = dispatch.overdue_approvals(tx)
    for tenant, run_id in late:
        _stop(rt, agents, Ctx(tenant, "system"), run_id)
    for tenant, approval_id in unanswered:
        approvals.expire(rt, Ctx(tenant, "system"), approval_id)
    return moved + len(late) + len(unanswered)


def _stop(rt: Runtime, agents: Agents, ctx: Ctx, run_id: str) -> None:
    """Past its deadline: whoever works on it loses the fence."""
    with turn(rt, ctx, agents=agents) as t:
        run = runs.lock(t.tx, ctx, run_id)
        if run.ended or t.tx.now_ms <= run.deadline_ms:
            return
        why = {"code": "deadline", "detail": "The run took longer than it may."}
        definition = definitions.stored(run.definition_hash, run.definition)
        ending.end(t, run, definition, "failed", why)
