"""Messages in: a signed envelope becomes a run, once, however often it is delivered.

The tenant is the one whose secret signed the message. A message's id is remembered for longer than
its signature is good, so that an old message that somebody plays again is known or refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.signatures import signed_by
from core import telemetry
from core.context import PLATFORM, Ctx, scopes_of
from core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    RateLimited,
    Unavailable,
    Unfinishable,
    WeftError,
)
from core.ids import new_id
from core.messages import Later, Message, Refused, Taken, Verdict
from core.plain import check_plain, check_text
from database import Tx, audit, idempotency, tenants
from database.tenants import PLATFORM_SLUG, Tenant
from runtime import Runtime
from workflows import admission, ingest_secrets, references
from workflows.submission import SUPERVISOR, Submission, submit_in
from workflows.tasks import Catalog
from workflows.turn import RELAY, turn

VERSION = 1
ACTOR, ROUTE = "ingest", "ingest"
BYTES_MAX = 512 * 2**10
# Ids are forgotten after seven days (`gateway.once`).
SIGNED_SECONDS_MAX, SKEW_SECONDS = 6 * 86_400, 300
_ID = re.compile(r"^[!-~]{1,200}$")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,80}$")
# Whoever sends messages is no person: nothing of theirs decides an approval.
_SCOPES = scopes_of(["operator"]) - {"approvals:decide"}

_Plain = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=100)]


class _Execute(BaseModel):
    """What `POST /workflows/execute` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    workflow: Annotated[str, Field(max_length=80)] | None = None
    definition: dict[str, Any] | None = None
    goal: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    inputs: _Plain = {}
    documents: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10_000)] = []
    priority: Annotated[int, Field(ge=1, le=10)] = 5
    callback_url: Annotated[str, Field(max_length=2000)] | None = None
    metadata: _Plain = {}


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    type: Literal["workflow.execute"]
    data: _Execute


def receive(rt: Runtime, catalog: Catalog, message: Message) -> Verdict:
    """Never raises what a message can cause. `Taken` is durable."""
    parent = message.text("traceparent") or None
    try:
        with telemetry.span("message intake", parent=parent, kind="consumer"):
            return _received(rt, catalog, message)
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


def _received(rt: Runtime, catalog: Catalog, message: Message) -> Verdict:
    try:
        tenant, ctx, message_id = _sender(rt, message)
    except NotFound as error:
        return _audited(rt, None, message, Refused("unknown_tenant", error.detail))
    except InvalidInput as error:
        return _audited(rt, None, message, _refused(error))
    try:
        _check_signature(rt, tenant, message)
        value = _checked(message)
        digest = hashlib.sha256(value).hexdigest()
        with rt.db.read(ctx) as tx:
            known = idempotency.known(tx, ctx, message_id)
        if known:
            return _again(known, digest)
        admission.check_request(tenant.tier, admission.count_request(rt, ctx, tenant.tier))
        submission = _submission(value)
        references.documents_exist(rt, ctx, submission.documents)
        references.own_documents(rt, ctx, submission.inputs)
        admission.admit_run(rt, ctx, tenant.tier)
        return _submit(rt, ctx, catalog, submission, message_id, digest)
    except (InvalidInput, NotFound, Unfinishable) as error:
        return _audited(rt, ctx, message, _refused(error))


def _sender(rt: Runtime, message: Message) -> tuple[Tenant, Ctx, str]:
    """Whom the message claims to be from; nothing of it is believed yet."""
    if not message.key:
        raise InvalidInput("A message needs a key, such as its tenant's name.", code="no_key")
    name, message_id = message.text("weft-tenant"), message.text("webhook-id")
    if not name or not message_id or not message.text("webhook-signature"):
        raise InvalidInput(
            "The headers weft-tenant, webhook-id, webhook-timestamp and webhook-signature are "
            "needed.",
            code="not_signed",
        )
    if not _ID.match(message_id) or len(name) > 64 or not name.isascii():
        raise InvalidInput("webhook-id is 1 to 200 visible characters.", code="bad_headers")
    with rt.db.read(PLATFORM) as tx:
        tenant_id = _named(tx, name).id
    request = message_id if _REQUEST_ID.match(message_id) else new_id()
    ctx = Ctx(tenant_id, ACTOR, frozenset({"operator"}), _SCOPES, request)
    with rt.db.read(ctx) as tx:
        return tenants.own(tx, ctx), ctx, message_id


def _named(tx: Tx, name: str) -> Tenant:
    try:
        return tenants.by_slug(tx, name)
    except NotFound:
        return tenants.get(tx, name)


def _check_signature(rt: Runtime, tenant: Tenant, message: Message) -> None:
    """Raises `InvalidInput`."""
    now, at = rt.clock.now_ms() // 1000, message.number("webhook-timestamp", -1)
    secrets = ingest_secrets.valid(rt, tenant, now * 1000)
    given, message_id = message.text("webhook-signature"), message.text("webhook-id")
    if at < 0 or not signed_by(secrets, message_id, at, message.value or b"", given):
        raise InvalidInput(
            f"No secret of the tenant {tenant.slug!r} signed this message.", code="bad_signature"
        )
    if not now - SIGNED_SECONDS_MAX < at < now + SKEW_SECONDS:
        raise InvalidInput(
            f"It was signed {now - at} s ago; a signature is good for "
            f"{SIGNED_SECONDS_MAX // 86_400} days.",
            code="signature_expired",
        )
    if tenant.status != "active" or tenant.slug == PLATFORM_SLUG:
        raise InvalidInput(f"The tenant {tenant.slug!r} may not run anything.", code="no_runs")


def _checked(message: Message) -> bytes:
    value = message.value or b""
    if len(value) > BYTES_MAX:
        raise InvalidInput(f"A message has at most {BYTES_MAX} bytes.", code="too_large")
    return value


def _submission(value: bytes) -> Submission:
    """Raises `InvalidInput`: `bad_json`, `unknown_version` or `bad_envelope`."""
    try:
        body = check_plain(json.loads(check_text(value.decode())))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is no JSON: {error}"[:300], code="bad_json") from error
    if not isinstance(body, dict) or body.get("version") != VERSION:
        raise InvalidInput(f"`version` must be {VERSION}.", code="unknown_version")
    try:
        data = _Envelope.model_validate(body).data
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}"[:300], code="bad_envelope") from error
    given = data.model_dump()
    return replace(Submission(**given), documents=tuple(data.documents))


def _again(stored: idempotency.Stored, digest: str) -> Taken:
    if stored.response["digest"] != digest:
        raise InvalidInput(
            "This webhook-id was used for another message. Take a new one for each.",
            code="idempotency_mismatch",
        )
    return Taken(str(stored.response["run_id"]), again=True)


def _submit(
    rt: Runtime, ctx: Ctx, catalog: Catalog, submission: Submission, message_id: str, digest: str
) -> Taken:
    """The run and the memory of its message are one commit."""
    with turn(rt, ctx, "submit.commit") as t:
        begun = idempotency.begin(
            t.tx, ctx, message_id, route=ROUTE, body_hash=digest, lease_ms=0
        )  # fmt: skip
        if isinstance(begun, idempotency.Stored):  # another process was first
            return _again(begun, digest)
        run = submit_in(rt, t.tx, ctx, submission, catalog=catalog)
        kept = {"run_id": run.id, "digest": digest}
        idempotency.finish(t.tx, ctx, message_id, begun, 202, kept)
        t.ring(SUPERVISOR)
        t.ring(RELAY)
    return Taken(run.id)


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
