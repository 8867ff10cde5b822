"""Messages in: a signed envelope is carried out once, however often it is delivered.

The tenant is the one whose secret signed the message. A message's id is remembered for longer than
its signature is good, so that an old message that somebody plays again is known or refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Unavailable,
    Unfinishable,
    WeftError,
)
from core.messages import Later, Message, Refused, Taken, Verdict
from core.plain import check_plain, check_text
from database import Tx, audit, idempotency, tenants
from database.tenants import PLATFORM_SLUG, Tenant
from runtime import Runtime
from workflows import admission, references
from workflows.senders import ACTOR, SIGNED_SECONDS_MAX, check_signature, sender
from workflows.submission import SUPERVISOR, Submission, submit_in
from workflows.tasks import Catalog
from workflows.turn import RELAY, turn

__all__ = [
    "BYTES_MAX",
    "SIGNED_SECONDS_MAX",
    "Kind",
    "Once",
    "Plain",
    "Shape",
    "is_ready",
    "receive",
]

VERSION = 1
ROUTE = "ingest"
BYTES_MAX = 512 * 2**10

Plain = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=100)]


class Shape(BaseModel):
    """What the `data` of one type of message must be."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Execute(Shape):
    """What `POST /workflows/execute` takes."""

    workflow: Annotated[str, Field(max_length=80)] | None = None
    definition: dict[str, Any] | None = None
    goal: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    inputs: Plain = {}
    documents: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10_000)] = []
    priority: Annotated[int, Field(ge=1, le=10)] = 5
    callback_url: Annotated[str, Field(max_length=2000)] | None = None
    metadata: Plain = {}


class KnownError(Exception):
    """Another process was first with this message."""

    def __init__(self, stored: idempotency.Stored) -> None:
        super().__init__()
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Once:
    """A message whose sender is known, and the memory of it."""

    ctx: Ctx
    tenant: Tenant
    message_id: str
    digest: str

    def keep(self, tx: Tx, taken: Taken) -> None:
        """In the transaction of what the message asked for. Raises `KnownError`."""
        begun = idempotency.begin(
            tx, self.ctx, self.message_id, route=ROUTE, body_hash=self.digest, lease_ms=0
        )
        if isinstance(begun, idempotency.Stored):
            raise KnownError(begun)
        kept = {"run_id": taken.run_id, "document_id": taken.document_id, "digest": self.digest}
        idempotency.finish(tx, self.ctx, self.message_id, begun, 202, kept)

    def again(self, stored: idempotency.Stored) -> Taken:
        kept = stored.response
        if kept["digest"] != self.digest:
            raise InvalidInput(
                "This webhook-id was used for another message. Take a new one for each.",
                code="idempotency_mismatch",
            )
        return Taken(str(kept["run_id"]), again=True, document_id=str(kept.get("document_id", "")))


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of message: what its `data` must be, and what is done with it. `take` keeps the
    message's memory (`Once.keep`) in the transaction of what it does."""

    shape: type[Shape]
    take: Callable[[Runtime, Once, Any], Taken]
    bytes_max: int = BYTES_MAX
    too_large: str = ""  # what to do instead


Kinds = Mapping[str, Kind]


def receive(
    rt: Runtime, catalog: Catalog, message: Message, more: Kinds = MappingProxyType({})
) -> Verdict:
    """Never raises what a message can cause. `Taken` is durable. `more`: types of message beside
    `workflow.execute`."""
    kinds = {"workflow.execute": Kind(_Execute, partial(_execute, catalog)), **more}
    parent = message.text("traceparent") or None
    try:
        with telemetry.span("message intake", parent=parent, kind="consumer"):
            return _received(rt, kinds, message)
    except (RateLimited, QuotaExceeded, Unavailable) as error:
        return _later(error)
    except Conflict as error:
        return _later(error) if error.slug == "idempotency_running" else _refused(error)
    except WeftError as error:
        return _refused(error)


def is_ready(rt: Runtime) -> bool:
    """Whether the database answers: while it does not, no message is to blame."""
    try:
        with rt.db.read(PLATFORM) as tx:
            tenants.ids(tx)
    except Unavailable:
        return False
    return True


def _later(error: WeftError) -> Later:
    asked = error.extra.get("retry_after")
    return Later(error.slug, error.detail, float(asked) if isinstance(asked, int | float) else 0.0)


def _refused(error: WeftError) -> Refused:
    return Refused(error.slug, error.detail)


