"""Fifty messages that can never be a run, each with the reason that it must be given."""

from __future__ import annotations

from typing import Any

from core.context import Ctx
from core.messages import Message
from runtime import Runtime
from tests.fakes.topics import envelope, secret_of, signed
from workflows.intake import BYTES_MAX, SIGNED_SECONDS_MAX


def poisons(rt: Runtime, ctx: Ctx, other: Ctx) -> list[tuple[Message, str]]:
    """Five of each of ten kinds; no two are the same message."""
    return [one for n in range(5) for one in _ten(rt, ctx, other, n)]


def _ten(rt: Runtime, ctx: Ctx, other: Ctx, n: int) -> list[tuple[Message, str]]:
    def body(**more: Any) -> dict[str, Any]:
        return {**envelope(metadata={"n": n}), **more}

    broken = (b"{", b"\xff\xfe", b"[" * 100_000, b'{"version": NaN}', b"")[n]
    old = rt.clock.now_ms() - (SIGNED_SECONDS_MAX + 1 + n) * 1000
    no_id = signed(rt, ctx, body())
    return [
        (signed(rt, ctx, broken), "bad_signature" if n == 1 else "bad_json"),
        (signed(rt, ctx, body(version=2 + n)), "unknown_version"),
        (signed(rt, ctx, body(), tenant=f"nobody-{n}"), "unknown_tenant"),
        (signed(rt, ctx, b'{"a": "' + b"x" * (BYTES_MAX + n) + b'"}'), "too_large"),
        (signed(rt, ctx, body(), key=None), "no_key"),
        (signed(rt, ctx, body(), secret=secret_of(rt, other)), "bad_signature"),
        (signed(rt, ctx, body(), at_ms=old), "signature_expired"),
        (signed(rt, ctx, body(type="workflow.delete")), "bad_envelope"),
        (signed(rt, ctx, body(data={"workflow": f"no-such-{n}"})), "not_found"),
        (Message(no_id.key, no_id.value, {"weft-tenant": ctx.tenant.encode()}), "not_signed"),
    ]
