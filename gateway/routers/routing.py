"""`/route`: which model a request would go to, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from gateway.house import Caller, permit
from gateway.schemas.routing import (
    RouteAnswer,
    RouteCandidate,
    RouteCost,
    RouteRequest,
    RouteTokens,
)
from models.routing import Decision

router = APIRouter(tags=["models"])


@router.post("/route")
def route(who: Annotated[Caller, permit("models:use")], body: RouteRequest) -> RouteAnswer:
    """Asks no model. `/ask`, runs and `model: "auto"` in `/v1` choose by the same function."""
    turns = body.messages or []
    text = body.text if body.text is not None else "\n".join(one.text for one in turns)
    kind = (body.response_format or {}).get("type", "text")
    found = who.rt.models.route(
        text, task=body.task, json=kind != "text", tools=len(body.tools or ()),
        turns=max(1, len(turns)), reply_tokens=body.max_tokens,
    )  # fmt: skip
    return _shown(found)


def _shown(found: Decision) -> RouteAnswer:
    told = found.to_json()
    return RouteAnswer(
        model=found.model, task=found.task, complexity=found.complexity,
        features=told["features"],
        tokens=RouteTokens(prompt=found.prompt_tokens, completion=found.completion_tokens),
        cost=RouteCost(cpu_seconds=found.cpu_seconds),
        candidates=[RouteCandidate(**one) for one in told["candidates"]],
        reasons=list(found.reasons),
    )  # fmt: skip
