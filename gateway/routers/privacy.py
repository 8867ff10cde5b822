"""`/pii-policy`: what happens to personal data in a tenant's documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from agents import privacy
from gateway.house import Caller, permit
from gateway.schemas.privacy import PiiPolicy, PiiPolicyAnswer
from ingestion import pii

router = APIRouter(prefix="/pii-policy", tags=["tenants"])


@router.get("")
def show(who: Annotated[Caller, permit("tenant:read")]) -> PiiPolicyAnswer:
    return _shown(privacy.policy(who.rt, who.ctx))


@router.put("")
def choose(who: Annotated[Caller, permit("tenant:write")], body: PiiPolicy) -> PiiPolicyAnswer:
    """`leave`, `mask` for all without the scope `pii:reveal`, or `redact` whatever is read from now
    on; audited."""
    return _shown(privacy.choose(who.rt, who.ctx, body.mode, body.kinds))


def _shown(found: privacy.Policy) -> PiiPolicyAnswer:
    return PiiPolicyAnswer(mode=found.mode, kinds=sorted(found.kinds), kinds_known=list(pii.KINDS))
