"""What Google's API answers, and in words what it refuses."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from core.errors import Unavailable, Unfinishable
from core.net import Reply
from ingestion.sources.wire import quoted

_LIMITS = ("rateLimitExceeded", "userRateLimitExceeded", "backendError")
_RAW = re.compile(rb'"raw"\s*:\s*"([A-Za-z0-9_=-]*)"')


def mail_in(reply: Reply) -> tuple[Mapping[str, Any], bytes | None]:
    """What is told of a mail, and the mail itself, None where there is none: it may have 50 MB and
    is never held as text. Raises like `plain`."""
    found = _RAW.search(reply.body)
    if found is None:
        return plain(reply), None
    start, end = found.span(1)
    rest = Reply(reply.status, {}, reply.body[:start] + reply.body[end:], reply.url)
    try:
        raw = found[1]
        return plain(rest), base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        return plain(rest), None


def refused(reply: Reply, who: str) -> dict[str, Any]:
    """In words. Raises always."""
    code, words = _reason(reply)
    later = reply.status in (429, 500, 502, 503, 504) or code in _LIMITS
    if later:
        wait = reply.headers.get("retry-after", "")
        more = {"retry_after": int(wait)} if wait.isdigit() and len(wait) < 5 else {}
        raise Unavailable(f"{who} asks to wait: {words}", code="busy", **more)
    advice = _ADVICE.get(code) or "Look at the OAuth client and its scope gmail.readonly at Google."
    raise Unfinishable(
        f"{who} refuses with {reply.status}: {words}. {advice}",
        code="sign_in_refused" if reply.status in (400, 401, 403) else "refused",
    )


_ADVICE = {
    "invalid_grant": "The refresh token is over or was taken back: sign in at Google again and "
    "set the new one.",
    "invalid_client": "Correct `client_id` and the secret `client_secret`.",
    "unauthorized_client": "The OAuth client may not use refresh tokens: make one of the kind "
    "that may.",
    "accessNotConfigured": "Switch the Gmail API on for the project of the OAuth client.",
    "insufficientPermissions": "Sign in again with the scope gmail.readonly.",
    "notFound": "There is no such label: labels are given by their id, such as INBOX or Label_7.",
}


def _reason(reply: Reply) -> tuple[str, str]:
    """Google's code and words: `{error, error_description}` or `{error: {message, errors}}`."""
    try:
        told = json.loads(reply.body)
    except ValueError:
        return "", f"status {reply.status}"
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, str):
        return error, quoted(told.get("error_description") or error)
    if not isinstance(error, dict):
        return "", f"status {reply.status}"
    first: Any = next(iter(error.get("errors") or ()), {})
    code = str(first.get("reason", "")) if isinstance(first, dict) else ""
    return code, quoted(error.get("message") or code)


def plain(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Unavailable("Google's answer is no JSON.", code="broken_off") from error
    return found if isinstance(found, dict) else {}
