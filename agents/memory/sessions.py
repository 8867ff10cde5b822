"""A person's conversations: the last messages of each, as context and to be read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.memory import sealed, withheld
from agents.memory.durations import Durations
from core.context import Ctx
from database import Tx, chat
from database.chat import MessageRow, SessionRow
from database.pages import Page
from runtime import Runtime

TITLE_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    title: str
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Message:
    """`data` of an assistant's: {answered, route, sentences, citations, told}."""

    role: str  # user | assistant
    content: str
    data: Mapping[str, Any]
    created_ms: int


def add_turn(
    rt: Runtime,
    tx: Tx,
    ctx: Ctx,
    session_id: str,
    question: str,
    answer: str,
    data: Mapping[str, Any],
    told: Durations,
) -> None:
    """The question and what was answered."""
    place = _place(ctx, session_id)
    title = sealed.close(rt, ctx, f"{place}/title", question[:TITLE_CHARS_MAX])
    said = {"content": question, "data": {}}, {"content": answer, "data": dict(data)}
    messages = [
        (role, sealed.close(rt, ctx, f"{place}/{role}", one))
        for role, one in zip(("user", "assistant"), said, strict=True)
    ]
    chat.add(
        tx, ctx, session_id, title, messages,
        context_ms=told.context_ms, forget_ms=told.forget_ms,
    )  # fmt: skip


def context(rt: Runtime, tx: Tx, ctx: Ctx, session_id: str, told: Durations) -> tuple[Message, ...]:
    """Oldest first: what was said within the tenant's context duration."""
    return _opened_all(
        rt, tx, ctx, session_id,
        chat.messages(tx, ctx, session_id, since_ms=tx.now_ms - told.context_ms),
    )  # fmt: skip


def messages(
    rt: Runtime, tx: Tx, ctx: Ctx, session_id: str, *, forgotten: bool = False
) -> tuple[Message, ...]:
    """Oldest first: all that is not forgotten yet (see `chat.messages`)."""
    rows = chat.messages(tx, ctx, session_id, forgotten=forgotten)
    return _opened_all(rt, tx, ctx, session_id, rows)


def get(rt: Runtime, tx: Tx, ctx: Ctx, session_id: str) -> Session:
    """Raises `NotFound`, for another person's session too."""
    return _opened(rt, ctx, chat.get(tx, ctx, session_id))


def listing(
    rt: Runtime, tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None
) -> Page[Session]:
    found = chat.listing(tx, ctx, limit=limit, cursor=cursor)
    return Page(tuple(_opened(rt, ctx, row) for row in found.items), found.next_cursor)


def _opened_all(
    rt: Runtime, tx: Tx, ctx: Ctx, session_id: str, rows: Sequence[MessageRow]
) -> tuple[Message, ...]:
    place = _place(ctx, session_id)
    said = tuple(
        Message(row.role, **sealed.open_(rt, ctx, f"{place}/{row.role}", row.sealed),
                created_ms=row.created_ms)
        for row in rows
    )  # fmt: skip
    gone = withheld.deleted(tx, ctx, (one.data.get("citations", ()) for one in said))
    return tuple(_withheld(one) if _rests_on(one, gone) else one for one in said)


def _rests_on(one: Message, gone: frozenset[str]) -> bool:
    return withheld.rests_on(one.data.get("citations", ()), gone)


def _withheld(one: Message) -> Message:
    return replace(one, content=withheld.WORDS, data={"answered": False})


def _opened(rt: Runtime, ctx: Ctx, row: SessionRow) -> Session:
    title = sealed.open_(rt, ctx, f"{_place(ctx, row.id)}/title", row.title)
    return Session(row.id, title, row.created_ms, row.updated_ms)


def _place(ctx: Ctx, session_id: str) -> str:
    return f"chat/{ctx.actor}/{session_id}"
