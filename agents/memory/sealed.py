"""JSON under the tenant's key. The address binds it to its place: moved elsewhere it is nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from core.context import Ctx
from core.vault import seal, unseal
from runtime import Runtime


def close(rt: Runtime, ctx: Ctx, place: str, value: Any) -> bytes:
    data = json.dumps(value, separators=(",", ":")).encode()
    return seal(rt.keys(ctx), data, _address(ctx, place))


def open_(rt: Runtime, ctx: Ctx, place: str, sealed: bytes) -> Any:
    """Raises `Unfinishable` for what was sealed for another place, actor or tenant."""
    return json.loads(unseal(rt.keys(ctx), bytes(sealed), _address(ctx, place)))


def fingerprint(rt: Runtime, ctx: Ctx, *parts: str) -> str:
    """64 hex digits; without the tenant's key nobody can tell from it what the parts were."""
    text = json.dumps(parts).encode()
    return hmac.new(rt.keys(ctx), b"fingerprint\n" + text, hashlib.sha256).hexdigest()


def _address(ctx: Ctx, place: str) -> str:
    return f"memory/{ctx.tenant}/{place}"
