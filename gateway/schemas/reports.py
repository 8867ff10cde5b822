"""Reports and their templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.schemas.base import Answer, Id, Moment, Request
from gateway.schemas.documents import SourceAnswer

Format = Literal["pdf", "xlsx", "csv"]
TemplateName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}(@[0-9]{1,9})?$")]


class ReportRequest(Request):
    template: TemplateName
    documents: Annotated[list[Id], Field(max_length=10_000)] = []
    params: Annotated[dict[str, Any], Field(max_length=50)] = {}
    formats: Annotated[list[Format], Field(min_length=1, max_length=3)] = ["pdf", "xlsx", "csv"]


class ReportAccepted(Answer):
    report_id: str | None = Field(description="known when the run has made it: see its status")
    workflow_id: str
    status: str
    links: dict[str, str]


class ReportFile(Answer):
    format: str
    bytes: int
    sha256: str
    url: str


class ReportAnswer(Answer):
    report_id: str
    workflow_id: str
    template: str
    title: str
    files: list[ReportFile]
    params: dict[str, Any]
    created_by: str
    created_at: Moment


class ReportDetail(ReportAnswer):
    sources: list[SourceAnswer]


class TemplateAnswer(Answer):
    name: str
    version: int = Field(description="0: comes with the platform")
    template: dict[str, Any]


class TemplateSummary(Answer):
    name: str
    version: int
    builtin: bool
