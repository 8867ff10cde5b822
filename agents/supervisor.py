"""The supervisor: a LangGraph graph decides what a run does next, and nothing else does.

The engine asks at decision points only and walks in between; LangGraph is imported at the first.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from core.context import Ctx
from database import Tx
from database.dispatch import Claim
from workflows.supervision import Decision, RunView

_lock = threading.Lock()
REMEMBERED = 512  # decisions


class Supervisor:
    """`decide` for the engine. The graph is compiled once, at the first decision."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._known: OrderedDict[tuple[Any, ...], Mapping[str, Any]] = OrderedDict()

    def decide(self, tx: Tx, ctx: Ctx, claim: Claim, view: RunView) -> Decision:
        """Runs the graph on the run's thread and keeps its checkpoint in `tx`, under the fence."""
        graph = self._compiled()
        from agents.checkpointer import RunCheckpointer

        saver = RunCheckpointer(tx, ctx, claim, fresh=view.first)
        state = self._decided(graph, view, saver.values().get("trail", []))
        saver.keep(dict(state))
        saver.save()
        return Decision(
            tuple(state["start"]), tuple(state["skip"]), state["end"], state.get("error")
        )

    def _decided(self, graph: Any, view: RunView, trail: list[str]) -> Mapping[str, Any]:
        """What the graph makes of it. Its nodes are pure: where no condition was looked at, the
        same definition at the same point gets the same decision, so it is thought of once."""
        key = (view.definition.hash, *sorted(view.verdicts.items()), *trail)
        with _lock:
            if known := self._known.get(key):
                self._known.move_to_end(key)
                return known
        from agents.graph import Context, State

        asked = False

        def holds(text: str) -> bool:
            nonlocal asked
            asked = True
            return view.holds(text)

        new: State = {
            "verdicts": dict(view.verdicts), "trail": trail,
            "candidates": [], "start": [], "skip": [], "end": None, "error": None,
        }  # fmt: skip
        context = Context(view.definition, holds)
        state: State = graph.invoke(new, {"recursion_limit": 400}, context=context)
        if not asked:
            with _lock:
                self._known[key] = state
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return state

    def warm(self) -> None:
        """Imports LangGraph and compiles now, rather than at the first decision."""
        self._compiled()

    def _compiled(self) -> Any:
        with _lock:
            if self._graph is None:
                # Whatever a developer's shell says: no run is told to LangGraph's maker.
                os.environ["LANGSMITH_TRACING_V2"] = os.environ["LANGSMITH_TRACING"] = "false"
                from agents.graph import build

                self._graph = build()
        return self._graph
