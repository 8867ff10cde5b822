"""Objects that no row speaks of: what a crash leaves between the bytes and the commit."""

from __future__ import annotations

from agents.documents import ORIGINAL
from core.context import PLATFORM, Ctx
from core.ids import made_ms
from database import documents, tenants
from runtime import Runtime

AGE_MS = 3_600_000  # far above the time between storing an upload's bytes and its row


def sweep(rt: Runtime) -> int:
    """Deletes originals without a row and all objects of deleted tenants; gives how many. What is
    younger than an hour is left alone: its row may be on the way."""
    with rt.db.read(PLATFORM) as tx:
        living = tenants.ids(tx)
    count = 0
    for tenant in rt.vault.tenants():
        ctx = Ctx(tenant, "system")
        if tenant in living:
            count += _unclaimed(rt, ctx)
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


def _old(rt: Runtime, name: str) -> bool:
    at_ms = made_ms(name)
    return at_ms is not None and at_ms < rt.clock.now_ms() - AGE_MS
