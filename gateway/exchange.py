"""What one request carries from the outermost layer to the endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.types import Scope

if TYPE_CHECKING:
    from gateway.access import Identity

KEY = "weft"


@dataclass(slots=True)
class Exchange:
    """Mutable on purpose: each layer adds what it found out; the outermost logs it."""

    request_id: str
    client: str
    identity: Identity | None = None
    run_id: str | None = None  # the run that was asked for
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)  # added to the answer


def exchange_of(scope: Scope) -> Exchange:
    found = scope[KEY]
    assert isinstance(found, Exchange)
    return found
