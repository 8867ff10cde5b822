"""How much a tenant may keep, the same at every door."""

from __future__ import annotations

from core.context import Ctx
from core.errors import QuotaExceeded
from core.tiers import tier_of
from database import documents
from runtime import Runtime


def within_quota(rt: Runtime, ctx: Ctx, tier: str, files: int, size: int) -> None:
    """With so many files and bytes more. Raises `QuotaExceeded`."""
    held = tier_of(tier)
    if held.documents is None or held.storage_bytes is None:
        return
    with rt.db.read(ctx) as tx:
        count = sum(documents.counts(tx, ctx).values()) + files
        size += documents.stored_bytes(tx, ctx)
    for limit, used, most in (
        ("documents", count, held.documents), ("storage_bytes", size, held.storage_bytes)
    ):  # fmt: skip
        if used > most:
            raise QuotaExceeded(f"The tier {held.name!r} holds {most} {limit}.", limit=limit)