def _received(rt: Runtime, kinds: Kinds, message: Message) -> Verdict:
    try:
        tenant, ctx, message_id = sender(rt, message)
    except NotFound as error:
        return _audited(rt, None, message, Refused("unknown_tenant", error.detail))
    except InvalidInput as error:
        return _audited(rt, None, message, _refused(error))
    try:
        check_signature(rt, tenant, message)
        value = message.value or b""
        once = Once(ctx, tenant, message_id, hashlib.sha256(value).hexdigest())
        with rt.db.read(ctx) as tx:
            known = idempotency.known(tx, ctx, message_id)
        if known:
            return once.again(known)
        admission.check_request(tenant.tier, admission.count_request(rt, ctx, tenant.tier))
        kind, data = _opened(kinds, value)
        return _carried_out(rt, kind, once, data)
    except (RateLimited, QuotaExceeded, Conflict):
        raise
    except (Rejected, Unfinishable) as error:
        return _audited(rt, ctx, message, _refused(error))


def _carried_out(rt: Runtime, kind: Kind, once: Once, data: Shape) -> Taken:
    try:
        return kind.take(rt, once, data)
    except KnownError as first:
        return once.again(first.stored)


def _opened(kinds: Kinds, value: bytes) -> tuple[Kind, Shape]:
    """Raises `InvalidInput`: `too_large`, `bad_json`, `unknown_version` or `bad_envelope`."""
    most = max(kind.bytes_max for kind in kinds.values())
    if len(value) > most:
        told = " ".join(kind.too_large for kind in kinds.values() if kind.too_large)
        raise _too_large(most, told)
    try:
        body = check_plain(json.loads(check_text(value.decode())))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is no JSON: {error}"[:300], code="bad_json") from error
    name = body.get("type") if isinstance(body, dict) else None
    kind = kinds.get(name) if isinstance(name, str) else None
    if len(value) > (kind.bytes_max if kind else BYTES_MAX):
        raise _too_large(kind.bytes_max if kind else BYTES_MAX, kind.too_large if kind else "")
    if not isinstance(body, dict) or body.get("version") != VERSION or body["version"] is True:
        raise InvalidInput(f"`version` must be {VERSION}.", code="unknown_version")
    if kind is None:
        raise _bad_envelope(f"`type` is one of {', '.join(kinds)}")
    if left := body.keys() - {"version", "type", "data"}:
        raise _bad_envelope(f"{min(left)[:64]}: an envelope has version, type and data")
    try:
        return kind, kind.shape.model_validate(body.get("data"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("data", *(str(part) for part in first["loc"])))
        raise _bad_envelope(f"{where}: {first['msg']}") from error


def _too_large(most: int, told: str) -> InvalidInput:
    return InvalidInput(f"A message has at most {most} bytes. {told}".strip(), code="too_large")


def _bad_envelope(told: str) -> InvalidInput:
    return InvalidInput(f"{told}."[:300], code="bad_envelope")


def _execute(catalog: Catalog, rt: Runtime, once: Once, data: _Execute) -> Taken:
    """The run and the memory of its message are one commit."""
    ctx = once.ctx
    submission = replace(Submission(**data.model_dump()), documents=tuple(data.documents))
    references.documents_exist(rt, ctx, submission.documents)
    references.own_documents(rt, ctx, submission.inputs)
    admission.admit_run(rt, ctx, once.tenant.tier)
    with turn(rt, ctx, "submit.commit") as t:
        run = submit_in(rt, t.tx, ctx, submission, catalog=catalog)
        taken = Taken(run.id)
        once.keep(t.tx, taken)
        t.ring(SUPERVISOR)
        t.ring(RELAY)
    return taken


def _audited(rt: Runtime, ctx: Ctx | None, message: Message, why: Refused) -> Refused:
    """In the trail of the tenant that the message named, or else of the operator."""
    claimed = message.text("weft-tenant")[:64]
    if ctx is None:
        with rt.db.read(PLATFORM) as tx:
            try:
                ctx = Ctx(tenants.by_slug(tx, PLATFORM_SLUG).id, ACTOR)
            except NotFound:  # no gateway was ever started
                return why
    with rt.db.transaction(ctx) as tx:
        about = {"code": why.code, "claimed_tenant": claimed}
        audit.record(tx, ctx, "ingest.refuse", message.text("webhook-id")[:160], about)
    return why
