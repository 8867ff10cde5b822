"""`/report-templates`: a template is data, versioned and checked like a definition."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

import reports
from agents import report
from core.errors import NotFound
from database import templates
from gateway.bodies import Source, yaml_or_json
from gateway.house import Caller, permit
from gateway.paging import Cursor, Limit, listed, sliced
from gateway.schemas.base import Listing
from gateway.schemas.reports import TemplateAnswer, TemplateSummary

router = APIRouter(prefix="/report-templates", tags=["reports"])
Reader = Annotated[Caller, permit("templates:read")]
Writer = Annotated[Caller, permit("templates:write")]
_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"


@router.get("")
def listing(who: Reader, limit: Limit = 50, cursor: Cursor = None) -> Listing[TemplateSummary]:
    """The tenant's own, and those that come with the platform."""
    with who.rt.db.read(who.ctx) as tx:
        own = {saved.name: saved.version for saved in templates.listing(tx, who.ctx)}
    page = sliced([*{*own, *reports.builtin_names()}], str, limit, cursor)
    return listed(
        page,
        lambda name: TemplateSummary(name=name, version=own.get(name, 0), builtin=name not in own),
    )


@router.get("/{name}")
def show(
    who: Reader, name: Annotated[str, Path(pattern=_NAME[:-1] + r"(@[0-9]{1,9})?$")]
) -> TemplateAnswer:
    """By `name` or `name@version`."""
    found = report.find_template(who.rt, who.ctx, name)
    body = found.model_dump(mode="json", by_alias=True)
    return TemplateAnswer(name=found.name, version=_version(who, name), template=body)


@router.put("/{name}", openapi_extra=yaml_or_json("a report template"))
def save(who: Writer, name: Annotated[str, Path(pattern=_NAME)], source: Source) -> TemplateAnswer:
    """The next version, or the same one when nothing changed."""
    saved = report.save_template(who.rt, who.ctx, name, source)
    return TemplateAnswer(name=saved.name, version=saved.version, template=dict(saved.body))


def _version(who: Caller, reference: str) -> int:
    name, _, version = reference.partition("@")
    try:
        with who.rt.db.read(who.ctx) as tx:
            return templates.get(tx, who.ctx, name, int(version) if version else None).version
    except NotFound:
        return 0
