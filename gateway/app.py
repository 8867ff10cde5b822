"""`create_app(rt)`: the gateway, whole."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from core.context import PLATFORM
from database import idempotency
from gateway import contract, problems
from gateway.access import AccessControl
from gateway.credentials import Keyring
from gateway.dependencies import Dependencies, checks_of
from gateway.edge import Edge
from gateway.guard import Guard
from gateway.head import Head
from gateway.hot import HotReads
from gateway.house import House
from gateway.overload import Gate
from gateway.provision import ensure_platform
from gateway.routers import (
    agents,
    answers,
    approvals,
    auth,
    definitions,
    documents,
    health,
    integrations,
    memory,
    models,
    pages,
    privacy,
    replay,
    reports,
    routing,
    search,
    sessions,
    templates,
    tenants,
    triggers,
    usage,
    users,
    web,
    workflows,
)
from gateway.shed import Shed
from gateway.streams import Doorbells
from gateway.uploads import clear_scratch
from gateway.veil import Veil
from runtime import Runtime
from runtime.scrape import registry_of

# Routes are tried in this order, so those that are asked most stand first.
ROUTERS = (
    workflows, replay, auth, documents, search, answers, sessions, memory, models, routing,
    approvals, reports, definitions, agents, templates, tenants, privacy, usage, users,
    integrations, triggers, web, health, pages,
)  # fmt: skip


def create_app(rt: Runtime) -> FastAPI:
    """Expects a migrated database. The runtime stays the caller's to close."""
    keyring = Keyring(rt.root_key)
    metrics = registry_of(rt, tables=True)
    house = House(
        rt, keyring, AccessControl(rt, keyring), Doorbells(rt.bus), metrics,
        Dependencies(checks_of(rt)),
    )  # fmt: skip
    ensure_platform(rt)
    if rt.db.is_sqlite:  # elsewhere other gateways may be at work on requests
        with rt.db.transaction(PLATFORM) as tx:
            idempotency.release_all(tx)
    clear_scratch(rt.settings)
    gate = Gate()
    app = FastAPI(
        title="Weft", version=contract.VERSION, summary=contract.SUMMARY, docs_url=None,
        redoc_url=None, lifespan=_lifespan, middleware=_middleware(house, gate),
        generate_unique_id_function=contract.operation_id,
    )  # fmt: skip
    app.state.house = house
    app.state.gate = gate
    app.state.rooms = [room.router for room in ROUTERS]
    problems.install(app)
    for room in ROUTERS:
        app.include_router(room.router)
    app.openapi = contract.Contract(app, (room.router for room in ROUTERS))  # type: ignore[method-assign]
    return app


def _middleware(house: House, gate: Gate) -> list[Middleware]:
    """Outermost first. CORS stands before the guard: a preflight carries no credential."""
    origins = [
        origin.strip() for origin in house.rt.settings.cors_origins.split(",") if origin.strip()
    ]
    cors = Middleware(
        CORSMiddleware, allow_origins=origins, allow_methods=["*"], max_age=600,
        allow_headers=["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key",
                       "X-Request-ID", "Last-Event-ID", "Cache-Control"],
        expose_headers=["X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"],
    )  # fmt: skip
    return [
        Middleware(Shed, gate=gate, origins=origins),
        Middleware(Edge, settings=house.rt.settings),
        Middleware(Head),
        *([cors] if origins else []),
        Middleware(Guard, rt=house.rt, access=house.access),
        Middleware(Veil, rt=house.rt),
        Middleware(HotReads, house=house),
    ]


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.house.warmer.close()
    app.state.house.doorbells.close()
