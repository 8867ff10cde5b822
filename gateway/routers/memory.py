"""`/memory`: what is remembered of oneself, to be read, changed and erased. An admin may erase
what is remembered of somebody else, and reads none of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from agents.memory import longterm, searches
from agents.memory.longterm import Memory
from core.errors import NotFound
from database import Tx, audit, forgetting, memories
from database.memories import Kind
from gateway.house import Caller, permit
from gateway.schemas.memory import (
    FactAnswer,
    Facts,
    FactsAnswer,
    MemoryAnswer,
    Preferences,
    PreferencesAnswer,
    SearchedAnswer,
    SummaryAnswer,
    SummaryChange,
)

router = APIRouter(prefix="/memory", tags=["memory"])
Asker = Annotated[Caller, permit("answers:read")]
_ERASE_OTHERS = "users:write"


@router.get("")
def everything(who: Asker) -> MemoryAnswer:
    """All of one's own."""
    with who.rt.db.read(who.ctx) as tx:
        known = longterm.listing(who.rt, tx, who.ctx)
        searched = searches.own(who.rt, tx, who.ctx)
    one = {memory.kind: memory for memory in known if not memory.name}
    return MemoryAnswer(
        actor=who.ctx.actor,
        preferences=_preferences(who, one.get("preferences")),
        facts=_facts(who, one.get("facts")),
        summaries=[_summary(memory) for memory in known if memory.kind == "summaries"],
        searches=[SearchedAnswer(query=told.text, at=told.searched_ms) for told in searched],
    )


@router.delete("/{actor}", status_code=204)
def erase(who: Asker, actor: str) -> None:
    """Everything: conversations, summaries, preferences, facts, searches, and what was kept of
    answers."""
    own = _whose(who, actor, erasing=True)
    with who.rt.db.transaction(who.ctx) as tx:
        gone = forgetting.actor(tx, who.ctx, own)
        _erased(who, tx, own, gone > 0)


@router.get("/preferences/{actor}")
def preferences(who: Asker, actor: str) -> PreferencesAnswer:
    _whose(who, actor)
    return _preferences(who, _read(who, "preferences"))


@router.put("/preferences/{actor}")
def prefer(who: Asker, actor: str, body: Preferences) -> PreferencesAnswer:
    """Takes the place of what was preferred before."""
    _whose(who, actor)
    wishes = body.model_dump(exclude_none=True)
    with who.rt.db.transaction(who.ctx) as tx:
        longterm.put(who.rt, tx, who.ctx, "preferences", "", wishes)
    return _preferences(who, _read(who, "preferences"))


@router.delete("/preferences/{actor}", status_code=204)
def forget_preferences(who: Asker, actor: str) -> None:
    _forget(who, actor, "preferences")


@router.get("/facts/{actor}")
def facts(who: Asker, actor: str) -> FactsAnswer:
    _whose(who, actor)
    return _facts(who, _read(who, "facts"))


@router.put("/facts/{actor}")
def save_facts(who: Asker, actor: str, body: Facts) -> FactsAnswer:
    _whose(who, actor)
    with who.rt.db.transaction(who.ctx) as tx:
        known = longterm.body(who.rt, tx, who.ctx, "facts", lock=True).get("facts", [])
        told = {fact["id"]: fact["at_ms"] for fact in known}
        kept = [longterm.fact(one.text, told.get(one.id or "", tx.now_ms)) for one in body.facts]
        for fact, one in zip(kept, body.facts, strict=True):
            fact["id"] = one.id if one.id in told else fact["id"]
        longterm.put(who.rt, tx, who.ctx, "facts", "", {"facts": kept})
    return _facts(who, _read(who, "facts"))


@router.delete("/facts/{actor}", status_code=204)
def forget_facts(who: Asker, actor: str) -> None:
    _forget(who, actor, "facts")


