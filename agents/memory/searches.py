"""What people search for, kept where their tenant wants it, for `weft index compare`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from agents.memory import sealed
from agents.memory.durations import durations, searches_kept
from core.context import PLATFORM, Ctx
from core.errors import Unavailable, Unfinishable
from database import Tx, searches, tenants
from runtime import Runtime

CHARS_MAX = 500  # what is longer was pasted, not asked
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Search:
    text: str
    searched_ms: int


def keep(rt: Runtime, ctx: Ctx, text: str) -> None:
    """Nothing where the tenant did not ask for it. A search has been answered by now: what cannot
    be written is not kept."""
    text = " ".join(text.split())
    if not text or len(text) > CHARS_MAX:
        return
    with contextlib.suppress(Unavailable):
        with rt.db.read(ctx) as tx:
            config = tenants.own(tx, ctx).config
        if rows_max := searches_kept(config):
            _write(rt, ctx, text, rows_max, durations(rt.settings, config).forget_ms)


def _write(rt: Runtime, ctx: Ctx, text: str, rows_max: int, forget_ms: int) -> None:
    name = sealed.fingerprint(rt, ctx, "search", ctx.actor, text)
    data = sealed.close(rt, ctx, _place(ctx, name), text)
    with rt.db.transaction(ctx, durable=False) as tx:
        searches.keep(tx, ctx, name, data, rows_max=rows_max, forget_ms=forget_ms)


def everybodys(rt: Runtime, ctx: Ctx, limit: int) -> list[str]:
    """What the tenant's people searched for, the last one first, each once."""
    with rt.db.read(ctx) as tx:
        found = _opened(rt, tx, ctx, limit)
    return list(dict.fromkeys(one.text for one in found))


def own(rt: Runtime, tx: Tx, ctx: Ctx) -> list[Search]:
    """Of who asks, the last one first."""
    return _opened(rt, tx, ctx, searches_kept(tenants.own(tx, ctx).config), ctx.actor)


def _opened(rt: Runtime, tx: Tx, ctx: Ctx, limit: int, actor: str | None = None) -> list[Search]:
    found = []
    for row in searches.latest(tx, ctx, limit, actor=actor):
        who = replace(ctx, actor=row.actor)
        with contextlib.suppress(Unfinishable):  # its key was lost: nobody reads it any more
            text = sealed.open_(rt, who, _place(who, row.id), row.sealed)
            found.append(Search(text, row.searched_ms))
    return found


def tidy(rt: Runtime) -> int:
    """Deletes what is over in all tenants; how many."""
    with rt.db.read(PLATFORM) as tx:
        over = searches.due(tx, _AT_ONCE)
    count = 0
    for tenant in over:
        ctx = Ctx(tenant, "system")
        with rt.db.transaction(ctx, durable=False) as tx:
            count += searches.forget(tx, ctx)
    return count


def _place(ctx: Ctx, name: str) -> str:
    return f"searches/{ctx.actor}/{name}"
