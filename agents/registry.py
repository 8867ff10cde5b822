"""Every task of every agent, and the supervisor: what the engine works with."""

from __future__ import annotations

import importlib

from agents import expiring
from agents.listening import listen
from agents.memory import searches, tidy
from agents.planner import plan_task
from agents.supervisor import Supervisor
from workflows import retention
from workflows.supervision import Agents
from workflows.tasks import Catalog, Done, TaskSpec, Work

AGENT_TYPES = ("supervisor", "ingestion", "analysis", "report", "action")
# Their modules end with `TASKS`.
_MODULES = (
    "agents.ingestion", "agents.pulling", "agents.calling", "agents.analysis_fields",
    "agents.analysis_answers", "agents.report", "agents.action", "agents.changing",
)  # fmt: skip


def noop(work: Work) -> Done:
    """Gives back what it got: for measuring and for tests."""
    return Done(dict(work.message.payload))


OWN = (
    TaskSpec("supervisor", "noop", noop, "gives back what it gets"),
    TaskSpec(
        "supervisor", "plan", plan_task, "plans a goal in words into a definition",
        {"goal": "the goal in words", "documents?": "ids of the documents it is about"},
    ),
)  # fmt: skip


def _collected() -> list[TaskSpec]:
    found = list(OWN)
    for name in _MODULES:
        found.extend(importlib.import_module(name).TASKS)
    return found


AGENTS = Agents(
    Catalog(_collected()),
    Supervisor(),
    chores=(tidy.tidy, searches.tidy, expiring.tidy, retention.tidy),
    beside=(listen,),
)
