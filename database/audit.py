"""Who did what. Written in the transaction of the change itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from core.context import Ctx
from database.engine import Tx
from database.prepared import Prepared
from database.tables import audit

_insert = Prepared(insert(audit).inline())


def record(tx: Tx, ctx: Ctx, action: str, subject: str, data: dict[str, Any] | None = None) -> None:
    """`action` is `noun.verb`, `subject` the id it was done to."""
    tx.execute(
        _insert,
        {
            "tenant_id": ctx.tenant, "at_ms": tx.now_ms, "actor": ctx.actor, "action": action,
            "subject": subject, "request_id": ctx.request_id, "data": data,
        },
    )  # fmt: skip
