"""The supervisor: a LangGraph graph decides what a run does next, and nothing else does.

The engine asks at decision points only and walks in between; LangGraph is imported at the first.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from core.context import Ctx
from database import Tx
from database.dispatch import Claim
from workflows.supervision import Decision, RunView

_lock = threading.Lock()


class Supervisor:
    """`decide` for the engine. The graph is compiled once, at the first decision."""

    def __init__(self) -> None:
        self._graph: Any = None

    def decide(self, tx: Tx, ctx: Ctx, claim: Claim, view: RunView) -> Decision:
        """Runs the graph on the run's thread and keeps its checkpoint in `tx`, under the fence."""
        graph = self._compiled()
        from agents.checkpointer import RunCheckpointer
        from agents.graph import Context, State

        saver = RunCheckpointer(tx, ctx, claim, fresh=view.first)
        new: State = {
            "verdicts": dict(view.verdicts), "trail": saver.values().get("trail", []),
            "candidates": [], "start": [], "skip": [], "end": None, "error": None,
        }  # fmt: skip
        state: State = graph.invoke(
            new, {"recursion_limit": 400}, context=Context(view.definition, view.holds)
        )
        saver.keep(dict(state))
        saver.save()
        return Decision(
            tuple(state["start"]), tuple(state["skip"]), state["end"], state.get("error")
        )

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
