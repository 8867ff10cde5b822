"""`/agents`: how they are, and one task of one of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from agents import status
from agents.registry import AGENTS
from core.errors import InvalidInput
from database.runs import Run
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.references import own_documents
from gateway.schemas.workflows import (
    AgentAnswer,
    AgentsAnswer,
    AgentType,
    Triggered,
    TriggerRequest,
)
from workflows.submission import Submission, submit

router = APIRouter(prefix="/agents", tags=["agents"])


@router.get("/status")
def show(who: Annotated[Caller, permit("agents:read")]) -> AgentsAnswer:
    """Queue depth, workers and latency of each agent, for this tenant's work."""
    found = status.agents(who.rt, who.ctx)
    return AgentsAnswer(agents=[AgentAnswer.model_validate(one) for one in found])


@router.post("/{agent_type}/trigger", status_code=202, response_model=Triggered)
def trigger(
    who: Annotated[Caller, permit("agents:trigger")], once: Creating, agent_type: AgentType,
    body: TriggerRequest,
) -> Response:  # fmt: skip
    """A run of a single step."""
    return once.within(who, body, lambda keep: _trigger(who, agent_type, body, keep), status=202)


def _trigger(who: Caller, agent: str, body: TriggerRequest, keep: Keep) -> Triggered:
    if AGENTS.catalog.find(agent, body.task_type) is None:
        known = ", ".join(AGENTS.catalog.tasks_of(agent)) or "none"
        raise InvalidInput(
            f"The agent {agent!r} has no task {body.task_type!r}; it has: {known}.",
            code="unknown_task",
        )
    own_documents(who, body.payload)
    submission = Submission(
        definition=_definition(agent, body), inputs={"payload": body.payload},
        priority=body.priority,
    )  # fmt: skip
    run = submit(
        who.rt, who.ctx, submission, catalog=AGENTS.catalog,
        also=lambda tx, run: keep(tx, _triggered(run)),
    )  # fmt: skip
    who.exchange.run_id = run.id
    return _triggered(run)


def _triggered(run: Run) -> Triggered:
    return Triggered(workflow_id=run.id, step_id="task", status=run.status)


def _definition(agent: str, body: TriggerRequest) -> dict[str, Any]:
    """The payload goes in as an input, so that nothing in it is read as an expression."""
    given = {name: f"${{inputs.payload.{name}}}" for name in body.payload}
    step = {"id": "task", "agent": agent, "task": body.task_type, "with": given}
    return {
        "name": f"{agent}-{body.task_type}".replace("_", "-")[:63],
        "inputs": {"payload": {"type": "object"}},
        "steps": [step],
        "outputs": {"output": "${steps.task.output}"},
    }
