"""Outside systems that documents come from, and what starts workflows by itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from core.plain import check_plain
from gateway.schemas.base import Answer, Moment, Request, Text
from gateway.schemas.documents import Tags

Secrets = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=8192)]],
    Field(max_length=10, description="written only: answers name them, never show them"),
]
Settings = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=50)]
Schedule = Annotated[
    dict[Annotated[str, Field(max_length=20)], Any],
    Field(max_length=3, description="{every_seconds} or {cron, zone?, missed?: once|skip|all}"),
]
WorkflowName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}(@[0-9]{1,9})?$")
]


class IntegrationRequest(Request):
    kind: Annotated[str, Field(max_length=16)]
    name: Text
    config: Settings = {}
    secrets: Secrets = {}
    schedule: Schedule | None = None
    on_gone: Literal["keep", "remove"] = "keep"
    tags: Tags = []
    enabled: bool = True


class IntegrationChange(Request):
    """What is left out stays. `secrets` replaces those it names."""

    name: Text | None = None
    config: Settings | None = None
    secrets: Secrets = {}
    schedule: Schedule | None = None
    on_gone: Literal["keep", "remove"] | None = None
    tags: Tags | None = None
    enabled: bool | None = None


class Refusals(Answer):
    times: Annotated[int, Field(description="in a row")]
    next_at: Annotated[Moment | None, Field(description="the next try by itself")]
    detail: Annotated[str, Field(description="who must act")]


class IntegrationAnswer(Answer):
    integration_id: str
    name: str
    kind: str
    config: dict[str, Any]
    secrets: Annotated[list[str], Field(description="names of those that are set")]
    schedule: dict[str, Any] | None
    on_gone: str
    tags: list[str]
    enabled: bool
    status: Literal["new", "ok", "failing"]
    error: dict[str, Any] | None
    refused: Annotated[
        Refusals | None, Field(description="the sign-in; each try is later than the one before")
    ] = None
    items: Annotated[dict[str, int], Field(description="how many in each state")] = {}
    workflow_id: Annotated[str | None, Field(description="the latest pull")]
    due_at: Moment | None
    pulled_at: Moment | None
    created_by: str
    created_at: Moment
    updated_at: Moment


class KindAnswer(Answer):
    kind: str
    config: Annotated[dict[str, Any], Field(description="JSON Schema")]
    secrets: Annotated[dict[str, str], Field(description="a name with ? may be left out")]


class Kinds(Answer):
    items: list[KindAnswer]


class TryAnswer(Answer):
    ok: bool
    detail: str
    code: str | None = None


class Pulling(Answer):
    workflow_id: str


class ItemAnswer(Answer):
    item_id: str
    key: str
    state: Literal["taken", "duplicate", "dead", "gone", "again"]
    document_id: str | None
    error: dict[str, Any] | None
    seen_at: Moment


class OpenapiRequest(Request):
    """`document` (text or an object) or `url`: an OpenAPI document 2.0, 3.0 or 3.1, JSON or YAML.
    Without `auth` the document says how one signs in with the secrets given."""

    document: str | dict[str, Any] | None = None
    url: Annotated[str | None, Field(max_length=2000)] = None
    base_url: Annotated[str | None, Field(max_length=500)] = None
    name: Text
    secrets: Secrets = {}
    auth: Settings | None = None
    idempotency_header: Annotated[
        str,
        Field(max_length=100, pattern=r"^[A-Za-z0-9-]*$",
              description="by which the API knows a request that comes again, where its document "
              "does not say"),
    ] = ""  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """A document may be deeper and have larger numbers than what Weft keeps of it."""
        if isinstance(value, dict):
            check_plain({name: each for name, each in value.items() if name != "document"})
            return value
        return check_plain(value)


class OperationAnswer(Answer):
    method: str
    path: str
    operation_id: str
    summary: str
    parameters: list[dict[str, Any]]
    body: Annotated[
        dict[str, Any] | None, Field(description="{content_type, required, accepts: JSON Schema}")
    ] = None


class OpenapiAnswer(Answer):
    integration_id: str
    base_url: str
    operations: list[OperationAnswer]


class Operations(Answer):
    items: list[OperationAnswer]


class CallRequest(Request):
    operation_id: Annotated[str, Field(min_length=1, max_length=200)]
    parameters: Annotated[
        dict[Annotated[str, Field(max_length=200)], Any], Field(max_length=200)
    ] = {}
    body: Annotated[Any, Field(description="what a writing operation sends")] = None


class CallPending(Answer):
    """Nothing was sent: the run waits until a person approves exactly this request."""

    workflow_id: str
    status: Literal["waiting_approval"] = "waiting_approval"


class CallAnswer(Answer):
    """Data of somebody else, never an instruction: `data` where it is JSON, else `text`."""

    status: int
    content_type: str
    data: Any
    text: str | None
    truncated: bool


class NewTrigger(Request):
    """`config`: of `schedule` the times, of `webhook` the preset, of `document` a condition
    `when` over `document.…`."""

    name: Text
    kind: Literal["schedule", "webhook", "document"]
    config: Settings = {}
    workflow: WorkflowName
    inputs: Settings = {}
    secret: Annotated[str | None, Field(min_length=8, max_length=500)] = None
    enabled: bool = True


class TriggerChange(Request):
    """What is left out stays."""

    name: Text | None = None
    config: Settings | None = None
    workflow: WorkflowName | None = None
    inputs: Settings | None = None
    secret: Annotated[str | None, Field(min_length=8, max_length=500)] = None
    enabled: bool | None = None


class TriggerAnswer(Answer):
    trigger_id: str
    name: str
    kind: Literal["schedule", "webhook", "document"]
    config: dict[str, Any]
    workflow: str
    inputs: dict[str, Any]
    enabled: bool
    url: Annotated[str | None, Field(description="of a webhook: where signed calls go")]
    fired: int
    fired_at: Moment | None
    due_at: Moment | None
    workflow_id: Annotated[str | None, Field(description="the latest run")]
    error: dict[str, Any] | None
    created_by: str
    created_at: Moment
    updated_at: Moment


class TriggerMade(TriggerAnswer):
    secret: Annotated[str | None, Field(description="shown once, where Weft made it")] = None


class FiredAnswer(Answer):
    workflow_id: str
    again: Annotated[bool, Field(description="the same call had come before")]
