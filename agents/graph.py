"""The supervisor's graph: pure nodes over step ids and verdicts. Imported at the first decision.

start ─ dispatch ⇄ decide, and from dispatch to the end
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from workflows.definitions import Definition, Step

DONE = frozenset({"completed", "skipped"})
OPEN = frozenset({"running", "waiting", "waiting_approval"})
Next = Command[Literal["decide", "__end__"]]
TRAIL_MAX = 64
STILL_MAX = 5  # decisions in a row about one and the same state
RETURNS_MAX = 5  # times a run may come back to a state that it had left


class State(TypedDict, total=False):
    verdicts: dict[str, str]  # step id -> status, as the engine reports it
    trail: list[str]  # fingerprints of the verdicts at the last decisions
    candidates: list[str]
    start: list[str]
    skip: list[str]
    end: str | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Context:
    """What a node may look at beside the state; never saved."""

    definition: Definition
    holds: Callable[[str], bool]


def build() -> Any:
    """The compiled graph. Few nodes are visited each time, and each says itself where to go on:
    a visit costs more than all that the node does, and so does an edge with a condition."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("dispatch", dispatch)
    graph.add_node("decide", decide)
    graph.add_edge(START, "dispatch")
    graph.add_edge("decide", "dispatch")
    return graph.compile()


# --- nodes ---------------------------------------------------------------------------------------


def dispatch(state: State, runtime: Runtime[Context]) -> Next:
    """Everything whose needs are over starts; what has a condition is a candidate first. The same
    state again and again, or to and fro, ends the run by name."""
    definition = runtime.context.definition
    fresh = not state["start"] and not state["skip"]
    trail = [*state["trail"], now(state)][-TRAIL_MAX:] if fresh else state["trail"]
    problem = caught(trail)
    if problem:
        return Command(update={"trail": trail, "end": "failed", "error": problem}, goto="__end__")
    new: State = {**_started(state, definition), "trail": trail}
    status, key = outcome(definition, new["verdicts"])
    if status == "completed" and new["candidates"]:
        return Command(update=new, goto="decide")
    if status != "completed" or not any(v in OPEN for v in new["verdicts"].values()):
        new.update(_finished(status, key, new["verdicts"]))
    return Command(update=new, goto="__end__")


def _started(state: State, definition: Definition) -> State:
    found = ready(definition, state)
    start = [step.id for step in found if not step.when]
    return {
        "verdicts": {**state["verdicts"], **dict.fromkeys(start, "running")},
        "start": [*state["start"], *start],
        "candidates": [step.id for step in found if step.when],
    }


def _finished(status: str, key: str | None, verdicts: dict[str, str]) -> State:
    """Nothing can start and nothing runs, or a step has decided it: how did it go?"""
    if status == "completed":
        return {"end": status, "error": None}
    detail = f"Step {key!r} ended as {verdicts.get(key or '')!r}."
    return {"end": status, "error": {"code": "step_failed", "detail": detail, "step_id": key}}


def decide(state: State, runtime: Runtime[Context]) -> State:
    """The conditions of the candidates: start those that hold, skip the others."""
    context = runtime.context
    steps = context.definition.by_id
    chosen = [key for key in state["candidates"] if context.holds(steps[key].when or "true")]
    refused = [key for key in state["candidates"] if key not in chosen]
    changes = {**dict.fromkeys(chosen, "running"), **dict.fromkeys(refused, "skipped")}
    return {
        "verdicts": {**state["verdicts"], **changes},
        "start": [*state["start"], *chosen],
        "skip": [*state["skip"], *refused],
        "candidates": [],
    }


# --- rules ---------------------------------------------------------------------------------------


def ready(definition: Definition, state: State) -> list[Step]:
    verdicts = state["verdicts"]
    return [
        step
        for step in definition.steps
        if verdicts.get(step.id, "pending") == "pending"
        and all(satisfied(definition, verdicts, need) for need in step.needs)
    ]


def satisfied(definition: Definition, verdicts: dict[str, str], key: str) -> bool:
    """Over, and not in a way that stops what comes after."""
    verdict = verdicts.get(key)
    allowed = verdict == "failed" and definition.by_id[key].on_error == "continue"
    return verdict in DONE or allowed


def outcome(definition: Definition, verdicts: dict[str, str]) -> tuple[str, str | None]:
    """(status of the run as far as it is known, the step that decides it)."""
    for step in definition.steps:
        verdict = verdicts.get(step.id)
        if verdict == "needs_review":
            return "needs_review", step.id
        if verdict == "failed" and step.on_error != "continue":
            return "failed", step.id
        if verdict == "cancelled":
            return "failed", step.id
    return "completed", None


def now(state: State) -> str:
    """A fingerprint of the verdicts."""
    text = json.dumps(sorted(state["verdicts"].items())).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def caught(trail: list[str]) -> dict[str, Any] | None:
    """`no_progress`: the last decisions were about one and the same state; `oscillation`: the run
    keeps coming back to a state that it had left."""
    now = trail[-1]
    still = 0
    for earlier in reversed(trail):
        if earlier != now:
            break
        still += 1
    if still > STILL_MAX:
        detail = f"{still} decisions in a row without any change."
        return {"code": "no_progress", "detail": detail}
    visits = sum(
        1 for index, seen in enumerate(trail)
        if seen == now and (index == 0 or trail[index - 1] != now)
    )  # fmt: skip
    if visits > RETURNS_MAX:
        detail = f"The run came back to the same state {visits} times."
        return {"code": "oscillation", "detail": detail}
    return None
