"""Objects that no row speaks of: what a crash leaves between the bytes and the commit."""

from __future__ import annotations

import contextlib

from agents import freeing, shelf
from agents.documents import ORIGINAL
from core.context import PLATFORM, Ctx
from core.errors import NotFound
from core.ids import made_ms
from database import documents, tenants
from runtime import Runtime
from vectorstore import SEGMENT

AGE_MS = 3_600_000  # far above the time between storing an upload's bytes and its row


def sweep(rt: Runtime) -> int:
    """Deletes originals without a row, segments that no head names and all objects of deleted
    tenants; gives how many. What is younger than an hour is left alone, and a segment as long as
    the run that wrote it may live: its row or its head may be on the way. Index generations whose
    days are over are given up."""
    with rt.db.read(PLATFORM) as tx:
        living = tenants.ids(tx)
    count = 0
    for tenant in rt.vault.tenants():
        ctx = Ctx(tenant, "system")
        if tenant in living:
            freeing.expire(rt, ctx, shelf.head_of(rt, ctx))
            count += _unclaimed(rt, ctx) + _unshelved(rt, ctx)
        elif _old(rt, tenant):
            count += rt.vault.clear(ctx)
    return count


def _unclaimed(rt: Runtime, ctx: Ctx) -> int:
    """Attachments have derived ids, not time-ordered ones: they go with their document."""
    stored = [name for name in rt.vault.names(ctx, ORIGINAL) if _old(rt, name)]
    with rt.db.read(ctx) as tx:
        kept = documents.existing(tx, ctx, stored)
    loose = [name for name in stored if name not in kept]
    for name in loose:
        rt.vault.delete(ctx, ORIGINAL, name)
    return len(loose)


def _unshelved(rt: Runtime, ctx: Ctx) -> int:
    """A writer that died between its segment and the head leaves it, and so does a restore of an
    older moment. The head is read after the names: what was on the way then is on it by now, or
    young. What a merge has retired stays until its grace is over; the next merge deletes it."""
    stored = list(rt.vault.names(ctx, SEGMENT))
    head = shelf.head_of(rt, ctx)
    named = {name for one in (*head.segments, *head.retired) for name in one.objects}
    before_ms = rt.clock.now_ms() - AGE_MS - rt.settings.run_seconds_max * 1000
    count = 0
    for name in stored:
        with contextlib.suppress(NotFound):  # a merge was first
            if name not in named and rt.vault.stored_ms(ctx, SEGMENT, name) < before_ms:
                rt.vault.delete(ctx, SEGMENT, name)
                count += 1
    return count


def _old(rt: Runtime, name: str) -> bool:
    at_ms = made_ms(name)
    return at_ms is not None and at_ms < rt.clock.now_ms() - AGE_MS
