"""An outside API that is known by its OpenAPI document: set up, looked through, asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents import integrations as setting_up
from agents.access import access_of
from core.context import Ctx
from core.errors import InvalidInput, Unfinishable
from database import Tx, audit, integrations
from database.integrations import Integration
from ingestion import openapi
from ingestion.sources.openapi import Answer, call
from runtime import Runtime
from workflows.tasks import Done, TaskSpec, Work

_OUTPUT_CHARS = 60_000  # of a step; what is longer comes as text that is cut


def contract(
    rt: Runtime, document: str | Mapping[str, Any] | None, url: str | None
) -> openapi.Contract:
    """From the text, or from the address. Raises `InvalidInput`, or `Unavailable`."""
    if (document is None) == (url is None):
        raise InvalidInput("Give either `document` or `url`.", code="bad_config", field="document")
    if document is not None:
        return openapi.read(document)
    assert url is not None
    reply = rt.net.request(
        "GET", url, headers={"accept": "application/json, application/yaml, */*"}
    )
    if reply.status != 200:
        raise InvalidInput(
            f"There is no document at this address: it answered {reply.status}.",
            code="no_document", field="url",
        )  # fmt: skip
    return openapi.read(reply.body, reply.url)


def create(
    rt: Runtime, tx: Tx, ctx: Ctx, found: openapi.Contract, *, name: str, base_url: str | None,
    secrets: Mapping[str, str], auth: Mapping[str, Any] | None, idempotency_header: str = "",
) -> Integration:  # fmt: skip
    """Raises `InvalidInput` that names the field."""
    base = base_url or found.base_url
    if not base:
        raise InvalidInput(
            "The document does not say where the API is. Give `base_url`.",
            code="bad_config", field="base_url",
        )  # fmt: skip
    config = {
        "base_url": base, "title": found.title, "version": found.version,
        "auth": dict(auth) if auth is not None else openapi.sign_in(found, secrets),
        "idempotency_header": idempotency_header,
        "operations": [one.to_json() for one in found.operations],
    }  # fmt: skip
    return setting_up.create(rt, tx, ctx, {
        "kind": "openapi", "name": name, "config": config, "secrets": dict(secrets),
        "schedule": None, "on_gone": "keep", "tags": [], "enabled": True,
    })  # fmt: skip


def change(rt: Runtime, tx: Tx, ctx: Ctx, own: str, values: Mapping[str, Any]) -> Integration:
    """As for every integration; operations, which answers do not show, stay where they are not
    given."""
    config = values.get("config")
    if config is not None and "operations" not in config:
        row = integrations.get(tx, ctx, own)
        if row.kind == "openapi":
            values = {**values, "config": {**config, "operations": row.config["operations"]}}
    return setting_up.change(rt, tx, ctx, own, values)


def operations(row: Integration) -> list[Mapping[str, Any]]:
    """Raises `InvalidInput` for an integration of another kind."""
    if row.kind != "openapi":
        raise InvalidInput("Only an OpenAPI integration has operations.", code="no_operations")
    found: list[Mapping[str, Any]] = row.config["operations"]
    return found


def in_use(rt: Runtime, ctx: Ctx, own: str) -> Integration:
    """Raises `NotFound`, and `InvalidInput` for one without operations or switched off."""
    with rt.db.read(ctx) as tx:
        row = integrations.get(tx, ctx, own)
    operations(row)
    if not row.enabled:
        raise InvalidInput("The integration is switched off.", code="disabled")
    return row


def ask(
    rt: Runtime, ctx: Ctx, own: str, operation_id: str, parameters: Mapping[str, Any],
    chars_max: int = 1_000_000,
) -> Answer:  # fmt: skip
    """One reading call with the integration's secrets. Raises like `ingestion.sources.openapi`."""
    row = in_use(rt, ctx, own)
    answer = call(access_of(rt, ctx, row), operation_id, parameters, chars_max)
    with rt.db.transaction(ctx, durable=False) as tx:
        audit.record(
            tx, ctx, "integration.call", own, {"operation": operation_id, "status": answer.status}
        )
    return answer


def shown(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status, "content_type": answer.content_type, "data": answer.value,
        "text": answer.text, "truncated": answer.cut,
    }  # fmt: skip


def call_api(work: Work) -> Done:
    """`integration_id`, `operation_id`, `parameters` → `{status, content_type, data, text,
    truncated}`."""
    given = work.message.payload
    own, operation_id = given.get("integration_id"), given.get("operation_id")
    parameters = given.get("parameters") or {}
    for name, value in (("integration_id", own), ("operation_id", operation_id)):
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"This task needs `{name}`.", field=name)
    if not isinstance(parameters, dict):
        raise InvalidInput("`parameters` is a mapping.", field="parameters")
    answer = ask(work.rt, work.ctx, str(own), str(operation_id), parameters, _OUTPUT_CHARS)
    if answer.cut and not given.get("text_is_enough"):
        raise Unfinishable(
            f"The answer is longer than {_OUTPUT_CHARS:,} characters. Ask for fewer at a time, or "
            "say text_is_enough.",
            code="too_large",
        )
    return Done(shown(answer))


TASKS = (
    TaskSpec(
        "ingestion", "call_api", call_api, "Ask an outside API that is set up as an integration",
        {
            "integration_id": "of kind openapi", "operation_id": "one that reads",
            "parameters?": "by name", "text_is_enough?": "take the beginning of a long answer",
        },
    ),
)  # fmt: skip
