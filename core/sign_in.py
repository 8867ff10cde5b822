"""Signing in at an outside HTTP API: by a header, a query parameter or an OAuth2 token."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

from core.errors import Unfinishable
from core.net import Reply

NEEDED: Mapping[str, tuple[str, ...]] = {
    "none": (), "basic": ("username", "password"), "bearer": ("token",), "header": ("api_key",),
    "query": ("api_key",), "oauth2": ("client_id", "client_secret"),
}  # fmt: skip


def headers_of(style: str, name: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """Of the styles without a token; `name` is the header's of the style `header`."""
    match style:
        case "basic":
            return {"authorization": _basic(f"{secrets['username']}:{secrets['password']}")}
        case "bearer":
            return bearer(secrets["token"])
        case "header":
            return {name.lower(): secrets["api_key"]}
        case _:
            return {}


def query_of(style: str, name: str, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, secrets["api_key"])] if style == "query" else []


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def token_request(secrets: Mapping[str, str], scope: str) -> tuple[dict[str, str], bytes]:
    """Headers and content: client credentials (RFC 6749 §4.4), the client in a header (§2.3.1)."""
    asked = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    client = [quote_plus(secrets[name]) for name in ("client_id", "client_secret")]
    headers = {
        "authorization": _basic(":".join(client)),
        "content-type": "application/x-www-form-urlencoded", "accept": "application/json",
    }  # fmt: skip
    return headers, urlencode(asked).encode()


def token_of(reply: Reply, place: str) -> str:
    """Raises `Unfinishable`."""
    try:
        told = json.loads(reply.body) if reply.status == 200 else {}
    except (ValueError, RecursionError):
        told = {}
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not token or not token.isprintable() or not token.isascii():
        raise Unfinishable(
            f"{place} gives no token for this client: it answered {reply.status}. Correct "
            "client_id, client_secret, `token_url` or `scope`.",
            code="sign_in_refused", status=reply.status,
        )  # fmt: skip
    return token


def without(text: str, secrets: Mapping[str, str]) -> str:
    """Some APIs send back what they were sent."""
    for value in secrets.values():
        if len(value) >= 6:
            text = text.replace(value, "***")
    return text


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
