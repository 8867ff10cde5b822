"""How long a tenant wants to be remembered: its own settings, else the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.context import Ctx
from core.settings import Settings
from database import chat, searches
from database.kept import Bounds
from runtime import Runtime

NAMES = ("context_seconds", "forget_seconds", "cache_seconds")


@dataclass(frozen=True, slots=True)
class Durations:
    context_ms: int
    forget_ms: int
    cache_ms: int


def durations(settings: Settings, config: Mapping[str, Any]) -> Durations:
    """`config` is the tenant's."""
    context, forget, cache = (
        int(config.get(name, getattr(settings, name))) * 1000 for name in NAMES
    )
    return Durations(context, max(context, forget), cache)


def bounds(settings: Settings, told: Durations) -> Bounds:
    """Of what is kept for a tenant; no row at all where it wants none."""
    rows = settings.cache_rows_max if told.cache_ms else 0
    return Bounds(rows, settings.cache_bytes_max, told.cache_ms)


def searches_kept(config: Mapping[str, Any]) -> int:
    """How many of its people's searches the tenant keeps; none unless it says so."""
    return int(config.get("searches_kept") or 0)


def retime(rt: Runtime, tenant_id: str, config: Mapping[str, Any]) -> None:
    """The tenant's settings have changed: what it has said already follows them."""
    ctx, told = Ctx(tenant_id, "system"), durations(rt.settings, config)
    with rt.db.transaction(ctx) as tx:
        chat.retime(tx, ctx, context_ms=told.context_ms, forget_ms=told.forget_ms)
        searches.retime(tx, ctx, forget_ms=told.forget_ms)
        searches.bound(tx, ctx, searches_kept(config))
