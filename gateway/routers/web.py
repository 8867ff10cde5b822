"""`/web-scrape`: the pages of a site become documents, by its address alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from agents import scraping
from core.errors import InvalidInput
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.schemas.web import ScrapeRequest, Scraping
from workflows import triggers
from workflows.admission import admit_run

router = APIRouter(prefix="/web-scrape", tags=["web"])
# It sets an integration up and lets the platform call out, which `documents:write` alone may not.
Writer = Annotated[Caller, permit("integrations:write")]


@router.post("", status_code=202, response_model=Scraping)
def scrape(who: Writer, once: Creating, body: ScrapeRequest) -> Response:
    """Robots.txt is kept to, and one host is asked once a second. The integration stays: the same
    address again fetches what has changed."""

    def begin(keep: Keep) -> Scraping:
        admit_run(who.rt, who.ctx, who.identity.tier)
        with who.rt.db.transaction(who.ctx) as tx:
            try:
                begun = scraping.begin(who.rt, tx, who.ctx, body.model_dump())
            except InvalidInput as error:
                raise _named(error) from error
            made = Scraping(
                workflow_id=begun.workflow_id, integration_id=begun.integration_id,
                trigger_id=begun.trigger_id,
            )  # fmt: skip
            keep(tx, made)
        triggers.ring(who.rt)
        return made

    return once.within(who, body, begin, status=202)


def _named(error: InvalidInput) -> InvalidInput:
    """By the names of this request."""
    names = {"config.urls": "url"}
    field = str(error.extra.get("field", ""))
    return InvalidInput(
        error.detail, code=error.slug, field=names.get(field, field.removeprefix("config."))
    )
