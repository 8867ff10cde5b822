"""The supervisor's memory of a run: the newest checkpoint, moved by compare-and-set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from core.context import Ctx
from database.dispatch import Claim
from database.engine import Tx
from database.jobs import FenceLost, hold
from database.prepared import Prepared
from database.tables import checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    checkpoint_id: str
    parent_id: str | None
    checkpoint: dict[str, Any]
    metadata: dict[str, Any]
    writes: list[Any]


_of_run = (
    checkpoints.c.tenant_id == bindparam("tenant"), checkpoints.c.run_id == bindparam("run"),
)  # fmt: skip
_get = Prepared(
    select(
        checkpoints.c.checkpoint_id, checkpoints.c.parent_id, checkpoints.c.checkpoint,
        checkpoints.c.metadata, checkpoints.c.writes,
    )
    .where(*_of_run)
    .order_by(checkpoints.c.checkpoint_id.desc())
    .limit(1)
)  # fmt: skip
_insert = Prepared(insert(checkpoints))
_move = Prepared(
    update(checkpoints)
    .where(*_of_run, checkpoints.c.checkpoint_id == bindparam("old"))
    .values(
        checkpoint_id=bindparam("new"), parent_id=bindparam("old"), fence=bindparam("fence_"),
        checkpoint=bindparam("state"), metadata=bindparam("meta"), writes=bindparam("pending"),
    )
)  # fmt: skip
_delete = Prepared(delete(checkpoints).where(*_of_run))


def newest(tx: Tx, ctx: Ctx, run_id: str) -> Checkpoint | None:
    row = tx.execute(_get, {"tenant": ctx.tenant, "run": run_id}).first()
    return None if row is None else Checkpoint(*row)


def newest_ahead(tx: Tx, ctx: Ctx, run_id: str) -> None:
    tx.ahead(_get, {"tenant": ctx.tenant, "run": run_id})


def put(tx: Tx, ctx: Ctx, claim: Claim, new: Checkpoint) -> None:
    """Raises `FenceLost` when the job is not `claim`'s any more, or when somebody else has gone on
    from the same parent: two workers can never fork one run's thread."""
    hold(tx, claim)
    if new.parent_id is None:
        row = {
            "tenant_id": ctx.tenant, "run_id": claim.run_id, "checkpoint_id": new.checkpoint_id,
            "parent_id": None, "fence": claim.fence, "checkpoint": new.checkpoint,
            "metadata": new.metadata, "writes": new.writes,
        }  # fmt: skip
        tx.execute(_insert, row)
        return
    params = {
        "tenant": ctx.tenant, "run": claim.run_id, "old": new.parent_id,
        "new": new.checkpoint_id, "fence_": claim.fence, "state": new.checkpoint,
        "meta": new.metadata, "pending": new.writes,
    }  # fmt: skip
    tx.insist(_move, params, FenceLost(claim.job_id))


def forget(tx: Tx, ctx: Ctx, run_id: str) -> None:
    tx.execute(_delete, {"tenant": ctx.tenant, "run": run_id})
