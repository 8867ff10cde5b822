"""`/approvals`: the exact request, its sources and its cost, before anything happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from gateway.house import Caller, permit

router = APIRouter(prefix="/approvals", tags=["approvals"])
Reader = Annotated[Caller, permit("approvals:read")]
Decider = Annotated[Caller, permit("approvals:decide")]
