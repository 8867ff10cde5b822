"""The three paths of long-term memory, for the actor that they are of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.memory import sealed, withheld
from agents.memory.summary import without
from core.context import Ctx
from core.errors import NotFound
from core.ids import new_id
from database import Tx, memories
from database.memories import Kind, MemoryRow
from runtime import Runtime

FACTS_MAX = 100
SUMMARIES_MAX = 200
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Memory:
    """`body`: of preferences {language, length, format}; of facts {facts: [{id, text, at_ms}]}; of
    a summary {text, edited, turns: [{question, sentences, citations, at_ms}]}."""

    kind: Kind
    actor: str
    name: str
    body: Mapping[str, Any]
    created_ms: int
    updated_ms: int

    @property
    def path(self) -> str:
        return "/".join(("", self.kind, self.actor, *([self.name] if self.name else [])))


def listing(rt: Runtime, tx: Tx, ctx: Ctx, *kinds: Kind) -> list[Memory]:
    """Of the actor who asks; no kinds: all."""
    return [_opened(rt, tx, ctx, row) for row in memories.of_actor(tx, ctx, *kinds)]


def get(rt: Runtime, tx: Tx, ctx: Ctx, kind: Kind, name: str = "") -> Memory:
    """Raises `NotFound` for what is not remembered."""
    row = memories.get(tx, ctx, kind, name)
    if row is None:
        raise NotFound("Nothing is remembered there.")
    return _opened(rt, tx, ctx, row)


def body(rt: Runtime, tx: Tx, ctx: Ctx, kind: Kind, name: str = "", *, lock: bool = False) -> Any:
    """{} for what is not remembered."""
    row = memories.get(tx, ctx, kind, name, lock=lock)
    return _opened(rt, tx, ctx, row).body if row is not None else {}


def put(rt: Runtime, tx: Tx, ctx: Ctx, kind: Kind, name: str, told: Mapping[str, Any]) -> None:
    memories.put(tx, ctx, kind, name, sealed.close(rt, ctx, _place(ctx, kind, name), told))


def prefer(rt: Runtime, tx: Tx, ctx: Ctx, wishes: Mapping[str, str]) -> None:
    """Over what was preferred before."""
    known = body(rt, tx, ctx, "preferences", lock=True)
    put(rt, tx, ctx, "preferences", "", {**known, **wishes})


def add_facts(rt: Runtime, tx: Tx, ctx: Ctx, texts: Sequence[str]) -> None:
    """Told again, a fact counts as told now; above `FACTS_MAX` the oldest go."""
    known = body(rt, tx, ctx, "facts", lock=True).get("facts", [])
    again = {_plain(text) for text in texts}
    kept = [fact for fact in known if _plain(fact["text"]) not in again]
    fresh = [fact(text, tx.now_ms) for text in texts]
    put(rt, tx, ctx, "facts", "", {"facts": [*kept, *fresh][-FACTS_MAX:]})


def fact(text: str, at_ms: int) -> dict[str, Any]:
    return {"id": new_id(), "text": text, "at_ms": at_ms}


def remove_fact(rt: Runtime, tx: Tx, ctx: Ctx, fact_id: str) -> None:
    """Raises `NotFound`."""
    known = body(rt, tx, ctx, "facts", lock=True).get("facts", [])
    kept = [one for one in known if one["id"] != fact_id]
    if len(kept) == len(known):
        raise NotFound("Nothing is remembered there.")
    put(rt, tx, ctx, "facts", "", {"facts": kept})


def _opened(rt: Runtime, tx: Tx, ctx: Ctx, row: MemoryRow) -> Memory:
    told = sealed.open_(rt, ctx, _place(ctx, row.kind, row.name), row.sealed)
    if row.kind == "summaries":
        cited = (turn["citations"] for turn in told.get("turns", ()))
        if gone := withheld.deleted(tx, ctx, cited):
            told = without(told, gone)
    return Memory(row.kind, ctx.actor, row.name, told, row.created_ms, row.updated_ms)


def _place(ctx: Ctx, kind: Kind, name: str) -> str:
    return f"{kind}/{ctx.actor}/{name}"


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" .").casefold()
