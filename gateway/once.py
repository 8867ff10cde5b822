"""`Idempotency-Key`: a creating request is carried out once and answered the same way again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from core.errors import InvalidInput
from core.vault import seal, unseal
from database import idempotency
from gateway.house import Caller

LEASE_MS = 60_000  # a request that died half-way may be repeated after that
KEPT_MS = 7 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Once:
    key: str | None
    route: str

    def __call__(
        self, who: Caller, request: Any, carry_out: Callable[[], BaseModel], *, status: int = 201
    ) -> Response:
        """Carries `carry_out` out, or gives the stored answer. `request` is whatever makes two
        requests the same: a schema or plain JSON."""
        if self.key is None:
            return _response(status, carry_out().model_dump_json().encode())
        stored = self._begin(who, _digest(request))
        if stored is not None:
            body = unseal(who.rt.keys(who.ctx), base64.b64decode(stored.response), self._address)
            return _response(stored.status, body, {"Idempotent-Replayed": "true"})
        try:
            body = carry_out().model_dump_json().encode()
        except BaseException:
            with who.rt.db.transaction() as tx:
                idempotency.release(tx, who.ctx, self.key)
            raise
        self._finish(who, status, body)
        return _response(status, body)

    @property
    def _address(self) -> str:
        return f"idempotency/{self.route}/{self.key}"

    def _begin(self, who: Caller, body_hash: str) -> idempotency.Stored | None:
        assert self.key is not None
        with who.rt.db.transaction() as tx:
            if tx.now_ms % 64 == 0:  # now and then is often enough
                idempotency.sweep(tx, tx.now_ms - KEPT_MS)
            return idempotency.begin(
                tx, who.ctx, self.key, route=self.route, body_hash=body_hash, lease_ms=LEASE_MS
            )

    def _finish(self, who: Caller, status: int, body: bytes) -> None:
        assert self.key is not None
        # Sealed: an answer may show an API key, which is kept nowhere in the clear.
        sealed = seal(who.rt.keys(who.ctx), body, self._address)
        with who.rt.db.transaction() as tx:
            idempotency.finish(tx, who.ctx, self.key, status, base64.b64encode(sealed).decode())


def _digest(request: Any) -> str:
    if isinstance(request, BaseModel):
        request = request.model_dump(mode="json")
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _response(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, "application/json")


async def _once(
    request: Request,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Once:
    if idempotency_key is not None and not idempotency_key.isprintable():
        raise InvalidInput("An Idempotency-Key is printable text.", code="bad_idempotency_key")
    return Once(idempotency_key, f"{request.method} {request.url.path}"[:255])


Creating: TypeAlias = Annotated[Once, Depends(_once)]
