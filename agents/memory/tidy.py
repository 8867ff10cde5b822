"""Conversations that are over: summed up when they stop being context, then forgotten."""

from __future__ import annotations

from typing import Any

from agents.memory import longterm, sessions
from agents.memory.summary import summed_up
from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import Unfinishable
from database import chat, memories
from database.chat import Due
from runtime import Runtime

_AT_ONCE = 100
_log = telemetry.log("memory")


def tidy(rt: Runtime) -> int:
    """One round over all tenants; how many conversations it moved. Any number of processes may do
    it at once: who comes second finds nothing to do."""
    with rt.db.read(PLATFORM) as tx:
        over = chat.due(tx, _AT_ONCE)
    for one in over:
        _close(rt, Ctx(one.tenant, one.actor), one)
    return len(over)


def _close(rt: Runtime, ctx: Ctx, due: Due) -> None:
    summary = {} if due.summed_up else _summary(rt, ctx, due.id)
    with rt.db.transaction(ctx, durable=False) as tx:
        if chat.note_summed_up(tx, ctx, due.id) and summary.get("turns"):
            longterm.put(rt, tx, ctx, "summaries", due.id, summary)
            memories.keep_latest(tx, ctx, "summaries", longterm.SUMMARIES_MAX)
        chat.forget(tx, ctx, due.id)


def _summary(rt: Runtime, ctx: Ctx, session_id: str) -> dict[str, Any]:
    """{} when it cannot be read: what is damaged must not keep the others waiting."""
    try:
        with rt.db.read(ctx) as tx:
            said = sessions.messages(rt, tx, ctx, session_id, forgotten=True)
            return summed_up(said, longterm.body(rt, tx, ctx, "summaries", session_id))
    except Unfinishable as error:
        _log.warning("a conversation cannot be read", tenant=ctx.tenant, code=error.slug)
        return {}
