"""A person goes, or wants to be forgotten: all that they said and were told goes with them."""

from __future__ import annotations

from core.context import Ctx
from database import chat, kept, memories, searches
from database.engine import Tx


def actor(tx: Tx, ctx: Ctx, name: str) -> int:
    """Conversations, long-term memory, searches, and what their questions left in the caches. How
    many sessions, paths and searches that were. `name` is `user:<id>` or `key:<id>`."""
    kept.erase(tx, ctx, name)
    told = chat.erase(tx, ctx, name) + memories.erase(tx, ctx, name)
    return told + searches.erase(tx, ctx, name)
