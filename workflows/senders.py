"""Who sent a message: the tenant whose secret signed it."""

from __future__ import annotations

import re

from connectors.signatures import signed_by
from core.context import PLATFORM, Ctx, scopes_of
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.messages import Message
from database import Tx, tenants
from database.tenants import PLATFORM_SLUG, Tenant
from runtime import Runtime
from workflows import ingest_secrets

ACTOR = "ingest"
# Ids are forgotten after seven days (`gateway.once`).
SIGNED_SECONDS_MAX, SKEW_SECONDS = 6 * 86_400, 300
_ID = re.compile(r"^[!-~]{1,200}$")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,80}$")
# Whoever sends messages is no person: nothing of theirs decides an approval.
_SCOPES = scopes_of(["operator"]) - {"approvals:decide"}


def sender(rt: Runtime, message: Message) -> tuple[Tenant, Ctx, str]:
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


def check_signature(rt: Runtime, tenant: Tenant, message: Message) -> None:
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
