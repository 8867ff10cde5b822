"""An API that is known by its OpenAPI document. Nothing is pulled from it: what it offers for
reading is called by people and by steps of workflows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from core.errors import InvalidInput, NotFound, Unfinishable
from core.net import Net
from core.sign_in import without
from ingestion.openapi import OPERATIONS_MAX
from ingestion.sources import Access, Config, Pulled
from ingestion.sources.api import SECRETS, Api, Auth, check_base, plain_json

READING = ("GET", "HEAD")
# What tells about the thing asked for, not about us.
_TOLD = frozenset({400, 404, 409, 410, 422})
# Headers that are Weft's to write.
OURS = frozenset({
    "authorization", "host", "content-length", "content-type", "transfer-encoding", "connection",
    "cookie", "accept-encoding", "user-agent",
})  # fmt: skip


class ParameterConfig(Config):
    name: Annotated[str, Field(max_length=200)]
    place: Annotated[str, Field(pattern="^(path|query|header)$")]
    required: bool = False
    array: bool = False
    accepts: dict[str, Any] = Field({})  # a small JSON Schema


class BodyConfig(Config):
    content_type: Annotated[str, Field(max_length=100)]
    required: bool = False
    accepts: dict[str, Any] = Field({})


class OperationConfig(Config):
    method: Annotated[str, Field(pattern="^[A-Z]{3,7}$")]
    path: Annotated[str, Field(max_length=500, pattern="^/")]
    operation_id: Annotated[str, Field(min_length=1, max_length=200)]
    summary: Annotated[str, Field(max_length=300)] = ""
    parameters: list[ParameterConfig] = Field([], max_length=200)
    body: BodyConfig | None = None


class OpenapiConfig(Config):
    base_url: Annotated[str, Field(max_length=500, description="such as https://erp.example/api")]
    auth: Auth = Auth()
    title: Annotated[str, Field(max_length=300)] = ""
    version: Annotated[str, Field(max_length=20, description="of OpenAPI")] = ""
    idempotency_header: Annotated[
        str,
        Field(max_length=100, pattern=r"^[A-Za-z0-9-]*$",
              description="by which every writing operation knows a request that comes again, "
              "where the document does not say: Idempotency-Key"),
    ] = ""  # fmt: skip
    operations: list[OperationConfig] = Field(
        [], max_length=OPERATIONS_MAX, description="made by POST /integrations/openapi"
    )


class Openapi:
    kind = "openapi"
    config: type[Config] = OpenapiConfig
    secrets: Mapping[str, str] = SECRETS

    def check(self, config: OpenapiConfig, net: Net) -> None:
        check_base(config.base_url, config.auth, net)

    def test(self, access: Access) -> str:
        """By the first operation that reads and needs nothing."""
        for one in access.config.operations:
            if one.method in READING and not any(each.required for each in one.parameters):
                status = call(access, one.operation_id, {}).status
                return f"{one.method} {one.path} answered {status}."
        raise InvalidInput(
            "No operation reads without a parameter, so nothing can be tried. Call one.",
            code="nothing_to_try",
        )

    def pull(self, access: Access) -> Iterator[Pulled]:
        raise Unfinishable(
            "An OpenAPI integration is not pulled: its operations are called. To take records in, "
            "set up one of kind rest.",
            code="not_pulled",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """Data of somebody else, never an instruction. `value` is JSON, or None with `text`."""

    status: int
    content_type: str
    value: Any
    text: str | None
    cut: bool


def operation(config: OpenapiConfig, operation_id: str) -> OperationConfig:
    """Raises `NotFound`."""
    for one in config.operations:
        if one.operation_id == operation_id:
            return one
    raise NotFound("The integration has no such operation.", code="no_operation")


def call(
    access: Access, operation_id: str, parameters: Mapping[str, Any], chars_max: int = 1_000_000
) -> Answer:
    """Raises `NotFound` and `InvalidInput` (the caller), or like `Api.ask`."""
    one = operation(access.config, operation_id)
    if one.method not in READING:
        raise InvalidInput(
            f"{one.method} {one.path} changes something there. Only GET and HEAD are called so; "
            "a change is the task action.call_api, which waits for approval.",
            code="not_reading", field="operation_id",
        )  # fmt: skip
    path, query, headers = filled(one, parameters)
    api = Api(access, access.config.base_url, access.config.auth, tries=1)
    reply = api.ask(one.method, api.url(path), query, headers=headers, also=_TOLD)
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]
    text = without(reply.body.decode("utf-8", "replace"), access.secrets).replace("\x00", "")
    if len(text) > chars_max:
        return Answer(reply.status, kind, None, text[:chars_max], cut=True)
    if kind == "application/json" or kind.endswith("+json"):
        value = plain_json(text.encode(), api.place) if text.strip() else None
        return Answer(reply.status, kind, value, None, cut=False)
    return Answer(reply.status, kind, None, text, cut=False)


def filled(
    one: OperationConfig, given: Mapping[str, Any]
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Path, query and headers. A value stays in its place: it cannot lead to another path."""
    known = {each.name: each for each in one.parameters}
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"{one.operation_id} takes no {name!r}: {', '.join(known) or 'nothing'}."[:500],
                code="unknown_parameter", field=f"parameters.{name}",
            )  # fmt: skip
    path, query, headers = one.path, {}, {}
    for each in one.parameters:
        value = given.get(each.name)
        if value is None:
            if each.required:
                raise InvalidInput(
                    f"{one.operation_id} needs {each.name!r}.",
                    code="missing_parameter", field=f"parameters.{each.name}",
                )  # fmt: skip
            continue
        texts = [_text(each.name, part) for part in (value if isinstance(value, list) else [value])]
        if each.place == "path":
            path = path.replace("{" + each.name + "}", _segment(each.name, ",".join(texts)))
        elif each.place == "query":
            query[each.name] = texts
        elif each.name.lower() not in OURS:
            headers[each.name.lower()] = ",".join(texts)
    return path, query, headers


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float) and len(str(value)) <= 1000:
        return str(value)
    raise InvalidInput(
        "A parameter is a text, a number, true or false, or a list of them.",
        code="bad_parameter", field=f"parameters.{name}",
    )  # fmt: skip


def _segment(name: str, text: str) -> str:
    if text in ("", ".", ".."):
        raise InvalidInput(
            "This would be another path.", code="bad_parameter", field=f"parameters.{name}"
        )
    return quote(text, safe="")


SOURCE = Openapi()
