"""`/reports`: asked for, listed with their sources, downloaded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from agents import report
from agents.registry import AGENTS
from core.errors import Conflict, NotFound
from database import reports, runs
from database.reports import Report
from database.runs import Run
from gateway.downloads import BYTES, attachment
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.paging import Cursor, Limit, listed
from gateway.references import documents_exist
from gateway.schemas.base import Listing
from gateway.schemas.reports import (
    Format,
    ReportAccepted,
    ReportAnswer,
    ReportDetail,
    ReportRequest,
)
from workflows.submission import submit

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[Caller, permit("reports:read")]
Writer = Annotated[Caller, permit("reports:write")]


@router.post("", status_code=202, response_model=ReportAccepted)
def create(who: Writer, once: Creating, body: ReportRequest) -> Response:
    """A shorthand for a workflow run. Until the report is made, `report_id` stands for it."""
    return once.within(who, body, lambda keep: _request(who, body, keep), status=202)


@router.get("")
def listing(who: Reader, limit: Limit = 50, cursor: Cursor = None) -> Listing[ReportAnswer]:
    with who.rt.db.read(who.ctx) as tx:
        page = reports.listing(tx, who.ctx, limit=limit, cursor=cursor)
    return listed(page, lambda one: ReportAnswer.model_validate(_shown(one)))


@router.get("/{report_id}")
def show(who: Reader, report_id: str) -> ReportDetail:
    """With every source that its figures and sentences rest on."""
    found = _made(who, report_id)
    return ReportDetail.model_validate({**_shown(found), "sources": list(found.sources or ())})


@router.get("/{report_id}/download", response_class=Response, responses=BYTES)
def download(who: Reader, report_id: str, format: Annotated[Format, Query()] = "pdf") -> Response:
    found = _made(who, report_id)
    data, filename, kind = report.download(who.rt, who.ctx, found.id, format)
    return attachment(data, filename, kind)


def _request(who: Caller, body: ReportRequest, keep: Keep) -> ReportAccepted:
    documents_exist(who, body.documents)
    submission = report.submission(
        who.rt, who.ctx, body.template, body.documents, body.params, body.formats
    )
    run = submit(
        who.rt, who.ctx, submission, catalog=AGENTS.catalog,
        also=lambda tx, run: keep(tx, _accepted(run)),
    )  # fmt: skip
    who.exchange.run_id = run.id
    return _accepted(run)


def _accepted(run: Run) -> ReportAccepted:
    return ReportAccepted(
        report_id=run.id, workflow_id=run.id, status=run.status,
        links={"report": f"/reports/{run.id}", "status": f"/workflows/{run.id}/status"},
    )  # fmt: skip


def _made(who: Caller, report_id: str) -> Report:
    """By its own id or by that of the run that makes it. Raises `Conflict` while it is made."""
    with who.rt.db.read(who.ctx) as tx:
        try:
            return reports.get(tx, who.ctx, report_id)
        except NotFound:
            made = reports.by_run(tx, who.ctx, report_id)
            if made:
                return reports.get(tx, who.ctx, made[0].id)
        try:
            run = runs.get(tx, who.ctx, report_id)
        except NotFound as error:
            raise NotFound("There is no such report.") from error
    raise Conflict(
        f"This report is not made yet: its run is {run.status}.", code="not_ready",
        workflow_id=run.id, workflow_status=run.status, retry_after=1,
    )  # fmt: skip


def _shown(found: Report) -> dict[str, Any]:
    return {
        "report_id": found.id, "workflow_id": found.run_id, "template": found.template,
        "title": found.title, "params": dict(found.params), "created_by": found.created_by,
        "created_at": found.created_ms,
        "files": [
            {"format": name, "bytes": file["bytes"], "sha256": file["sha256"],
             "url": f"/reports/{found.id}/download?format={name}"}
            for name, file in found.files.items()
        ],
    }  # fmt: skip
