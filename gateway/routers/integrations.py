"""`/integrations`: outside systems that documents come from. Secrets go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from agents import calling, changing, refusals
from agents import integrations as setting_up
from core.errors import InvalidInput
from database import integrations
from database.integrations import Integration, ItemRow
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Listing
from gateway.schemas.integrations import (
    CallAnswer,
    CallPending,
    CallRequest,
    IntegrationAnswer,
    IntegrationChange,
    IntegrationRequest,
    ItemAnswer,
    KindAnswer,
    Kinds,
    OpenapiAnswer,
    OpenapiRequest,
    Operations,
    Pulling,
    TryAnswer,
)
from ingestion.sources.kinds import KINDS, source
from workflows import triggers
from workflows.admission import admit_run
from workflows.submission import submit

router = APIRouter(prefix="/integrations", tags=["integrations"])
Reader = Annotated[Caller, permit("integrations:read")]
Writer = Annotated[Caller, permit("integrations:write")]
Asker = Annotated[Caller, permit("workflows:execute")]
State = Annotated[Literal["taken", "duplicate", "dead", "gone", "again"] | None, Query()]


@router.get("/kinds")
def kinds(who: Reader) -> Kinds:
    """What can be set up, with a JSON Schema for each."""
    del who
    return Kinds(items=[
        KindAnswer(kind=one, config=source(one).config.model_json_schema(),
                   secrets=dict(source(one).secrets))
        for one in KINDS
    ])  # fmt: skip


@router.post("", status_code=201, response_model=IntegrationAnswer)
def create(who: Writer, once: Creating, body: IntegrationRequest) -> Response:
    """With a schedule it is pulled from now on."""

    def make(keep: Keep) -> IntegrationAnswer:
        with who.rt.db.transaction(who.ctx) as tx:
            made = _shown(setting_up.create(who.rt, tx, who.ctx, body.model_dump()))
            keep(tx, made)
        return made

    return once.within(who, body, make, status=201)


@router.post("/openapi", status_code=201, response_model=OpenapiAnswer)
def openapi(who: Writer, once: Creating, body: OpenapiRequest) -> Response:
    """An outside API by its OpenAPI document. Its operations can be called from then on: reading
    ones at once, writing ones after an approval."""

    def make(keep: Keep) -> OpenapiAnswer:
        found = calling.contract(who.rt, body.document, body.url)
        with who.rt.db.transaction(who.ctx) as tx:
            row = calling.create(
                who.rt, tx, who.ctx, found, name=body.name, base_url=body.base_url,
                secrets=body.secrets, auth=body.auth, idempotency_header=body.idempotency_header,
            )  # fmt: skip
            made = OpenapiAnswer.model_validate({
                "integration_id": row.id, "base_url": row.config["base_url"],
                "operations": calling.operations(row),
            })  # fmt: skip
            keep(tx, made)
        return made

    return once.within(who, body, make, status=201)


@router.get("")
def listing(who: Reader, limit: Limit = 50, cursor: Cursor = None) -> Listing[IntegrationAnswer]:
    """Newest first."""
    with who.rt.db.read(who.ctx) as tx:
        return listed(integrations.listing(tx, who.ctx, limit=limit, cursor=cursor), _shown)


@router.get("/{integration_id}")
def show(who: Reader, integration_id: str) -> IntegrationAnswer:
    with who.rt.db.read(who.ctx) as tx:
        row = integrations.get(tx, who.ctx, integration_id)
        return _shown(row, integrations.counts(tx, who.ctx, integration_id))


@router.patch("/{integration_id}")
def change(who: Writer, integration_id: str, body: IntegrationChange) -> IntegrationAnswer:
    """`schedule: null` ends the schedule; secrets that are not named stay."""
    given = body.model_dump(exclude_unset=True)
    values = {
        name: value for name, value in given.items() if value is not None or name == "schedule"
    }
    with who.rt.db.transaction(who.ctx) as tx:
        return _shown(calling.change(who.rt, tx, who.ctx, integration_id, values))


@router.delete("/{integration_id}", status_code=204)
def remove(who: Writer, integration_id: str) -> None:
    """Its documents stay."""
    with who.rt.db.transaction(who.ctx) as tx:
        setting_up.remove(tx, who.ctx, integration_id)


@router.post("/{integration_id}/test")
def test(who: Writer, integration_id: str) -> TryAnswer:
    """Signs in and looks; says in words what is there or what failed, and who must act."""
    ok, detail, code = setting_up.test(who.rt, who.ctx, integration_id)
    return TryAnswer(ok=ok, detail=detail, code=code)


@router.post("/{integration_id}/pull", status_code=202, response_model=Pulling)
def pull(who: Writer, once: Creating, integration_id: str) -> Response:
    """Looks now, in a run of its own."""

    def begin(keep: Keep) -> Pulling:
        with who.rt.db.transaction(who.ctx) as tx:
            made = Pulling(workflow_id=setting_up.pull(who.rt, tx, who.ctx, integration_id))
            keep(tx, made)
        triggers.ring(who.rt)
        return made

    return once.within(who, {"pull": integration_id}, begin, status=202)


@router.get("/{integration_id}/operations")
def list_operations(who: Reader, integration_id: str) -> Operations:
    """What the OpenAPI document offers."""
    with who.rt.db.read(who.ctx) as tx:
        row = integrations.get(tx, who.ctx, integration_id)
    return Operations.model_validate({"items": calling.operations(row)})


@router.post(
    "/{integration_id}/call", response_model=CallAnswer, responses={202: {"model": CallPending}}
)
def call(who: Asker, once: Creating, integration_id: str, body: CallRequest) -> Response:
    """What reads (GET, HEAD) is asked at once, with the integration's secrets. What changes
    something there becomes a run that waits for approval: 202."""
    if changing.writes(who.rt, who.ctx, integration_id, body.operation_id):
        return once.within(
            who, body, lambda keep: _change(who, integration_id, body, keep), status=202
        )
    if body.body is not None:
        raise InvalidInput("A reading operation takes no body.", code="bad_parameter", field="body")
    answer = calling.ask(who.rt, who.ctx, integration_id, body.operation_id, body.parameters)
    shown = CallAnswer.model_validate(calling.shown(answer))
    return Response(shown.model_dump_json(), media_type="application/json")


def _change(who: Caller, integration_id: str, body: CallRequest, keep: Keep) -> CallPending:
    asked = changing.submission(
        who.rt, who.ctx, integration_id, body.operation_id, body.parameters, body.body
    )
    admit_run(who.rt, who.ctx, who.identity.tier)
    run = submit(
        who.rt, who.ctx, asked, also=lambda tx, run: keep(tx, CallPending(workflow_id=run.id))
    )
    who.exchange.run_id = run.id
    return CallPending(workflow_id=run.id)


@router.get("/{integration_id}/items")
def items(
    who: Reader, integration_id: str, state: State = None, limit: Limit = 50, cursor: Cursor = None
) -> Listing[ItemAnswer]:
    """What came, the latest first; `state=dead` are the dead letters."""
    with who.rt.db.read(who.ctx) as tx:
        integrations.get(tx, who.ctx, integration_id)
        page = integrations.items(
            tx, who.ctx, integration_id, state=state, limit=limit, cursor=cursor
        )
    return listed(page, _item)


@router.post("/{integration_id}/items/{item_id}/retry", status_code=204)
def retry(who: Writer, integration_id: str, item_id: str) -> None:
    """A dead letter is fetched once more at the next pull."""
    with who.rt.db.transaction(who.ctx) as tx:
        setting_up.again(tx, who.ctx, integration_id, item_id)


def _shown(row: Integration, counts: dict[str, int] | None = None) -> IntegrationAnswer:
    values: dict[str, Any] = {
        "integration_id": row.id, "name": row.name, "kind": row.kind, "config": _config(row),
        "secrets": list(row.secret_names), "schedule": row.schedule, "on_gone": row.on_gone,
        "tags": list(row.tags), "enabled": row.enabled, "status": row.status, "error": row.error,
        "refused": refusals.shown(row), "items": counts or {}, "workflow_id": row.last_run_id,
        "due_at": row.due_ms,
        "pulled_at": row.pulled_ms, "created_by": row.created_by, "created_at": row.created_ms,
        "updated_at": row.updated_ms,
    }  # fmt: skip
    return IntegrationAnswer.model_validate(values)


def _config(row: Integration) -> dict[str, Any]:
    """Operations have a list of their own."""
    return {name: each for name, each in row.config.items() if name != "operations"}


def _item(row: ItemRow) -> ItemAnswer:
    return ItemAnswer.model_validate({
        "item_id": row.item, "key": row.key, "state": row.state, "document_id": row.document_id,
        "error": row.error, "seen_at": row.seen_ms,
    })  # fmt: skip
