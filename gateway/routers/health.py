"""Liveness, readiness with each dependency, metrics."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from gateway.dependencies import NEEDED
from gateway.exchange import exchange_of
from gateway.house import House, Open
from gateway.schemas.health import Alive, Health

router = APIRouter(tags=["health"])
_OWN_THREADS = anyio.CapacityLimiter(4)  # whoever else waits for a silent server holds the others
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers."""
    return Alive(status="ok")


@router.get("/health", response_model=Health)
async def health(house: Open) -> Response:
    """Every dependency with its state and latency; one that says nothing for 2 s is `down`.

    503 when the database or the objects are down. Without the others the gateway goes on: requests
    are limited per replica without `limits`, runs begin at the next sweep without `jobs`, and what
    is taken in is published when `bus` is back.
    """
    return await _checked(house)


@router.get("/readyz", response_model=Health)
async def readyz(house: Open) -> Response:
    """The same, for load balancers and for whoever waits for the start."""
    return await _checked(house)


@router.get("/metrics", response_class=Response, responses=_TEXT)
def metrics(request: Request, house: Open) -> Response:
    """Prometheus text; for an operator's key or a caller on this machine."""
    identity = exchange_of(request.scope).identity
    if identity is not None:
        identity.ctx.permit("metrics:read")
    return Response(generate_latest(house.metrics), media_type=CONTENT_TYPE_LATEST)


async def _checked(house: House) -> Response:
    found = await anyio.to_thread.run_sync(house.dependencies.ask, limiter=_OWN_THREADS)
    ready = all(found[name].status == "ok" for name in NEEDED)
    answer = Health(status="ok" if ready else "unavailable", dependencies=found)
    headers = None if ready else {"Retry-After": "2"}
    return Response(answer.model_dump_json(), 200 if ready else 503, headers, "application/json")
