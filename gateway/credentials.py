"""Credentials as text: signed access tokens (EdDSA), refresh tokens and API keys. No database."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jwt import PyJWS
from jwt.exceptions import InvalidTokenError

from core.derive import signing_key, subkey
from core.errors import Unauthenticated
from core.ids import new_id

ISSUER = AUDIENCE = "weft"
ALGORITHM = "EdDSA"  # fixed here; the token's own header is only compared with it
LEEWAY_SECONDS = 5
TOKEN_CHARS_MAX = 4_096
_INTEGERS = ("exp", "nbf", "iat", "epoch")
_TEXTS = ("iss", "aud", "sub", "tid", "fam", "jti", "typ")


@dataclass(frozen=True, slots=True)
class Access:
    """The claims of an access token that was signed by us."""

    user: str
    tenant: str
    family: str
    epoch: int
    expires_ms: int


class Keyring:
    """Signs and checks. All keys are derived from the root key, one per purpose."""

    def __init__(self, root: bytes) -> None:
        self._private = signing_key(root, "access token")
        self._public = self._private.public_key()
        self._kid = hashlib.sha256(self._public.public_bytes_raw()).hexdigest()[:16]
        self._hmac = subkey(root, "credential hash")
        self._jws = PyJWS(algorithms=[ALGORITHM])

    def sign(self, user: str, tenant: str, family: str, epoch: int, now_ms: int, life: int) -> str:
        """An access token that lives `life` seconds."""
        now = now_ms // 1000
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "typ": "access", "sub": user, "tid": tenant,
            "fam": family, "epoch": epoch, "iat": now, "nbf": now, "exp": now + life,
            "jti": new_id(),
        }  # fmt: skip
        return self.seal(json.dumps(claims).encode())

    def seal(self, payload: bytes, header: dict[str, Any] | None = None) -> str:
        """Signs any payload under our header; `header` adds to it (for tests of the checks)."""
        headers = {"typ": "at+jwt", "kid": self._kid, **(header or {})}
        return self._jws.encode(payload, self._private, ALGORITHM, headers=headers)

    def check(self, token: str, now_ms: int) -> Access:
        """Raises `Unauthenticated`: one for every fault, another for a token that was good once."""
        if len(token) > TOKEN_CHARS_MAX:
            raise refused()
        try:
            parts = self._jws.decode_complete(token, self._public, algorithms=[ALGORITHM])
            claims = json.loads(parts["payload"], object_pairs_hook=_no_twins)
        except (InvalidTokenError, ValueError, TypeError, RecursionError) as error:
            raise refused() from error
        if parts["header"] != {"alg": ALGORITHM, "typ": "at+jwt", "kid": self._kid}:
            raise refused()
        return _access(claims, now_ms)

    def digest(self, secret: str) -> str:
        """What is stored of a refresh token or an API key."""
        return hmac.new(self._hmac, secret.encode("utf-8", "replace"), "sha256").hexdigest()


def _access(claims: Any, now_ms: int) -> Access:
    if not isinstance(claims, dict):
        raise refused()
    whole = all(type(claims.get(name)) is int for name in _INTEGERS)
    if not whole or not all(isinstance(claims.get(name), str) for name in _TEXTS):
        raise refused()
    if (claims["iss"], claims["aud"], claims["typ"]) != (ISSUER, AUDIENCE, "access"):
        raise refused()
    now = now_ms / 1000
    if claims["nbf"] > now + LEEWAY_SECONDS or claims["iat"] > now + LEEWAY_SECONDS:
        raise refused()
    if claims["exp"] <= now:
        raise expired()
    return Access(
        claims["sub"], claims["tid"], claims["fam"], claims["epoch"], claims["exp"] * 1000
    )


def _no_twins(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"the claim {name!r} is there twice")
        made[name] = value
    return made


def new_refresh_token() -> str:
    return "wr_" + secrets.token_urlsafe(32)


def new_api_key() -> tuple[str, str]:
    """The key and its prefix, which may be shown and logged."""
    prefix = secrets.token_hex(4)
    return f"wk_{prefix}_{secrets.token_urlsafe(32)}", prefix


def refused() -> Unauthenticated:
    """One answer for every credential that is missing, malformed, forged or revoked."""
    return Unauthenticated("Sign in at POST /auth/login, or send a valid API key in X-API-Key.")


def expired() -> Unauthenticated:
    return Unauthenticated(
        "The access token has expired. Get a new one with your refresh token.",
        code="token_expired",
        hint="POST /auth/refresh {refresh_token}",
    )
