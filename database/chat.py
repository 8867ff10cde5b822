"""Conversations: a person's sessions and their last messages, sealed by who writes them.

A session belongs to one actor: the same id in another's hands is another session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, delete, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from database.engine import Tx
from database.inserts import if_absent
from database.pages import Page, page
from database.tables import chat_messages, chat_sessions

MESSAGES_MAX = 20
_s, _m = chat_sessions.c, chat_messages.c


@dataclass(frozen=True, slots=True)
class SessionRow:
    """`title` is sealed."""

    id: str
    title: bytes
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    role: str  # user | assistant
    sealed: bytes
    created_ms: int


@dataclass(frozen=True, slots=True)
class Due:
    """A session that is over, to be summed up; `summed_up`: to be forgotten."""

    tenant: str
    actor: str
    id: str
    summed_up: bool


def add(
    tx: Tx,
    ctx: Ctx,
    session_id: str,
    title: bytes,
    messages: Sequence[tuple[str, bytes]],
    *,
    context_ms: int,
    forget_ms: int,
) -> None:
    """Appends `(role, sealed)`, and forgets what is older than the last `MESSAGES_MAX`. `title`
    counts for a new session only. A session that was forgotten begins anew."""
    forget(tx, ctx, session_id)
    times = {
        "updated_ms": tx.now_ms, "due_ms": tx.now_ms + context_ms,
        "forget_ms": tx.now_ms + max(context_ms, forget_ms), "summed_up_ms": None,
    }  # fmt: skip
    first = {
        "tenant_id": ctx.tenant, "actor": ctx.actor, "id": session_id, "title": title, "seq": 0,
        "created_ms": tx.now_ms, **times,
    }  # fmt: skip
    tx.execute(if_absent(tx, chat_sessions), first)
    counted = update(chat_sessions).where(_is(ctx, session_id))
    counted = counted.values(seq=_s.seq + len(messages), **times)
    last = tx.execute(counted.returning(_s.seq)).scalar_one()
    rows = [
        {"tenant_id": ctx.tenant, "actor": ctx.actor, "session_id": session_id, "role": role,
         "seq": last - len(messages) + n, "sealed": sealed, "created_ms": tx.now_ms}
        for n, (role, sealed) in enumerate(messages, 1)
    ]  # fmt: skip
    tx.execute(insert(chat_messages), rows)
    tx.execute(delete(chat_messages).where(_of(ctx, session_id), _m.seq <= last - MESSAGES_MAX))


def get(tx: Tx, ctx: Ctx, session_id: str) -> SessionRow:
    query = select(chat_sessions).where(_is(ctx, session_id), _s.forget_ms > tx.now_ms)
    row = tx.execute(query).first()
    if row is None:
        raise NotFound("There is no such session.")
    return _session(row)


def listing(tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[SessionRow]:
    """This actor's own, the one that went on last first."""
    query = select(chat_sessions).where(
        _s.tenant_id == ctx.tenant, _s.actor == ctx.actor, _s.forget_ms > tx.now_ms
    )
    return page(tx, query, (_s.updated_ms, _s.id), _session, limit=limit, cursor=cursor)


def messages(
    tx: Tx, ctx: Ctx, session_id: str, *, since_ms: int = 0, forgotten: bool = False
) -> tuple[MessageRow, ...]:
    """Oldest first; only what this actor said and was told. Of a session that nobody may read any
    more only with `forgotten`: to sum it up, once."""
    query = (
        select(_m.role, _m.sealed, _m.created_ms)
        .join(chat_sessions, and_(
            _s.tenant_id == _m.tenant_id, _s.actor == _m.actor, _s.id == _m.session_id,
        ))
        .where(_of(ctx, session_id), _m.created_ms > since_ms)
        .order_by(_m.seq)
    )  # fmt: skip
    if not forgotten:
        query = query.where(_s.forget_ms > tx.now_ms)
    return tuple(MessageRow(*row) for row in tx.execute(query))


def remove(tx: Tx, ctx: Ctx, session_id: str) -> bool:
    """With its messages; whether there was one."""
    tx.execute(delete(chat_messages).where(_of(ctx, session_id)))
    return tx.execute(delete(chat_sessions).where(_is(ctx, session_id))).rowcount > 0


def forget(tx: Tx, ctx: Ctx, session_id: str) -> None:
    """When its time is over, and not if it has begun anew meanwhile."""
    tx.execute(delete(chat_sessions).where(_is(ctx, session_id), _s.forget_ms <= tx.now_ms))


def erase(tx: Tx, ctx: Ctx, actor: str) -> int:
    """Everything that this actor said and was told; how many sessions that were."""
    tx.execute(delete(chat_messages).where(_m.tenant_id == ctx.tenant, _m.actor == actor))
    mine = (_s.tenant_id == ctx.tenant, _s.actor == actor)
    return tx.execute(delete(chat_sessions).where(*mine)).rowcount


def retime(tx: Tx, ctx: Ctx, *, context_ms: int, forget_ms: int) -> None:
    """The tenant's durations have changed: they count for conversations that are there, too."""
    forgotten = max(context_ms, forget_ms)
    tx.execute(
        update(chat_sessions)
        .where(_s.tenant_id == ctx.tenant)
        .values(
            due_ms=_s.updated_ms + case((_s.summed_up_ms.is_(None), context_ms), else_=forgotten),
            forget_ms=_s.updated_ms + forgotten,
        )
    )


def due(tx: Tx, limit: int) -> list[Due]:
    """Over all tenants, the longest over first: sessions to be summed up or forgotten."""
    query = select(_s.tenant_id, _s.actor, _s.id, _s.summed_up_ms).where(_s.due_ms <= tx.now_ms)
    rows = tx.execute(query.order_by(_s.due_ms).limit(limit)).fetchall()
    return [Due(tenant, actor, name, summed is not None) for tenant, actor, name, summed in rows]


def note_summed_up(tx: Tx, ctx: Ctx, session_id: str) -> bool:
    """False when the session has gone on meanwhile, or is gone: then there is nothing to write."""
    done = tx.execute(
        update(chat_sessions)
        .where(_is(ctx, session_id), _s.due_ms <= tx.now_ms, _s.summed_up_ms.is_(None))
        .values(summed_up_ms=tx.now_ms, due_ms=_s.forget_ms)
    )
    return done.rowcount == 1


def _session(row: object) -> SessionRow:
    names = ("id", "title", "created_ms", "updated_ms")
    return SessionRow(*(getattr(row, name) for name in names))


def _is(ctx: Ctx, session_id: str) -> ColumnElement[bool]:
    return and_(_s.tenant_id == ctx.tenant, _s.actor == ctx.actor, _s.id == session_id)


def _of(ctx: Ctx, session_id: str) -> ColumnElement[bool]:
    return and_(_m.tenant_id == ctx.tenant, _m.actor == ctx.actor, _m.session_id == session_id)
