"""`/workflows`: ask for a run, follow it, stop it, try it again, ask why it waits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from agents.registry import AGENTS
from database import run_logs, runs
from database.runs import Run
from gateway import run_events
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.paging import Cursor, Limit, listed
from gateway.references import documents_exist, own_documents
from gateway.schemas.base import Listing
from gateway.schemas.workflows import (
    Executed,
    ExecuteRequest,
    Links,
    LogLine,
    RunStatus,
    RunSummary,
    Why,
)
from gateway.streams import EVENTS, stream
from workflows import controls, views
from workflows.admission import admit_run
from workflows.submission import Submission, submit

router = APIRouter(prefix="/workflows", tags=["workflows"])
Reader = Annotated[Caller, permit("workflows:read")]
Runner = Annotated[Caller, permit("workflows:execute")]
EventId = Annotated[str | None, Header(max_length=20, pattern=r"^[0-9]{1,18}$")]


@router.post("/execute", status_code=202, response_model=Executed)
def execute(who: Runner, once: Creating, body: ExecuteRequest) -> Response:
    """By name, by a definition that comes along, or by a goal in words. Once accepted a run ends
    in one way or another, whatever dies."""
    return once.within(who, body, lambda keep: _execute(who, body, keep), status=202)


@router.get("")
def listing(
    who: Reader,
    status: Annotated[str | None, Query(max_length=20)] = None,
    workflow: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listing[RunSummary]:
    """Newest first, without the child runs of a `for_each`."""
    found = views.listing(
        who.rt, who.ctx, status=status, workflow=workflow, limit=limit, cursor=cursor
    )
    return listed(found, _summary)


@router.get("/{workflow_id}/status", response_model=RunStatus)
async def status(who: Reader, workflow_id: str) -> Response:
    """How far it is, what came out, and what went wrong."""
    return await run_in_threadpool(status_of, who, workflow_id)


@router.get("/{workflow_id}/logs")
def logs(
    who: Reader, workflow_id: str, limit: Limit = 100, cursor: Cursor = None
) -> Listing[LogLine]:
    """Oldest first, with the lines of the child runs."""
    with who.rt.db.read(who.ctx) as tx:
        runs.get(tx, who.ctx, workflow_id)
        page = run_logs.of_run(tx, who.ctx, workflow_id, limit=limit, cursor=cursor)
    return listed(page, _line)


@router.get("/{workflow_id}/events", response_class=Response, responses=EVENTS)
async def events(who: Reader, workflow_id: str, last_event_id: EventId = None) -> Response:
    """Server-sent events from the first one, or after `Last-Event-ID`, until the run has ended."""
    await run_in_threadpool(_exists, who, workflow_id)
    return stream(run_events.follow(who, workflow_id, int(last_event_id or 0)))


@router.post("/{workflow_id}/cancel", status_code=202)
def cancel(who: Runner, workflow_id: str) -> Executed:
    """Nothing new is started; outside actions that were not sent are not sent."""
    return _executed(controls.cancel(who.rt, who.ctx, workflow_id))


@router.post("/{workflow_id}/retry", status_code=202)
def retry(who: Runner, workflow_id: str) -> Executed:
    """From the failed step; finished steps are reused."""
    return _executed(controls.retry(who.rt, who.ctx, workflow_id))


@router.get("/{workflow_id}/why")
def why(who: Reader, workflow_id: str) -> Why:
    """What it waits for, in which queue, behind how many, and what would unblock it."""
    return Why.model_validate(views.why(who.rt, who.ctx, workflow_id))


def _execute(who: Caller, body: ExecuteRequest, keep: Keep) -> Executed:
    documents_exist(who, body.documents)
    own_documents(who, body.inputs)
    admit_run(who.rt, who.ctx, who.identity.tier)
    submission = Submission(
        workflow=body.workflow, definition=body.definition, goal=body.goal, inputs=body.inputs,
        documents=tuple(body.documents), priority=body.priority, callback_url=body.callback_url,
        metadata=body.metadata,
    )  # fmt: skip
    run = submit(
        who.rt, who.ctx, submission, catalog=AGENTS.catalog,
        also=lambda tx, run: keep(tx, _executed(run)),
    )  # fmt: skip
    who.exchange.run_id = run.id
    return _executed(run)


def _executed(run: Run) -> Executed:
    base = f"/workflows/{run.id}"
    links = Links(
        status=f"{base}/status", logs=f"{base}/logs", events=f"{base}/events", why=f"{base}/why",
        why_page=f"/why?id={run.id}",
    )  # fmt: skip
    return Executed(workflow_id=run.id, status=run.status, links=links)


def _exists(who: Caller, workflow_id: str) -> None:
    with who.rt.db.read(who.ctx) as tx:
        runs.get(tx, who.ctx, workflow_id)


def status_of(who: Caller, workflow_id: str) -> Response:
    """What a finished run says is kept as bytes: it changes only when the run is tried again."""
    ended = runs.ended_at(who.rt.db, who.ctx, workflow_id)
    key = (who.ctx.tenant, workflow_id, ended)
    body = None if ended is None else who.house.finished.get(key)
    if body is None:
        found = views.status(who.rt, who.ctx, workflow_id)
        body = RunStatus.model_validate(found).model_dump_json().encode()
        if ended is not None and found["completed_at"] == ended:
            who.house.finished.keep(key, body)
    return Response(body, media_type="application/json")


def _summary(run: Run) -> RunSummary:
    return RunSummary.model_validate({
        "workflow_id": run.id, "workflow": run.workflow, "version": run.version,
        "status": run.status, "goal": run.goal, "priority": run.priority,
        "documents": len(run.documents), "metadata": dict(run.metadata), "error": run.error,
        "created_at": run.created_ms, "started_at": run.started_ms,
        "completed_at": run.completed_ms,
    })  # fmt: skip


def _line(line: run_logs.LogLine) -> LogLine:
    return LogLine.model_validate({
        "at": line.at_ms, "level": line.level, "step_id": line.step_id, "agent": line.agent,
        "message": line.message, "data": line.data,
    })  # fmt: skip
