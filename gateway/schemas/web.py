"""A site by its address."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.schemas.base import Answer, Request
from gateway.schemas.documents import Tags
from gateway.schemas.integrations import Settings, WorkflowName

Patterns = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=50)
]


class ScrapeRequest(Request):
    """`depth` 0 is the page alone; `workflow` is started with each document that comes."""

    url: Annotated[str, Field(min_length=1, max_length=1_000)]
    depth: Annotated[int, Field(ge=0, le=20)] = 0
    pages_max: Annotated[int | None, Field(ge=1, le=5_000)] = None
    include: Patterns = []
    exclude: Patterns = []
    tags: Tags = []
    workflow: WorkflowName | None = None
    inputs: Settings = {}


class Scraping(Answer):
    workflow_id: str
    integration_id: str
    trigger_id: Annotated[str | None, Field(description="what starts the workflow named")] = None
