"""A request with an `Idempotency-Key` is carried out once; its answer is kept and given again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from core.context import Ctx
from core.errors import Conflict, InvalidInput
from database.engine import Tx
from database.tables import idempotency


@dataclass(frozen=True, slots=True)
class Stored:
    """The kept answer; `response` is sealed by the gateway."""

    status: int
    response: Any


def begin(tx: Tx, ctx: Ctx, key: str, *, route: str, body_hash: str, lease_ms: int) -> Stored | int:
    """A number: carry it out, then `finish` with that fence, or `release`. A request that died
    half-way is taken over after its lease. Raises `InvalidInput` for another body and `Conflict`
    while one is running."""
    row = tx.execute(select(idempotency).where(_is(ctx, key)).with_for_update()).first()
    if row is None:
        _reserve(tx, ctx, key, route, body_hash)
        return tx.now_ms
    if (row.route, row.body_hash) != (route, body_hash):
        raise InvalidInput(
            "This Idempotency-Key was used with another request. Take a new key.",
            code="idempotency_mismatch",
        )
    if row.status is not None:
        return Stored(row.status, row.response)
    if row.created_ms + lease_ms > tx.now_ms:
        raise _running()
    tx.execute(update(idempotency).where(_is(ctx, key)).values(created_ms=tx.now_ms))
    return tx.now_ms


def known(tx: Tx, ctx: Ctx, key: str) -> Stored | None:
    """The kept answer, if there is one; changes nothing."""
    row = tx.execute(select(idempotency).where(_is(ctx, key))).first()
    return None if row is None or row.status is None else Stored(row.status, row.response)


def finish(tx: Tx, ctx: Ctx, key: str, fence: int, status: int, response: Any) -> None:
    """In the transaction of what was asked for, where there is one: both are kept or neither.
    Raises `Conflict` when another request has taken the key over."""
    mine = (idempotency.c.created_ms == fence) & idempotency.c.status.is_(None)
    done = tx.execute(
        update(idempotency).where(_is(ctx, key), mine).values(status=status, response=response)
    )
    if done.rowcount != 1:
        raise _running()


def release(tx: Tx, ctx: Ctx, key: str) -> None:
    """The request was refused and changed nothing: the key may be used again."""
    tx.execute(delete_from(idempotency).where(_is(ctx, key), idempotency.c.status.is_(None)))


def release_all(tx: Tx) -> None:
    """At a gateway's start: whoever was at work on a request before may be dead. One that is alive
    after all meets its missing fence at `finish`."""
    tx.execute(delete_from(idempotency).where(idempotency.c.status.is_(None)))


def sweep(tx: Tx, older_than_ms: int) -> None:
    """Forgets answers older than that; at least a day old."""
    tx.execute(delete_from(idempotency).where(idempotency.c.created_ms < older_than_ms))


def _reserve(tx: Tx, ctx: Ctx, key: str, route: str, body_hash: str) -> None:
    row = {
        "tenant_id": ctx.tenant, "actor": ctx.actor, "key": key, "route": route,
        "body_hash": body_hash, "created_ms": tx.now_ms,
    }  # fmt: skip
    try:
        tx.execute(insert(idempotency), row)
    except IntegrityError as error:
        raise _running() from error


def _running() -> Conflict:
    return Conflict(
        "The first request with this Idempotency-Key is still running.",
        code="idempotency_running",
        retry_after=1,
    )


def _is(ctx: Ctx, key: str) -> Any:
    return (
        (idempotency.c.tenant_id == ctx.tenant)
        & (idempotency.c.actor == ctx.actor)
        & (idempotency.c.key == key)
    )
