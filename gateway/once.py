"""`Idempotency-Key`: a creating request is carried out once and answered the same way again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from core.errors import InvalidInput
from core.vault import seal, unseal
from database import Tx, idempotency
from gateway.house import Caller

KEPT_MS = 7 * 24 * 3_600_000


# Stores the answer in the transaction that it is handed.
Keep: TypeAlias = Callable[[Tx, BaseModel], None]


@dataclass(frozen=True, slots=True)
class Once:
    key: str | None
    route: str

    def __call__(
        self, who: Caller, request: Any, carry_out: Callable[[], BaseModel], *, status: int = 201
    ) -> Response:
        """Carries `carry_out` out, or gives the stored answer. `request` is whatever makes two
        requests the same: a schema or plain JSON."""

        def then_keep(keep: Keep) -> BaseModel:
            answer = carry_out()
            with who.rt.db.transaction(who.ctx) as tx:
                keep(tx, answer)
            return answer

        return self.within(who, request, then_keep, status=status)

    def within(
        self, who: Caller, request: Any, carry_out: Callable[[Keep], BaseModel], *, status: int
    ) -> Response:
        """The same where `carry_out` keeps its answer by itself, in the transaction of what it
        makes: then no crash can leave one without the other."""
        if self.key is None:
            return _response(status, carry_out(_forget).model_dump_json().encode())
        found = self._begin(who, _digest(request))
        if isinstance(found, idempotency.Stored):
            body = unseal(who.rt.keys(who.ctx), base64.b64decode(found.response), self._address)
            return _response(found.status, body, {"Idempotent-Replayed": "true"})
        try:
            answer = carry_out(partial(self._keep, who, found, status))
        except BaseException:
            with who.rt.db.transaction(who.ctx) as tx:
                idempotency.release(tx, who.ctx, self.key)
            raise
        return _response(status, answer.model_dump_json().encode())

    @property
    def _address(self) -> str:
        return f"idempotency/{self.route}/{self.key}"

    def _begin(self, who: Caller, body_hash: str) -> idempotency.Stored | int:
        assert self.key is not None
        # A request that died half-way, with its gateway say, may be repeated after a lease.
        lease_ms = int(who.rt.settings.lease_seconds * 1000)
        with who.rt.db.transaction(who.ctx) as tx:
            if tx.now_ms % 64 == 0:  # now and then is often enough
                idempotency.sweep(tx, tx.now_ms - KEPT_MS)
            return idempotency.begin(
                tx, who.ctx, self.key, route=self.route, body_hash=body_hash, lease_ms=lease_ms
            )

    def _keep(self, who: Caller, fence: int, status: int, tx: Tx, answer: BaseModel) -> None:
        assert self.key is not None
        body = answer.model_dump_json().encode()
        # Sealed: an answer may show an API key, which is kept nowhere in the clear.
        sealed = seal(who.rt.keys(who.ctx), body, self._address)
        text = base64.b64encode(sealed).decode()
        idempotency.finish(tx, who.ctx, self.key, fence, status, text)


def _forget(_tx: Tx, _answer: BaseModel) -> None:
    """Without a key nothing is kept."""


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
