"""What was thought once: a step's recorded outputs of models and parsers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from core.context import Ctx
from database.engine import Tx
from database.prepared import Prepared
from database.tables import journal

_insert = Prepared(insert(journal))
_get = Prepared(
    select(journal.c.value).where(
        journal.c.tenant_id == bindparam("tenant"),
        journal.c.run_id == bindparam("run"),
        journal.c.step_id == bindparam("step"),
        journal.c.key == bindparam("key_"),
    )
)


def get(tx: Tx, ctx: Ctx, run_id: str, step_id: str, key: str) -> tuple[bool, Any]:
    """Whether `key` was recorded, and its value."""
    params = {"tenant": ctx.tenant, "run": run_id, "step": step_id, "key_": key}
    row = tx.execute(_get, params).first()
    return (False, None) if row is None else (True, row[0])


@dataclass(frozen=True, slots=True)
class Entry:
    step_id: str
    key: str
    value: Any


def listing(tx: Tx, ctx: Ctx, run_id: str, *, suffix: str = "") -> list[Entry]:
    """What the run's steps recorded under keys that end so, in the order in which they did."""
    mine = (journal.c.tenant_id == ctx.tenant) & (journal.c.run_id == run_id)
    query = select(journal).where(mine, journal.c.key.endswith(suffix, autoescape=True))
    rows = tx.execute(query.order_by(journal.c.created_ms, journal.c.key))
    return [Entry(row.step_id, row.key, row.value) for row in rows]


def put(tx: Tx, ctx: Ctx, run_id: str, step_id: str, key: str, value: Any) -> None:
    tx.execute(
        _insert,
        {
            "tenant_id": ctx.tenant, "run_id": run_id, "step_id": step_id, "key": key,
            "value": value, "created_ms": tx.now_ms,
        },
    )  # fmt: skip
