"""`/approvals`: the exact request, its sources and its cost, before anything happens."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from gateway.house import Caller, permit
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Listing
from gateway.schemas.workflows import ApprovalAnswer, Decision
from workflows import approvals

router = APIRouter(prefix="/approvals", tags=["approvals"])
Reader = Annotated[Caller, permit("approvals:read")]
Decider = Annotated[Caller, permit("approvals:decide")]
Status = Literal["waiting", "approved", "rejected", "expired", "all"]


@router.get("")
def listing(
    who: Reader,
    status: Annotated[Status, Query()] = "waiting",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listing[ApprovalAnswer]:
    """What waits for a person, newest first."""
    wanted = None if status == "all" else status
    with who.rt.db.read(who.ctx) as tx:
        page = approvals.listing(tx, who.ctx, status=wanted, limit=limit, cursor=cursor)
    return listed(page, _shown)


@router.get("/{approval_id}")
def show(who: Reader, approval_id: str) -> ApprovalAnswer:
    with who.rt.db.read(who.ctx) as tx:
        return _shown(approvals.get(tx, who.ctx, approval_id))


@router.post("/{approval_id}")
def decide(who: Decider, approval_id: str, body: Decision) -> ApprovalAnswer:
    """Once, and bound to exactly the request that was shown."""
    approvals.decide(who.rt, who.ctx, approval_id, body.decision, body.comment)
    return show(who, approval_id)


def _shown(found: approvals.Request) -> ApprovalAnswer:
    one, effect = found.approval, found.effect
    return ApprovalAnswer.model_validate({
        "id": one.id, "workflow_id": one.run_id, "workflow": found.workflow, "kind": one.kind,
        "summary": one.summary, "status": one.status,
        "connector": effect.connector if effect else None,
        "target": effect.target if effect else None,
        "request": dict(effect.request) if effect else None,
        "request_hash": one.request_hash,
        "sources": list(effect.sources) if effect else [],
        "cost_micro": effect.cost_micro if effect else 0,
        "plan": found.plan, "decided_by": one.decided_by, "comment": one.comment,
        "created_at": one.created_ms, "expires_at": one.expires_ms, "decided_at": one.decided_ms,
    })  # fmt: skip
