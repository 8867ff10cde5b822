"""Runs, definitions, approvals, agents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from gateway.schemas.base import Answer, Id, Moment, Request

Reference = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}(@[0-9]{1,9})?$")]
Inputs = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=100)]
Priority = Annotated[int, Field(ge=1, le=10)]
AgentType = Literal["supervisor", "ingestion", "analysis", "report", "action"]


class ExecuteRequest(Request):
    """One of `workflow`, `definition` and `goal`."""

    workflow: Reference | None = None
    definition: dict[str, Any] | None = None
    goal: Annotated[str | None, Field(min_length=1, max_length=4000)] = None
    inputs: Inputs = {}
    documents: Annotated[list[Id], Field(max_length=10_000)] = []
    priority: Priority = 5
    callback_url: Annotated[str | None, Field(max_length=2000)] = None
    metadata: Inputs = {}


class Links(Answer):
    status: str
    logs: str
    events: str
    why: str
    why_page: str = Field(description="for people")


class Executed(Answer):
    workflow_id: str
    status: str
    links: Links


class Progress(Answer):
    done: int
    total: int


class StepAnswer(Answer):
    step_id: str
    agent: str
    task_type: str
    status: str
    attempts: int
    started_at: Moment | None
    completed_at: Moment | None
    progress: Any = None
    waiting_for: Any = None
    error: dict[str, Any] | None = None


class RunReport(Answer):
    report_id: str
    format: str
    url: str


class RunSummary(Answer):
    workflow_id: str
    workflow: str
    version: int | None = None
    status: str
    goal: str | None = None
    priority: int
    documents: int = Field(description="how many")
    metadata: dict[str, Any]
    error: dict[str, Any] | None = None
    created_at: Moment
    started_at: Moment | None = None
    completed_at: Moment | None = None


class RunStatus(Answer):
    workflow_id: str
    workflow: str
    version: int | None = None
    goal: str | None = None
    status: str
    progress: Progress
    steps: list[StepAnswer]
    outputs: dict[str, Any]
    reports: list[RunReport]
    error: dict[str, Any] | None
    metadata: dict[str, Any]
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    usage: dict[str, Any]


class LogLine(Answer):
    at: Moment
    level: str
    step_id: str | None
    agent: str | None
    message: str
    data: dict[str, Any] | None = None


class Cause(Answer):
    """`unblock` says in words what has to happen."""

    model_config = ConfigDict(extra="allow", frozen=True)

    waiting_for: str
    unblock: str
    queue: str | None = None
    position: int | None = None
    listeners: int | None = None
    last_heartbeat: Moment | None = None
    ready_at: Moment | None = None
    expires_at: Moment | None = None


class Why(Answer):
    workflow_id: str
    status: str
    waiting: bool
    summary: str
    causes: list[Cause]


class DefinitionAnswer(Answer):
    name: str
    version: int = Field(description="0: comes with the platform")
    hash: str
    summary: str
    builtin: bool
    inputs: dict[str, Any]
    definition: dict[str, Any] | None = None
    created_by: str
    created_at: Moment | None


class Definitions(Answer):
    items: list[DefinitionAnswer]
    next_cursor: str | None = None


class Validated(Answer):
    valid: bool
    name: str
    hash: str
    inputs: dict[str, Any]


class Decision(Request):
    decision: Literal["approve", "reject"]
    comment: Annotated[str | None, Field(max_length=2000)] = None


class ApprovalAnswer(Answer):
    id: str
    workflow_id: str
    workflow: str
    kind: str = Field(description="effect or plan")
    summary: str
    status: str
    connector: str | None
    target: str | None
    request: dict[str, Any] | None = Field(description="exactly what would be sent")
    request_hash: str
    sources: list[dict[str, Any]]
    cost_micro: int
    plan: Any = None
    decided_by: str | None
    comment: str | None
    created_at: Moment
    expires_at: Moment
    decided_at: Moment | None


class TriggerRequest(Request):
    task_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    payload: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], Any],
        Field(max_length=50),
    ] = {}
    priority: Priority = 5


class Triggered(Answer):
    workflow_id: str
    step_id: str
    status: str


class AgentAnswer(Answer):
    agent_type: str
    status: str
    queue_depth: int
    running: int
    workers: int
    last_heartbeat: Moment | None
    p50_ms: float | None
    p99_ms: float | None
    failures_1h: int
    breaker: str


class AgentsAnswer(Answer):
    agents: list[AgentAnswer]
