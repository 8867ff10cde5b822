"""`/sessions`: one's own conversations. Another person's is not found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from agents.memory import sessions
from core.errors import NotFound
from database import chat
from gateway.house import Caller, permit
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Listing
from gateway.schemas.memory import MessageAnswer, SessionAnswer, SessionDetail

router = APIRouter(prefix="/sessions", tags=["memory"])
Asker = Annotated[Caller, permit("answers:read")]


@router.get("")
def listing(who: Asker, limit: Limit = 50, cursor: Cursor = None) -> Listing[SessionAnswer]:
    """The one that went on last first."""
    with who.rt.db.read(who.ctx) as tx:
        found = sessions.listing(who.rt, tx, who.ctx, limit=limit, cursor=cursor)
    return listed(found, _shown)


@router.get("/{session_id}")
def show(who: Asker, session_id: str) -> SessionDetail:
    """Its last messages, with what was cited."""
    with who.rt.db.read(who.ctx) as tx:
        session = sessions.get(who.rt, tx, who.ctx, session_id)
        said = sessions.messages(who.rt, tx, who.ctx, session_id)
    return SessionDetail(**dict(_shown(session)), messages=[_message(one) for one in said])


@router.delete("/{session_id}", status_code=204)
def delete(who: Asker, session_id: str) -> None:
    """With its messages. A summary that was made of it is erased under `/memory/summaries`."""
    with who.rt.db.transaction(who.ctx) as tx:
        if not chat.remove(tx, who.ctx, session_id):
            raise NotFound("There is no such session.")


def _shown(one: sessions.Session) -> SessionAnswer:
    return SessionAnswer.model_validate({
        "session_id": one.id, "title": one.title, "created_at": one.created_ms,
        "updated_at": one.updated_ms,
    })  # fmt: skip


def _message(one: sessions.Message) -> MessageAnswer:
    return MessageAnswer.model_validate(
        {"role": one.role, "content": one.content, "created_at": one.created_ms, **one.data}
    )
