"""Standard Webhooks signatures 1.0 (standardwebhooks.com), made and checked."""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime


def sign(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """`v1,…`; `secret` is a text like `whsec_<base64>`. Raises `ValueError` for a bad one and for
    a body that is no UTF-8."""
    import standardwebhooks

    when = datetime.fromtimestamp(seconds, UTC)
    try:
        made: str = standardwebhooks.Webhook(secret).sign(message_id, when, body.decode())
    except (binascii.Error, standardwebhooks.webhooks.EmptyWebhookSecretError) as error:
        raise ValueError("the secret is not base64 after whsec_") from error
    return made


def signed_by(
    secrets: Sequence[str], message_id: str, seconds: int, body: bytes, signatures: str
) -> bool:
    """Whether one of the space-separated signatures is one of ours. How old it may be is the
    caller's business: the library's own limit of five minutes is for HTTP."""
    try:
        ours = [sign(secret, message_id, seconds, body).encode() for secret in secrets]
    except (ValueError, OverflowError, OSError):
        return False
    given = [one.encode() for one in signatures.split()[:10]]
    return any(hmac.compare_digest(mine, one) for mine in ours for one in given)


def hmac_of(secret: str, body: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(secret.encode(), body, "sha256").digest()
