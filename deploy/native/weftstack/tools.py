"""Programs that check what is deployed and serve nothing: `stack install docker-compose caddy`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from weftstack import golang, versions
from weftstack.place import Place


def compose(place: Place) -> Path:
    """Compose without an engine: it reads, merges and checks files."""
    module = "github.com/docker/compose/v2"
    return golang.wrapped(place, "docker-compose", module, versions.COMPOSE, f"{module}/cmd")


def caddy(place: Place) -> Path:
    package = "github.com/caddyserver/caddy/v2/cmd/caddy"
    return golang.installed(place, "caddy", versions.CADDY, package, 25)


TOOLS: dict[str, Callable[[Place], Path]] = {"docker-compose": compose, "caddy": caddy}
