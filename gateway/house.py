"""What every endpoint is handed: the opened platform, and the caller who was let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Header, Request
from prometheus_client import CollectorRegistry
from starlette.types import Scope

from agents.warming import Warmer
from core.context import Ctx
from core.errors import Forbidden
from gateway.access import AccessControl, Identity
from gateway.credentials import Keyring
from gateway.dependencies import Dependencies
from gateway.exchange import Exchange, exchange_of
from gateway.guard import identity_of
from gateway.recent import Recent
from gateway.streams import Doorbells
from runtime import Runtime


@dataclass(frozen=True, slots=True)
class House:
    rt: Runtime
    keyring: Keyring
    access: AccessControl
    doorbells: Doorbells
    metrics: CollectorRegistry
    dependencies: Dependencies
    finished: Recent = field(default_factory=Recent)  # answers about runs that have ended
    warmer: Warmer = field(default_factory=Warmer)  # opens the shelf of who signs in


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may do what the route asks for."""

    house: House
    rt: Runtime
    ctx: Ctx
    identity: Identity
    exchange: Exchange


class Permit:
    """The dependency that a route states its scope with; any one of `scopes` is enough."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> Caller:
        return self.caller(request.app.state.house, request.scope)

    def caller(self, house: House, scope: Scope) -> Caller:
        """Raises `Forbidden`."""
        identity = identity_of(scope)
        held = identity.ctx
        if self.scopes and not held.scopes.intersection(self.scopes):
            raise Forbidden(f"This needs the scope {self.scopes[0]!r}.", scope=self.scopes[0])
        exchange = exchange_of(scope)
        ctx = Ctx(held.tenant, held.actor, held.roles, held.scopes, exchange.request_id)
        return Caller(house, house.rt, ctx, identity, exchange)


def permit(*scopes: str) -> Any:
    return Depends(Permit(*scopes))


Fresh: TypeAlias = Annotated[
    str | None,
    Header(max_length=255, description="`no-cache`: answer anew, not from what was kept"),
]


def wants_fresh(cache_control: str | None) -> bool:
    return "no-cache" in (cache_control or "")


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


Open: TypeAlias = Annotated[House, Depends(_house)]
SignedIn: TypeAlias = Annotated[Caller, permit()]
