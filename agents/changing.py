"""Changes at an outside API: checked and written out whole, for somebody to approve.

It calls nobody. The effect that an approver says yes to is the request itself, without the sign-in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agents.calling import in_use, operations
from core.context import Ctx
from core.errors import InvalidInput
from database import integrations
from database.integrations import Integration
from ingestion.sources.openapi import OpenapiConfig, OperationConfig, operation
from ingestion.sources.openapi_writing import WRITING, request_of
from models.shapes import mismatch
from runtime import Runtime
from workflows.accounts import API, secrets_of
from workflows.submission import Submission
from workflows.tasks import Done, EffectIntent, TaskSpec, Work

CALL = "call-api@0"  # the built-in one, whatever a tenant calls its own


def writes(rt: Runtime, ctx: Ctx, own: str, operation_id: str) -> bool:
    """Whether the operation changes something there. Raises `NotFound`."""
    with rt.db.read(ctx) as tx:
        row = integrations.get(tx, ctx, own)
    operations(row)
    return operation(OpenapiConfig.model_validate(row.config), operation_id).method in WRITING


def submission(
    rt: Runtime, ctx: Ctx, own: str, operation_id: str, parameters: Mapping[str, Any], body: Any
) -> Submission:
    """The run that asks for it. Raises what the run would: now, while its caller still listens."""
    intent_of(rt, ctx, own, operation_id, parameters, body)
    return Submission(workflow=CALL, inputs={
        "integration_id": own, "operation_id": operation_id,
        "request": {"parameters": dict(parameters), "body": body},
    })  # fmt: skip


def intent_of(
    rt: Runtime, ctx: Ctx, own: str, operation_id: str, parameters: Mapping[str, Any], body: Any,
    sources: tuple[Mapping[str, Any], ...] = (),
) -> EffectIntent:  # fmt: skip
    """Raises `NotFound` and `InvalidInput` that names the field."""
    row = in_use(rt, ctx, own)
    config = OpenapiConfig.model_validate(row.config)
    one = operation(config, operation_id)
    request = request_of(config, one, _fitting(one, parameters), body)
    _check_body(one, body)
    _check_secrets(rt, ctx, row, request)
    rt.net.check(request["url"])
    about = {"integration_id": own, "integration": row.name, "operation_id": operation_id}
    summary = f"{row.name}: {one.method} {one.path}"
    return EffectIntent(
        API, f"{one.method} {config.base_url.rstrip('/')}{one.path}"[:500],
        f"{summary} ({one.summary})"[:300] if one.summary else summary[:300],
        {**about, **request}, sources,
        effect_class="keyed" if request["idempotency_header"] else "blind",
    )  # fmt: skip


def _fitting(one: OperationConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that fit their schemas. A text that says a number is one: workflows fill in
    texts."""
    made = dict(given)
    for each in one.parameters:
        if each.name not in given or given[each.name] is None:
            continue
        value = given[each.name]
        value = [value] if each.array and not isinstance(value, list) else value
        fault = _fault(value, each.accepts, each.name)
        if fault and not _says(value, each.accepts):
            raise InvalidInput(
                f"{fault}."[:300], code="bad_parameter", field=f"parameters.{each.name}"
            )
        made[each.name] = value
    return made


def _says(value: Any, accepts: Mapping[str, Any]) -> bool:
    try:
        meant = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return False
    return isinstance(meant, bool | int | float) and _fault(meant, accepts, "") is None


def _fault(value: Any, accepts: Mapping[str, Any], where: str) -> str | None:
    """Schemas that Weft cut down itself can be checked; one that somebody set perhaps not."""
    try:
        return mismatch(value, accepts, where)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"The schema of {where} cannot be checked. Register the document again.",
            code="bad_operation", field="operation_id",
        ) from error  # fmt: skip


def _check_body(one: OperationConfig, body: Any) -> None:
    if body is None or one.body is None:
        return
    if fault := _fault(body, one.body.accepts, "body"):
        raise InvalidInput(
            f"{fault}."[:300], code="bad_parameter", field=fault.partition(" ")[0][:200]
        )


def _check_secrets(rt: Runtime, ctx: Ctx, row: Integration, request: Mapping[str, Any]) -> None:
    """Approvers read the request, and it is kept."""
    text = json.dumps(request, ensure_ascii=False)
    for name, value in secrets_of(rt, ctx, row).items():
        if len(value) >= 6 and (value in text or json.dumps(value)[1:-1] in text):
            raise InvalidInput(
                f"The secret {name!r} stands in the request. Leave it out: Weft signs in itself.",
                code="secret_in_request", field="parameters",
            )  # fmt: skip


def call_api(work: Work) -> Done:
    """`integration_id`, `operation_id`, `parameters`, `body`, `sources` → an effect that waits."""
    given = work.message.payload
    own, operation_id = given.get("integration_id"), given.get("operation_id")
    parameters, sources = given.get("parameters") or {}, given.get("sources") or []
    for name, value in (("integration_id", own), ("operation_id", operation_id)):
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"This task needs `{name}`.", field=name)
    if not isinstance(parameters, dict):
        raise InvalidInput("`parameters` is a mapping.", field="parameters")
    if not isinstance(sources, list) or not all(isinstance(one, dict) for one in sources):
        raise InvalidInput("`sources` is a list of sources.", field="sources")
    intent = intent_of(
        work.rt, work.ctx, str(own), str(operation_id), parameters, given.get("body"),
        tuple(sources),
    )  # fmt: skip
    return Done({"operation_id": operation_id, "asked": intent.summary}, effects=(intent,))


TASKS = (
    TaskSpec(
        "action", "call_api", call_api,
        "Change something at an outside API that is set up as an integration, after approval",
        {
            "integration_id": "of kind openapi", "operation_id": "one that writes",
            "parameters?": "by name", "body?": "what is sent",
            "sources?": "what the approver should see it for",
        },
        effects=True,
    ),
)  # fmt: skip
