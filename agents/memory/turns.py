"""One question and its answer within what is remembered: read before, written after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.answers.context import in_context
from agents.answers.style import Style
from agents.answers.values import Answer, Question, Told
from agents.answers.words import stems
from agents.memory import longterm, sessions
from agents.memory.durations import Durations, durations
from agents.memory.stated import Stated, stated
from core.context import Ctx
from core.ids import new_id
from database import Tx, tenants
from runtime import Runtime
from vectorstore.words import STOP, fold

_TOLD_MAX = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """`text` is what is to be answered, together with what it points back at; empty when the
    person only told us something."""

    text: str
    session_id: str
    style: Style
    said: Stated
    facts: tuple[Told, ...]
    durations: Durations

    @property
    def is_told(self) -> bool:
        """Nothing was asked."""
        return self.said.anything and not self.text


def begun(rt: Runtime, ctx: Ctx, question: Question) -> Turn:
    said = stated(question.text)
    session_id = question.session_id or new_id()
    with rt.db.read(ctx) as tx:
        told = durations(rt.settings, tenants.own(tx, ctx).config)
        earlier = sessions.context(rt, tx, ctx, session_id, told) if question.session_id else ()
        wishes, facts = _remembered(rt, tx, ctx)
    style = Style.of({**wishes, **said.preferences})
    asked_before = [one.content for one in earlier if one.role == "user"]
    text = in_context(said.rest, [stated(one).rest or one for one in asked_before])
    return Turn(text, session_id, style, said, facts, told)


def _remembered(rt: Runtime, tx: Tx, ctx: Ctx) -> tuple[Mapping[str, Any], tuple[Told, ...]]:
    known = {one.kind: one.body for one in longterm.listing(rt, tx, ctx, "preferences", "facts")}
    facts = known.get("facts", {}).get("facts", [])
    told = tuple(Told(one["id"], one["text"], one["at_ms"]) for one in facts)
    return known.get("preferences", {}), told


def noted() -> Answer:
    """Nothing was asked."""
    return Answer(False, "noted")


def ended(rt: Runtime, ctx: Ctx, turn: Turn, question: str, answer: Answer) -> Answer:
    """As this person wants it, with what they told us about it; and remembered."""
    told = relevant(turn.text, turn.facts)
    shown = replace(
        answer, session_id=turn.session_id, style=turn.style, told=told,
        remembered=_paths(ctx, turn.said),
    )  # fmt: skip
    if turn.said.facts and not turn.text:
        shown = replace(shown, told=tuple(Told("", text) for text in turn.said.facts))
    if turn.style.length == "short":
        shown = shown.shortened()
    with rt.db.transaction(ctx, durable=turn.said.anything) as tx:
        if turn.said.preferences:
            longterm.prefer(rt, tx, ctx, turn.said.preferences)
        if turn.said.facts:
            longterm.add_facts(rt, tx, ctx, turn.said.facts)
        data = {name: shown.to_json()[name] for name in
                ("answered", "route", "sentences", "citations", "told")}  # fmt: skip
        sessions.add_turn(rt, tx, ctx, turn.session_id, question, shown.text, data, turn.durations)
    return shown


def _paths(ctx: Ctx, said: Stated) -> tuple[str, ...]:
    kinds = ("preferences" if said.preferences else "", "facts" if said.facts else "")
    return tuple(f"/{kind}/{ctx.actor}" for kind in kinds if kind)


def relevant(text: str, facts: Sequence[Told]) -> tuple[Told, ...]:
    """Facts that share at least half of the question's words, the nearest first."""
    asked = stems(" ".join(word for word in text.split() if fold(word).strip("?!.,") not in STOP))
    if not asked:
        return ()
    scored = [(len(asked & stems(one.text)) / len(asked), one) for one in facts]
    near = sorted((pair for pair in scored if pair[0] >= 0.5), key=lambda pair: -pair[0])
    return tuple(one for _, one in near[:_TOLD_MAX])
