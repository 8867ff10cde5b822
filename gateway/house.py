"""What every endpoint is handed: the opened platform, and the caller who was let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request

from core.context import Ctx
from core.errors import Forbidden
from gateway.access import AccessControl, Identity
from gateway.credentials import Keyring
from gateway.exchange import exchange_of
from gateway.guard import identity_of
from gateway.streams import Doorbells
from runtime import Runtime


@dataclass(frozen=True, slots=True)
class House:
    rt: Runtime
    keyring: Keyring
    access: AccessControl
    doorbells: Doorbells


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may do what the route asks for."""

    house: House
    rt: Runtime
    ctx: Ctx
    identity: Identity


class Permit:
    """The dependency that a route states its scope with; any one of `scopes` is enough."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> Caller:
        """Raises `Forbidden`."""
        identity = identity_of(request.scope)
        held = identity.ctx
        if self.scopes and not held.scopes.intersection(self.scopes):
            raise Forbidden(f"This needs the scope {self.scopes[0]!r}.", scope=self.scopes[0])
        house: House = request.app.state.house
        request_id = exchange_of(request.scope).request_id
        ctx = Ctx(held.tenant, held.actor, held.roles, held.scopes, request_id)
        return Caller(house, house.rt, ctx, identity)


def permit(*scopes: str) -> Any:
    return Depends(Permit(*scopes))


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


Open: TypeAlias = Annotated[House, Depends(_house)]
SignedIn: TypeAlias = Annotated[Caller, permit()]
