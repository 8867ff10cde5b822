"""Facts and messages that travel between rooms and processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that has been committed; `seq` orders a tenant's events and resumes a stream."""

    seq: int
    tenant: str
    run_id: str | None
    type: str  # "workflow.submitted", "step.completed", ...
    at_ms: int
    data: dict[str, Any] = field(default_factory=dict)
    traceparent: str | None = None  # of the request that asked for the run (W3C Trace Context)


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What the supervisor hands to an agent (requirement WF2)."""

    agent_id: str
    workflow_id: str
    task_type: str
    payload: dict[str, Any]
    priority: int
    timestamp: int  # ms since the epoch
