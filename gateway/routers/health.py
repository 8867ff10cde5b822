"""Liveness, readiness with each dependency, metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

import ingestion
from core.context import PLATFORM, Ctx
from core.errors import WeftError
from database import tenants
from gateway.exchange import exchange_of
from gateway.house import House, Open
from gateway.schemas.health import Alive, Dependency, Health

router = APIRouter(tags=["health"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers."""
    return Alive(status="ok")


@router.get("/health", response_model=Health)
def health(house: Open) -> Response:
    """Every dependency with its state and latency; 503 when a needed one is down."""
    return _checked(house)


@router.get("/readyz", response_model=Health)
def readyz(house: Open) -> Response:
    """The same, for load balancers and for whoever waits for the start."""
    return _checked(house)


@router.get("/metrics", response_class=Response, responses=_TEXT)
def metrics(request: Request, house: Open) -> Response:
    """Prometheus text; for an operator's key or a caller on this machine."""
    identity = exchange_of(request.scope).identity
    if identity is not None:
        identity.ctx.permit("metrics:read")
    return Response(generate_latest(house.metrics), media_type=CONTENT_TYPE_LATEST)


def _checked(house: House) -> Response:
    found = {
        "database": _timed(lambda: _database(house)),
        "blobs": _timed(lambda: _blobs(house)),
        "limits": _timed(lambda: _limits(house)),
        "models": _timed(lambda: _models(house)),
        "parsers": _timed(lambda: {"walls": ingestion.achieved_level()}),
    }
    ready = all(found[name].status == "ok" for name in ("database", "blobs", "limits"))
    answer = Health(status="ok" if ready else "unavailable", dependencies=found)
    headers = None if ready else {"Retry-After": "2"}
    return Response(answer.model_dump_json(), 200 if ready else 503, headers, "application/json")


def _timed(check: Callable[[], dict[str, Any]]) -> Dependency:
    """A dependency may fail in any way it likes; what is shown names no host and no secret."""
    began = time.perf_counter()
    try:
        detail = check()
        status = "ok"
    except WeftError as error:
        status, detail = "down", {"code": error.slug}
    except OSError as error:
        status, detail = "down", {"code": type(error).__name__}
    latency = round((time.perf_counter() - began) * 1000, 2)
    return Dependency(status=status, latency_ms=latency, detail=detail)


def _database(house: House) -> dict[str, Any]:
    with house.rt.db.read(PLATFORM) as tx:
        tenants.by_slug(tx, tenants.PLATFORM_SLUG)
    return {"engine": "sqlite" if house.rt.db.is_sqlite else "postgresql"}


def _blobs(house: House) -> dict[str, Any]:
    nobody = Ctx("00000000-0000-0000-0000-000000000000", "system")
    next(iter(house.rt.vault.names(nobody, "health")), None)
    return {}


def _limits(house: House) -> dict[str, Any]:
    house.rt.limiter.hit("health", 1_000_000, 1)
    return {}


def _models(house: House) -> dict[str, Any]:
    """What is in use; without an embedder keywords find, without a chat model rules and quotes
    answer."""
    active = [one for one in house.rt.models.describe() if one.get("active")]
    return {
        kind: [one["id"] for one in active if one["kind"] == kind] for kind in ("embedding", "chat")
    }
