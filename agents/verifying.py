"""Every part of every index is read, before somebody needs it: also what no search reads, such as
the vectors of a generation that is kept for a way back."""

from __future__ import annotations

from dataclasses import dataclass

from agents import repair, shelf
from core.context import PLATFORM, Ctx
from database import tenants
from runtime import Runtime
from vectorstore import DamagedError


@dataclass(frozen=True, slots=True)
class Verified:
    objects: int
    damaged: int  # each was marked, and a run rebuilds it
    tenants: int  # whose index has some


def verify(rt: Runtime) -> Verified:
    """Reads one object at a time and keeps none. Raises `Outage` while the store is away: nothing
    is damaged then."""
    with rt.db.read(PLATFORM) as tx:
        living = sorted(tenants.ids(tx))
    objects, found = 0, []
    for tenant in living:
        ctx = Ctx(tenant, "system")
        head = shelf.head_of(rt, ctx)
        objects += sum(len(one.objects) for one in head.sound)
        if errors := _damaged(rt, ctx):
            repair.report(rt, ctx, errors)
            found.append(len(errors))
    return Verified(objects, sum(found), len(found))


def _damaged(rt: Runtime, ctx: Ctx) -> list[DamagedError]:
    """What a merge took away meanwhile is not on the head any more, and not damaged."""
    errors = [e for one in shelf.head_of(rt, ctx).sound for e in rt.shelves.check(ctx, one)]
    if not errors:
        return []
    now = shelf.head_of(rt, ctx).sound
    return [one for one in errors if any(repair.concerns(one, segment) for segment in now)]
