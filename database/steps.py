"""Steps of a run. Their `key` is the step's id in the definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from core.context import Ctx
from core.errors import NotFound
from core.ids import new_id
from database.engine import Tx
from database.prepared import Prepared
from database.tables import steps

Json = Mapping[str, Any]
OPEN = frozenset({"running", "waiting", "waiting_approval"})


@dataclass(frozen=True, slots=True)
class StepRow:
    id: str
    run_id: str
    key: str
    agent: str
    task: str
    status: str
    attempts: int
    input: Any
    output: Any
    error: Json | None
    waiting_for: Any
    progress: Any
    open_items: int
    started_ms: int | None
    completed_ms: int | None
    created_ms: int


_columns = tuple(steps.c[field.name] for field in fields(StepRow))
_mine = (steps.c.tenant_id == bindparam("tenant"), steps.c.id == bindparam("step"))
_of_run = (steps.c.tenant_id == bindparam("tenant"), steps.c.run_id == bindparam("run"))
_insert = Prepared(insert(steps))
_by_id = select(*_columns).where(*_mine)
_get = Prepared(_by_id)
_lock = Prepared(_by_id.with_for_update(key_share=True))
_all = Prepared(select(*_columns).where(*_of_run).order_by(steps.c.id))
_begin = Prepared(
    update(steps)
    .where(*_mine)
    .values(
        status="running", attempts=bindparam("tries"), input=bindparam("filled"),
        started_ms=func.coalesce(steps.c.started_ms, bindparam("now")), waiting_for=None,
        error=None,
    )
)  # fmt: skip
_finish = Prepared(
    update(steps)
    .where(*_mine)
    .values(
        status=bindparam("to"), output=bindparam("result"), error=bindparam("why"),
        completed_ms=bindparam("now"), waiting_for=None, open_items=0,
    )
)  # fmt: skip
_wait = Prepared(
    update(steps)
    .where(*_mine)
    .values(
        status=bindparam("to"), waiting_for=bindparam("what"), error=bindparam("why"),
        attempts=bindparam("tries"),
    )
)  # fmt: skip
_one_less = Prepared(
    update(steps)
    .where(*_mine)
    .values(open_items=steps.c.open_items - 1)
    .returning(steps.c.open_items)
)
_progress = Prepared(update(steps).where(*_mine).values(progress=bindparam("at")))


def add_many(
    tx: Tx, ctx: Ctx, run_id: str, items: Iterable[tuple[str, str, str]]
) -> dict[str, StepRow]:
    """`items`: (key, agent, task). Gives the new rows, pending, by key."""
    made = {
        key: StepRow(
            new_id(), run_id, key, agent, task, "pending", 0, None, None, None, None, None, 0,
            None, None, tx.now_ms,
        )
        for key, agent, task in items
    }  # fmt: skip
    rows = [
        {
            "tenant_id": ctx.tenant, "id": row.id, "run_id": run_id, "key": row.key,
            "agent": row.agent, "task": row.task, "status": "pending", "attempts": 0,
            "open_items": 0, "created_ms": tx.now_ms,
        }
        for row in made.values()
    ]  # fmt: skip
    if rows:
        tx.execute(_insert, rows)
    return made


def of_run(tx: Tx, ctx: Ctx, run_id: str) -> dict[str, StepRow]:
    """By key, in the order of the definition."""
    found = tx.execute(_all, {"tenant": ctx.tenant, "run": run_id})
    return {row.key: row for row in (StepRow(*values) for values in found)}


def of_run_ahead(tx: Tx, ctx: Ctx, run_id: str) -> None:
    tx.ahead(_all, {"tenant": ctx.tenant, "run": run_id})


def get(tx: Tx, ctx: Ctx, step_id: str, *, lock: bool = False) -> StepRow:
    found = tx.execute(_lock if lock else _get, {"tenant": ctx.tenant, "step": step_id}).first()
    if found is None:
        raise NotFound("There is no such step.")
    return StepRow(*found)


def begin(tx: Tx, ctx: Ctx, step_id: str, attempt: int, filled: Any) -> None:
    """Running; `filled` is its `with`, kept so that every attempt works on the same input."""
    params = {
        "tenant": ctx.tenant, "step": step_id, "tries": attempt, "filled": filled,
        "now": tx.now_ms,
    }  # fmt: skip
    tx.execute(_begin, params)


def finish(
    tx: Tx, ctx: Ctx, step_id: str, status: str, *, output: Any = None, error: Json | None = None
) -> None:
    params = {
        "tenant": ctx.tenant, "step": step_id, "to": status, "result": output, "why": error,
        "now": tx.now_ms,
    }  # fmt: skip
    tx.execute(_finish, params)


def wait(
    tx: Tx, ctx: Ctx, step_id: str, status: str, what: Json, *, attempts: int,
    error: Json | None = None,
) -> None:  # fmt: skip
    params = {
        "tenant": ctx.tenant, "step": step_id, "to": status, "what": what, "why": error,
        "tries": attempts,
    }  # fmt: skip
    tx.execute(_wait, params)


def change(tx: Tx, ctx: Ctx, step_id: str, **values: Any) -> None:
    tx.execute(
        update(steps).where(*_mine).values(**values), {"tenant": ctx.tenant, "step": step_id}
    )


def one_less(tx: Tx, ctx: Ctx, step_id: str) -> int:
    """One of the children or effects that the step waits for has ended; gives how many are left."""
    return int(tx.execute(_one_less, {"tenant": ctx.tenant, "step": step_id}).scalar_one())


def set_progress(tx: Tx, ctx: Ctx, step_id: str, done: int, total: int) -> None:
    params = {"tenant": ctx.tenant, "step": step_id, "at": {"done": done, "total": total}}
    tx.execute(_progress, params)


def reset(tx: Tx, ctx: Ctx, ids: Sequence[str]) -> None:
    """Back to pending, for another try of the run."""
    if not ids:
        return
    tx.execute(
        update(steps)
        .where(steps.c.tenant_id == ctx.tenant, steps.c.id.in_(ids))
        .values(
            status="pending",
            attempts=0,
            error=None,
            output=None,
            waiting_for=None,
            completed_ms=None,
            open_items=0,
        )
    )


def stop_open(tx: Tx, ctx: Ctx, run_id: str) -> None:
    """Whatever has not ended is cancelled."""
    tx.execute(
        update(steps)
        .where(
            steps.c.tenant_id == ctx.tenant,
            steps.c.run_id == run_id,
            steps.c.status.in_(("pending", *OPEN)),
        )
        .values(status="cancelled", completed_ms=tx.now_ms, waiting_for=None)
    )
