"""`/workflows/{id}/replay`: what another model would have said in a recorded run."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from agents import replay as replaying
from gateway.house import Caller, permit
from gateway.schemas.replay import ReplayAnswer, ReplayedCall, ReplayRequest

router = APIRouter(prefix="/workflows", tags=["workflows"])


@router.post("/{workflow_id}/replay")
def run(
    who: Annotated[Caller, permit("models:use")], workflow_id: str, body: ReplayRequest
) -> ReplayAnswer:
    """Its model calls are asked again, on the tenant's budget; no step runs and nothing happens
    outside. A run's calls are kept from the version on that can replay them."""
    who.ctx.permit("workflows:read")
    made = replaying.replay(
        who.rt, who.ctx, workflow_id, body.model, order=body.order, judge=body.judge
    )
    calls = [ReplayedCall.model_validate(one.to_json()) for one in made]
    return ReplayAnswer(
        workflow_id=workflow_id, model=body.model, calls=calls,
        same=sum(call.same for call in calls),
        old_faults=sum(len(call.old.faults) for call in calls),
        new_faults=sum(len(call.new.faults) for call in calls if call.new),
    )  # fmt: skip
