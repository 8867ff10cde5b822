"""Outside actions, one row each, frozen before they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from database.engine import Tx
from database.prepared import Prepared
from database.tables import effects

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    id: str
    run_id: str
    step_id: str
    ordinal: int
    key: str
    connector: str
    effect_class: str
    target: str
    summary: str
    request: Json
    request_hash: str
    sources: Sequence[Json]
    cost_micro: int
    status: str
    response: Json | None
    error: Json | None
    attempts: int
    created_ms: int
    sent_ms: int | None
    completed_ms: int | None


_columns = tuple(effects.c[field.name] for field in fields(Effect))
_mine = (effects.c.tenant_id == bindparam("tenant"), effects.c.id == bindparam("effect"))
_get = Prepared(select(*_columns).where(*_mine))
_of_run = Prepared(
    select(*_columns)
    .where(effects.c.tenant_id == bindparam("tenant"), effects.c.run_id == bindparam("run"))
    .order_by(effects.c.step_id, effects.c.ordinal)
)
_insert = Prepared(insert(effects))


def add_many(tx: Tx, ctx: Ctx, rows: Sequence[Json]) -> None:
    if rows:
        tx.execute(_insert, [{"tenant_id": ctx.tenant, **row} for row in rows])


def get(tx: Tx, ctx: Ctx, effect_id: str) -> Effect:
    row = tx.execute(_get, {"tenant": ctx.tenant, "effect": effect_id}).first()
    if row is None:
        raise NotFound("There is no such outside action.")
    return Effect(*row)


def of_run(tx: Tx, ctx: Ctx, run_id: str) -> list[Effect]:
    found = tx.execute(_of_run, {"tenant": ctx.tenant, "run": run_id})
    return [Effect(*row) for row in found]


def change(tx: Tx, ctx: Ctx, effect_id: str, **values: Any) -> None:
    tx.execute(
        update(effects).where(*_mine).values(**values),
        {"tenant": ctx.tenant, "effect": effect_id},
    )


def cancel_open(tx: Tx, ctx: Ctx, run_id: str) -> None:
    """What has not been sent will not be."""
    tx.execute(
        update(effects)
        .where(
            effects.c.tenant_id == ctx.tenant,
            effects.c.run_id == run_id,
            effects.c.step_id != "callback",
            effects.c.status.in_(("waiting_approval", "reserved")),
        )
        .values(status="cancelled", completed_ms=tx.now_ms)
    )
