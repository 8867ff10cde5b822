"""Outgoing webhooks, signed after the Standard Webhooks specification 1.0; one id per effect."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.egress import Egress
from connectors.signatures import sign
from core.breaker import Breaker
from core.clock import Clock
from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Reply
from core.ports import EffectCall, EffectClass

PAYLOAD_BYTES_MAX = 1_000_000


class Webhook:
    """Request: `{url, payload}`. Config: `webhook_secret`, a text like `whsec_…`, and while it
    rotates `webhook_secret_old`, which signs too. Keyed: the receiver sees one `webhook-id`
    however often it is sent."""

    effect_class: EffectClass = "keyed"

    def __init__(self, egress: Egress, clock: Clock, breaker: Breaker) -> None:
        self._egress, self._clock, self._breaker = egress, clock, breaker

    def check(self, call: EffectCall) -> None:
        """Raises `InvalidInput` for a bad address, payload or secret."""
        self._egress.check(call.request.get("url", ""))
        body_of(call)
        signatures(call.config, call.key, 0, b"")

    def send(self, call: EffectCall) -> dict[str, Any]:
        """Gives `{status, webhook_id}`; raises `Unavailable` or `Unfinishable`."""
        try:
            target = self._egress.check(call.request.get("url", ""))
            body = body_of(call)
            seconds = self._clock.now_ms() // 1000
            signature = " ".join(signatures(call.config, call.key, seconds, body))
        except InvalidInput as error:
            raise Unfinishable(error.detail, code=error.slug) from error
        headers = {
            "content-type": "application/json",
            "webhook-id": call.key,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature,
        }
        with self._breaker.guard(target.place):
            reply = self._egress.request(
                "POST", target.url, headers=headers, content=body, redirects_max=0, want_body=False
            )
            return self._verdict(call, target.place, reply)

    def lookup(self, call: EffectCall) -> dict[str, Any] | None:
        """A keyed connector is repeated, not looked up."""
        return None

    def _verdict(self, call: EffectCall, place: str, reply: Reply) -> dict[str, Any]:
        status = reply.status
        if 200 <= status < 300:
            return {"status": status, "webhook_id": call.key}
        if status == 410:
            raise Unfinishable(
                f"{place} says that this webhook is gone; remove its address.", code="webhook_gone"
            )
        if status in (408, 425, 429) or status >= 500:
            raise Unavailable(
                f"{place} answered {status}.",
                code="webhook_unavailable",
                **wish(self._clock, reply.headers.get("retry-after", "")),
            )
        raise Unfinishable(f"{place} refused the webhook with {status}.", code="webhook_refused")


def wish(clock: Clock, text: str) -> dict[str, float]:
    """`Retry-After` in seconds or as a date (RFC 9110 §10.2.3), at most a day."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - clock.now_ms() / 1000
        except (ValueError, TypeError):
            return {}
    return {"retry_after": max(0.0, min(seconds, 86_400.0))} if seconds == seconds else {}


def body_of(call: EffectCall) -> bytes:
    """The same bytes on every retry."""
    payload = call.request.get("payload")
    if not isinstance(payload, dict):
        raise InvalidInput("A webhook's payload is a JSON object.", code="bad_payload")
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > PAYLOAD_BYTES_MAX:
        raise InvalidInput(
            f"A webhook's payload is at most {PAYLOAD_BYTES_MAX:,} bytes.", code="bad_payload"
        )
    return text.encode()


def signatures(config: Any, key: str, seconds: int, body: bytes) -> list[str]:
    """`v1,…` for each of the tenant's secrets. Raises `InvalidInput` when there is none."""
    names = ("webhook_secret", "webhook_secret_old")
    secrets = [str(config[name]) for name in names if config.get(name)]
    if not secrets or not all(s.startswith("whsec_") for s in secrets):
        raise InvalidInput(
            "This tenant has no webhook secret. Its admin sets config.webhook_secret to a text "
            "like whsec_<base64>.",
            code="webhook_secret_missing",
        )
    try:
        return [sign(secret, key, seconds, body) for secret in secrets]
    except ValueError as error:
        raise InvalidInput(
            "The tenant's webhook secret is not base64 after whsec_.", code="webhook_secret_bad"
        ) from error
