"""`/triggers`: what starts workflows by itself. A signed call to `/triggers/{id}` needs no other
credential than its signature."""

from __future__ import annotations

import base64
import os
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from core.errors import TooLarge
from core.ids import new_id
from core.vault import seal
from database import audit, triggers
from database.triggers import Trigger
from gateway.house import Caller, Open, permit
from gateway.once import Creating, Keep
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Listing
from gateway.schemas.integrations import (
    FiredAnswer,
    NewTrigger,
    TriggerAnswer,
    TriggerChange,
    TriggerMade,
)
from workflows import triggers as starting
from workflows import webhooks
from workflows.triggers import checked

router = APIRouter(prefix="/triggers", tags=["triggers"])
Reader = Annotated[Caller, permit("integrations:read")]
Writer = Annotated[Caller, permit("integrations:write")]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post("", status_code=201, response_model=TriggerMade)
def create(who: Writer, once: Creating, body: NewTrigger) -> Response:
    """A webhook's secret is shown in this answer and never again."""
    own, secret = new_id(), body.secret

    def make(keep: Keep) -> TriggerMade:
        nonlocal secret
        with who.rt.db.transaction(who.ctx) as tx:
            config, due = checked(tx, who.ctx, body.kind, body.config, body.workflow, body.inputs)
            shown = None
            if body.kind == "webhook" and secret is None:
                secret = shown = "whsec_" + base64.b64encode(os.urandom(24)).decode()
            made = triggers.create(tx, who.ctx, own, {
                "name": body.name, "kind": body.kind, "config": config, "workflow": body.workflow,
                "inputs": body.inputs, "enabled": body.enabled, "due_ms": due,
                "secret": _sealed(who, own, secret),
                "scopes": sorted(who.ctx.scopes & starting.GRANTED),
            })  # fmt: skip
            audit.record(tx, who.ctx, "trigger.create", own, {"kind": body.kind})
            answer = TriggerMade(**dict(_shown(made)), secret=shown)
            keep(tx, answer)
        return answer

    return once.within(who, body, make, status=201)


@router.get("")
def listing(who: Reader, limit: Limit = 50, cursor: Cursor = None) -> Listing[TriggerAnswer]:
    """Newest first."""
    with who.rt.db.read(who.ctx) as tx:
        return listed(triggers.listing(tx, who.ctx, limit=limit, cursor=cursor), _shown)


@router.get("/{trigger_id}")
def show(who: Reader, trigger_id: str) -> TriggerAnswer:
    with who.rt.db.read(who.ctx) as tx:
        return _shown(triggers.get(tx, who.ctx, trigger_id))


@router.patch("/{trigger_id}")
def change(who: Writer, trigger_id: str, body: TriggerChange) -> TriggerAnswer:
    """Whoever changes it lends it his rights from then on."""
    given = {name: value for name, value in body.model_dump().items() if value is not None}
    with who.rt.db.transaction(who.ctx) as tx:
        now = triggers.get(tx, who.ctx, trigger_id)
        config, due = checked(
            tx, who.ctx, now.kind, given.get("config", now.config),
            given.get("workflow", now.workflow), given.get("inputs", now.inputs),
        )  # fmt: skip
        given |= {"config": config, "due_ms": due}
        given["scopes"] = sorted(who.ctx.scopes & starting.GRANTED)
        if secret := given.pop("secret", None):
            given["secret"] = _sealed(who, trigger_id, secret)
        triggers.change(tx, who.ctx, trigger_id, **given)
        audit.record(tx, who.ctx, "trigger.change", trigger_id, {"fields": sorted(given)})
        return _shown(triggers.get(tx, who.ctx, trigger_id))


@router.delete("/{trigger_id}", status_code=204)
def remove(who: Writer, trigger_id: str) -> None:
    """Its runs stay."""
    with who.rt.db.transaction(who.ctx) as tx:
        triggers.remove(tx, who.ctx, trigger_id)
        audit.record(tx, who.ctx, "trigger.remove", trigger_id, {})


@router.post("/{trigger_id}", status_code=202, openapi_extra=_BODY)
async def fire(house: Open, request: Request, trigger_id: str) -> FiredAnswer:
    """Signed by the trigger's secret: Standard Webhooks, GitHub, Stripe or plain HMAC, as it was
    set up. The same call again starts nothing more."""
    body = await request.body()
    if len(body) > webhooks.BYTES_MAX:
        raise TooLarge(f"A call has at most {webhooks.BYTES_MAX} bytes.", limit=webhooks.BYTES_MAX)
    headers = dict(request.headers)
    found = await run_in_threadpool(webhooks.receive, house.rt, trigger_id, headers, body)
    return FiredAnswer(workflow_id=found.workflow_id, again=found.again)


def _sealed(who: Caller, own: str, secret: str | None) -> bytes | None:
    if secret is None:
        return None
    return seal(who.rt.keys(who.ctx), secret.encode(), webhooks.secret_address(own))


def _shown(row: Trigger) -> TriggerAnswer:
    values: dict[str, Any] = {
        "trigger_id": row.id, "name": row.name, "kind": row.kind, "config": dict(row.config),
        "workflow": row.workflow, "inputs": dict(row.inputs), "enabled": row.enabled,
        "url": f"/triggers/{row.id}" if row.kind == "webhook" else None, "fired": row.fired,
        "fired_at": row.fired_ms, "due_at": row.due_ms, "workflow_id": row.last_run_id,
        "error": row.error, "created_by": row.created_by, "created_at": row.created_ms,
        "updated_at": row.updated_ms,
    }  # fmt: skip
    return TriggerAnswer.model_validate(values)
