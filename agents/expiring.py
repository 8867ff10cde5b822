"""Index generations that were kept for a way back, given up when their days are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents import freeing, shelf
from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import WeftError
from database import shelves
from runtime import Runtime
from vectorstore import Head

_log = telemetry.log("index")


def tidy(rt: Runtime) -> int:
    """One round over all tenants; how many were given up. Any number of processes may do it at
    once: who comes second finds nothing to do."""
    with rt.db.read(PLATFORM) as tx:
        heads = shelves.with_kept(tx)
    now_ms = rt.clock.now_ms()
    over = [tenant for tenant, told in heads if _is_over(told, now_ms)]
    return sum(_expired(rt, Ctx(tenant, "system")) for tenant in over)


def _is_over(generations: Sequence[Mapping[str, Any]], now_ms: int) -> bool:
    kept = Head.from_json(0, (), (), generations).generation("kept")
    return kept is not None and kept.until_ms <= now_ms


def _expired(rt: Runtime, ctx: Ctx) -> bool:
    """False when it has to wait: one tenant keeps no other waiting."""
    try:
        freeing.expire(rt, ctx, shelf.head_of(rt, ctx))
    except WeftError as error:
        _log.warning("a kept generation stays", tenant=ctx.tenant, code=error.slug)
        return False
    return True
