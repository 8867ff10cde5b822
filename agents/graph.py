"""The supervisor's graph: pure nodes over step ids and verdicts. Imported at the first decision.

start ─ plan ─ dispatch ⇄ decide ─ finish
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from workflows.definitions import Definition, Step

DONE = frozenset({"completed", "skipped"})
OPEN = frozenset({"running", "waiting", "waiting_approval"})
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
    """The compiled graph; a checkpointer is bound for each decision."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("plan", plan)
    graph.add_node("dispatch", dispatch)
    graph.add_node("decide", decide)
    graph.add_node("finish", finish)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", after_plan, {"dispatch": "dispatch", "end": END})
    graph.add_conditional_edges(
        "dispatch", after_dispatch, {"decide": "decide", "finish": "finish", "end": END}
    )
    graph.add_edge("decide", "dispatch")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=True)


# --- nodes ---------------------------------------------------------------------------------------


def plan(state: State) -> State:
    """Loop safety: the same state again and again, or to and fro, ends the run by name."""
    print_ = fingerprint(state["verdicts"])
    trail = [*state.get("trail", ()), print_][-TRAIL_MAX:]
    problem = caught(trail)
    if problem:
        return {"trail": trail, "end": "failed", "error": problem}
    return {"trail": trail}


def dispatch(state: State, runtime: Runtime[Context]) -> State:
    """Everything whose needs are over starts; what has a condition is a candidate first."""
    found = ready(runtime.context.definition, state)
    start = [step.id for step in found if not step.when]
    return {
        "verdicts": {**state["verdicts"], **dict.fromkeys(start, "running")},
        "start": [*state["start"], *start],
        "candidates": [step.id for step in found if step.when],
    }


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


def finish(state: State, runtime: Runtime[Context]) -> State:
    """Nothing can start and nothing runs: how did it go?"""
    status, key = outcome(runtime.context.definition, state["verdicts"])
    if status == "completed":
        return {"end": status, "error": None}
    detail = f"Step {key!r} ended as {state['verdicts'].get(key or '')!r}."
    return {"end": status, "error": {"code": "step_failed", "detail": detail, "step_id": key}}


# --- edges and rules -----------------------------------------------------------------------------


def after_plan(state: State) -> str:
    return "end" if state.get("end") else "dispatch"


def after_dispatch(state: State, runtime: Runtime[Context]) -> str:
    status, _ = outcome(runtime.context.definition, state["verdicts"])
    if status != "completed":
        return "finish"
    if state["candidates"]:
        return "decide"
    return "end" if any(v in OPEN for v in state["verdicts"].values()) else "finish"


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


def fingerprint(verdicts: dict[str, str]) -> str:
    text = json.dumps(sorted(verdicts.items())).encode()
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
