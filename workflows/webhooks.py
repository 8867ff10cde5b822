"""Signed calls in: a call that was signed by the trigger's secret starts its workflow, once.

Presets: Standard Webhooks 1.0, GitHub (`X-Hub-Signature-256`), Stripe (`Stripe-Signature`) and
plain HMAC-SHA256 in a header of one's choice. Sources: standardwebhooks.com,
docs.github.com/webhooks, docs.stripe.com/webhooks/signature.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.signatures import hmac_of, signed_by
from core.clock import rfc3339
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput, Unauthenticated
from core.failpoints import fp
from core.plain import check_plain, check_text
from core.vault import unseal
from database import idempotency, tenants, triggers
from database.triggers import Trigger
from runtime import Runtime
from workflows import admission
from workflows.triggers import context_of, leave, ring, start

BYTES_MAX = 512 * 2**10
_TOLERANCE_SECONDS = 300
_LEASE_MS = 30_000
_ROUTE = "trigger"


@dataclass(frozen=True, slots=True)
class Fired:
    """`again`: the same call came before, and this is what it started then."""

    workflow_id: str
    again: bool = False


def secret_address(trigger_id: str) -> str:
    return f"trigger-secret/{trigger_id}"


def receive(rt: Runtime, trigger_id: str, headers: Mapping[str, str], body: bytes) -> Fired:
    """`headers` in lower case. Raises `Unauthenticated` (not signed by the secret of a trigger that
    is on; which of them it is cannot be told from outside), `InvalidInput` (no JSON
    object) or what the tenant's limits raise."""
    trigger, ctx = _found(rt, trigger_id)
    with rt.db.read(ctx) as tx:
        tier = tenants.own(tx, ctx).tier
    admission.check_request(tier, admission.count_request(rt, ctx, tier))
    if trigger.secret is None:
        raise _unsigned()
    secret = unseal(rt.keys(ctx), trigger.secret, secret_address(trigger_id)).decode()
    preset = str(trigger.config["preset"])
    now = rt.clock.now_ms() // 1000
    event_id = _CHECKS[preset](secret, headers, body, trigger.config, now)
    payload = _payload(body)
    if preset == "stripe":
        event_id = str(payload.get("id") or event_id)
    return _started(rt, ctx, trigger, event_id[:200], payload, hashlib.sha256(body).hexdigest())


def _found(rt: Runtime, trigger_id: str) -> tuple[Trigger, Ctx]:
    with rt.db.read(PLATFORM) as tx:
        tenant = triggers.tenant_of(tx, trigger_id)
    if tenant is None:
        raise _unsigned()
    with rt.db.read(Ctx(tenant, "system")) as tx:
        one = triggers.get(tx, Ctx(tenant, "system"), trigger_id)
    if one.kind != "webhook" or not one.enabled:
        raise _unsigned()
    return one, context_of(tenant, one)


def _started(
    rt: Runtime, ctx: Ctx, trigger: Trigger, event_id: str, payload: Any, digest: str
) -> Fired:
    event = {"kind": "webhook", "id": event_id, "at": rfc3339(rt.clock.now_ms()), "body": payload}
    with rt.db.read(ctx) as tx:
        known = idempotency.known(tx, ctx, event_id)
        tier = tenants.own(tx, ctx).tier
    allowed = None if known else leave(rt, trigger, ctx.tenant, tier)
    with fp("trigger.commit"), rt.db.transaction(ctx) as tx:
        fence = idempotency.begin(
            tx, ctx, event_id, route=_ROUTE, body_hash=digest, lease_ms=_LEASE_MS
        )
        if isinstance(fence, idempotency.Stored):
            return Fired(str(fence.response["workflow_id"]), again=True)
        if allowed is not None:
            raise allowed
        run_id = start(rt, tx, trigger, ctx.tenant, event)
        idempotency.finish(tx, ctx, event_id, fence, 202, {"workflow_id": run_id})
    ring(rt)
    return Fired(run_id)


def _payload(body: bytes) -> Any:
    try:
        value = check_plain(json.loads(check_text(body.decode())))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is no JSON: {error}"[:300], code="bad_json") from error
    if not isinstance(value, dict):
        raise InvalidInput("The body must be a JSON object.", code="bad_json")
    return value


def _standard(
    secret: str, headers: Mapping[str, str], body: bytes, config: Mapping[str, Any], now: int
) -> str:
    del config
    event_id = headers.get("webhook-id", "")
    at = _seconds(headers.get("webhook-timestamp", ""), now)
    if not event_id or not signed_by([secret], event_id, at, body,
                                     headers.get("webhook-signature", "")):  # fmt: skip
        raise _unsigned()
    return event_id


def _github(
    secret: str, headers: Mapping[str, str], body: bytes, config: Mapping[str, Any], now: int
) -> str:
    del config, now
    given = headers.get("x-hub-signature-256", "").removeprefix("sha256=")
    if not hmac.compare_digest(hmac_of(secret, body).hex().encode(), given.encode()):
        raise _unsigned()
    return headers.get("x-github-delivery") or hashlib.sha256(body).hexdigest()


def _stripe(
    secret: str, headers: Mapping[str, str], body: bytes, config: Mapping[str, Any], now: int
) -> str:
    del config
    parts = [one.strip().partition("=") for one in headers.get("stripe-signature", "").split(",")]
    told = next((value for name, _, value in parts if name == "t"), "")
    at = _seconds(told, now)
    made = hmac_of(secret, b"%d." % at + body).hex().encode()
    given = [value.encode() for name, _, value in parts[:10] if name == "v1"]
    if not any(hmac.compare_digest(made, one) for one in given):
        raise _unsigned()
    return hashlib.sha256(body).hexdigest()


def _hmac(
    secret: str, headers: Mapping[str, str], body: bytes, config: Mapping[str, Any], now: int
) -> str:
    del now
    given = headers.get(str(config["header"]).lower(), "").strip()
    given = given.removeprefix(str(config.get("prefix", "")))
    made = hmac_of(secret, body)
    try:
        raw = b64decode(given, validate=True) if config.get("encoding") == "base64" else (
            bytes.fromhex(given))  # fmt: skip
    except (ValueError, binascii.Error):
        raise _unsigned() from None
    if not hmac.compare_digest(made, raw):
        raise _unsigned()
    named = headers.get(str(config.get("id_header", "")).lower(), "")
    return named or hashlib.sha256(body).hexdigest()


_CHECKS = {"standard": _standard, "github": _github, "stripe": _stripe, "hmac": _hmac}


def _seconds(text: str, now: int) -> int:
    """When it was signed: an old call that somebody plays again is refused."""
    if not text.isascii() or not text.isdigit() or abs(int(text[:18]) - now) > _TOLERANCE_SECONDS:
        raise _unsigned()
    return int(text)


def _unsigned() -> Unauthenticated:
    return Unauthenticated(
        "There is no such trigger, or the call is not signed by its secret, or was signed too long "
        "ago.",
        code="bad_signature",
    )
