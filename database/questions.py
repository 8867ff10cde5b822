"""Where a tenant's people asked something lately: which conversations, not what was said."""

from __future__ import annotations

from sqlalchemy import select

from core.context import Ctx
from database.engine import Tx
from database.tables import chat_sessions

_s = chat_sessions.c


def conversations(tx: Tx, ctx: Ctx, limit: int) -> list[tuple[str, str]]:
    """`(actor, session)` of everybody in the tenant, those that went on last first; none that is
    forgotten."""
    query = (
        select(_s.actor, _s.id)
        .where(_s.tenant_id == ctx.tenant, _s.forget_ms > tx.now_ms)
        .order_by(_s.updated_ms.desc(), _s.id)
        .limit(limit)
    )
    return [(str(actor), str(name)) for actor, name in tx.execute(query)]
