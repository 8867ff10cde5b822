"""The short memory of a conversation: the last messages of a session, for who held it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from core.context import Ctx
from database.engine import Tx
from database.tables import chat_messages

MESSAGES_MAX = 20


@dataclass(frozen=True, slots=True)
class Message:
    role: str  # user | assistant
    content: str
    data: Mapping[str, Any]
    created_ms: int


def add(
    tx: Tx, ctx: Ctx, session_id: str, role: str, content: str, data: Mapping[str, Any]
) -> None:
    """Appends, and forgets what is older than the last `MESSAGES_MAX` messages."""
    newest = tx.execute(
        select(func.coalesce(func.max(chat_messages.c.seq), 0)).where(_is(ctx, session_id))
    ).scalar_one()
    row = {
        "tenant_id": ctx.tenant, "session_id": session_id, "seq": newest + 1, "actor": ctx.actor,
        "role": role, "content": content, "data": dict(data), "created_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(insert(chat_messages), row)
    old = chat_messages.c.seq <= newest + 1 - MESSAGES_MAX
    tx.execute(delete(chat_messages).where(_is(ctx, session_id), old))


def recent(tx: Tx, ctx: Ctx, session_id: str) -> tuple[Message, ...]:
    """Oldest first; only what this actor said and was told."""
    rows = tx.execute(
        select(chat_messages)
        .where(_is(ctx, session_id), chat_messages.c.actor == ctx.actor)
        .order_by(chat_messages.c.seq)
    )
    return tuple(Message(row.role, row.content, row.data or {}, row.created_ms) for row in rows)


def _is(ctx: Ctx, session_id: str) -> ColumnElement[bool]:
    return and_(chat_messages.c.tenant_id == ctx.tenant, chat_messages.c.session_id == session_id)