@router.delete("/facts/{actor}/{fact_id}", status_code=204)
def forget_fact(who: Asker, actor: str, fact_id: str) -> None:
    """One of them; only of one's own."""
    _whose(who, actor)
    with who.rt.db.transaction(who.ctx) as tx:
        longterm.remove_fact(who.rt, tx, who.ctx, fact_id)


@router.get("/summaries/{actor}/{session_id}")
def summary(who: Asker, actor: str, session_id: str) -> SummaryAnswer:
    _whose(who, actor)
    with who.rt.db.read(who.ctx) as tx:
        return _summary(longterm.get(who.rt, tx, who.ctx, "summaries", session_id))


@router.put("/summaries/{actor}/{session_id}")
def edit_summary(who: Asker, actor: str, session_id: str, body: SummaryChange) -> SummaryAnswer:
    _whose(who, actor)
    with who.rt.db.transaction(who.ctx) as tx:
        longterm.get(who.rt, tx, who.ctx, "summaries", session_id)
        told = {"text": body.text, "edited": True, "edited_ms": tx.now_ms, "turns": []}
        longterm.put(who.rt, tx, who.ctx, "summaries", session_id, told)
        return _summary(longterm.get(who.rt, tx, who.ctx, "summaries", session_id))


@router.delete("/summaries/{actor}/{session_id}", status_code=204)
def forget_summary(who: Asker, actor: str, session_id: str) -> None:
    _forget(who, actor, "summaries", session_id)


def _whose(who: Caller, actor: str, *, erasing: bool = False) -> str:
    """The actor's name. Another one is not found, but by an admin who erases."""
    if actor in ("me", who.ctx.actor):
        return who.ctx.actor
    if erasing and _ERASE_OTHERS in who.ctx.scopes:
        return actor
    raise _nothing()


def _forget(who: Caller, actor: str, kind: Kind, name: str = "") -> None:
    own = _whose(who, actor, erasing=True)
    with who.rt.db.transaction(who.ctx) as tx:
        _erased(who, tx, own, memories.remove(tx, who.ctx, own, kind, name), named=bool(name))


def _erased(who: Caller, tx: Tx, actor: str, any_: bool, *, named: bool = False) -> None:
    """One's own that is empty already is no mistake; somebody else's tells nothing. What an admin
    erases is written down."""
    if actor != who.ctx.actor and any_:
        audit.record(tx, who.ctx, "memory.erase", actor)
    elif (actor != who.ctx.actor or named) and not any_:
        raise _nothing()


def _nothing() -> NotFound:
    return NotFound("Nothing is remembered there.")


def _read(who: Caller, kind: Kind) -> Memory | None:
    with who.rt.db.read(who.ctx) as tx:
        return next(iter(longterm.listing(who.rt, tx, who.ctx, kind)), None)


def _preferences(who: Caller, known: Memory | None) -> PreferencesAnswer:
    told = known.body if known else {}
    return PreferencesAnswer.model_validate({
        "path": f"/preferences/{who.ctx.actor}", **told,
        "updated_at": known.updated_ms if known else None,
    })  # fmt: skip


def _facts(who: Caller, known: Memory | None) -> FactsAnswer:
    told = known.body["facts"] if known else []
    rows = [{"id": one["id"], "text": one["text"], "told_at": one["at_ms"]} for one in told]
    return FactsAnswer.model_validate({
        "path": f"/facts/{who.ctx.actor}", "updated_at": known.updated_ms if known else None,
        "facts": [FactAnswer.model_validate(row) for row in rows],
    })  # fmt: skip


def _summary(known: Memory) -> SummaryAnswer:
    turns = [{**turn, "at": turn["at_ms"]} for turn in known.body["turns"]]
    return SummaryAnswer.model_validate({
        "path": known.path, "session_id": known.name, "text": known.body["text"],
        "edited": known.body["edited"], "turns": turns, "created_at": known.created_ms,
        "updated_at": known.updated_ms,
    })  # fmt: skip
