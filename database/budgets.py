"""A tenant's budget of model tokens and CPU seconds: reserved before a call, settled after it.

Reservations of one tenant are made one after another, so that concurrent calls cannot overspend.
One whose process died lapses by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, select, update

from core import telemetry
from core.clock import rfc3339
from core.context import Ctx
from core.errors import QuotaExceeded
from core.ids import new_id
from core.tiers import BUDGETS, budget_of
from database.engine import Tx
from database.inserts import if_absent
from database.tables import model_reservations, model_usage, tenants

_u, _r = model_usage.c, model_reservations.c


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit of the budget, and where the tenant stands. Tokens, or CPU milliseconds."""

    name: str
    limit: int | None
    used: int
    reserved: int
    resets_ms: int

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used - self.reserved)


@dataclass(frozen=True, slots=True)
class Day:
    """What one task's model calls took on one day."""

    day: str
    task: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cpu_ms: int
    saved_calls: int
    saved_tokens: int
    saved_cpu_ms: int


def limits(tx: Tx, ctx: Ctx, *, alone: bool = False) -> Mapping[str, int | None]:
    """By name, CPU time in ms. `alone`: nobody else reserves for this tenant until the commit."""
    query = select(tenants.c.tier, tenants.c.config).where(tenants.c.id == ctx.tenant)
    if alone:
        query = query.with_for_update(key_share=True)
    tier, config = tx.execute(query).one()
    found = budget_of(tier, (config or {}).get("budget") or {})
    return {
        name: None if most is None else most * (1000 if name.startswith("cpu") else 1)
        for name, most in found.items()
    }


def reserve(tx: Tx, ctx: Ctx, task: str, *, tokens: int, cpu_ms: int, lapse_ms: int) -> str:
    """The reservation's id. Raises `QuotaExceeded` that names the limit and when it resets."""
    allowed = limits(tx, ctx, alone=True)
    tx.execute(delete(model_reservations).where(_r.tenant_id == ctx.tenant, _lapsed(tx)))
    for one in _standing(tx, ctx, allowed):
        wanted = cpu_ms if one.name.startswith("cpu") else tokens
        if one.left is not None and wanted > one.left:
            raise _exhausted(tx, one, wanted)
    row = {
        "tenant_id": ctx.tenant, "id": new_id(), "task": task, "tokens": tokens, "cpu_ms": cpu_ms,
        "lapses_ms": tx.now_ms + lapse_ms,
    }  # fmt: skip
    tx.execute(insert(model_reservations), row)
    return str(row["id"])


def settle(
    tx: Tx, ctx: Ctx, reservation: str, task: str, *, prompt: int, completion: int, cpu_ms: int
) -> None:
    """What it did take, instead of what was reserved for it (`""`: nothing was)."""
    if reservation:
        tx.execute(
            delete(model_reservations).where(_r.tenant_id == ctx.tenant, _r.id == reservation)
        )
    _add(tx, ctx, task, {
        "calls": 1, "prompt_tokens": prompt, "completion_tokens": completion, "cpu_ms": cpu_ms,
    })  # fmt: skip


def saved(tx: Tx, ctx: Ctx, task: str, *, tokens: int, cpu_ms: int = 0) -> None:
    """A cache answered: what the model's call had taken the first time was not taken again."""
    telemetry.model_saved.labels(task).inc()
    _add(tx, ctx, task, {"saved_calls": 1, "saved_tokens": tokens, "saved_cpu_ms": cpu_ms})


def standing(tx: Tx, ctx: Ctx) -> list[Standing]:
    return list(_standing(tx, ctx, limits(tx, ctx)))


def days(tx: Tx, ctx: Ctx, since: str) -> list[Day]:
    """From the day `since` (2026-11-21) on, newest first."""
    query = select(model_usage).where(_u.tenant_id == ctx.tenant, _u.day >= since)
    rows = tx.execute(query.order_by(_u.day.desc(), _u.task))
    names = Day.__slots__
    return [Day(*(getattr(row, name) for name in names)) for row in rows]


def day_of(at_ms: int) -> str:
    return _moment(at_ms).strftime("%Y-%m-%d")


def _standing(tx: Tx, ctx: Ctx, allowed: Mapping[str, int | None]) -> Iterator[Standing]:
    today = day_of(tx.now_ms)
    used_tokens = _u.prompt_tokens + _u.completion_tokens
    sums = [
        func.coalesce(func.sum(column), 0)
        for column in (
            _if_today(today, used_tokens), used_tokens, _if_today(today, _u.cpu_ms), _u.cpu_ms,
        )
    ]  # fmt: skip
    month = and_(_u.tenant_id == ctx.tenant, _u.day >= today[:8])
    used = tx.execute(select(*sums).where(month)).one()
    held = tx.execute(
        select(func.coalesce(func.sum(_r.tokens), 0), func.coalesce(func.sum(_r.cpu_ms), 0)).where(
            _r.tenant_id == ctx.tenant, ~_lapsed(tx)
        )
    ).one()
    for place, name in enumerate(BUDGETS):
        resets = _next_day(tx.now_ms) if name.endswith("day") else _next_month(tx.now_ms)
        yield Standing(name, allowed[name], int(used[place]), int(held[place // 2]), resets)


def _if_today(today: str, column: Any) -> ColumnElement[Any]:
    return case((_u.day == today, column), else_=0)


def _lapsed(tx: Tx) -> ColumnElement[bool]:
    return _r.lapses_ms <= tx.now_ms


def _add(tx: Tx, ctx: Ctx, task: str, more: Mapping[str, int]) -> None:
    key = {"tenant_id": ctx.tenant, "day": day_of(tx.now_ms), "task": task}
    tx.execute(if_absent(tx, model_usage), key)
    mine = and_(*(_u[name] == value for name, value in key.items()))
    tx.execute(update(model_usage).where(mine).values({
        name: _u[name] + number for name, number in more.items()
    }))  # fmt: skip


def _exhausted(tx: Tx, one: Standing, wanted: int) -> QuotaExceeded:
    kind = "CPU seconds" if one.name.startswith("cpu") else "tokens"
    scale = 1000 if one.name.startswith("cpu") else 1
    about = {"budget": (one.limit or 0) // scale, "used": -(-one.used // scale),
             "reserved": -(-one.reserved // scale), "wanted": -(-wanted // scale)}  # fmt: skip
    return QuotaExceeded(
        f"The budget of {about['budget']} model {kind} a {one.name.rpartition('_')[2]} would be "
        f"overspent: {about['used']} are used, {about['reserved']} reserved, and this call may "
        f"take {about['wanted']}. It resets at {rfc3339(one.resets_ms)}; the platform's operator "
        "can raise it: weft tenants budget",
        code="budget_exhausted", limit=one.name, resets_at=rfc3339(one.resets_ms),
        retry_after=max(1, (one.resets_ms - tx.now_ms) // 1000), **about,
        # OpenAI's clients ask again otherwise.
        headers={"x-should-retry": "false"},
    )  # fmt: skip


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _next_day(at_ms: int) -> int:
    midnight = _moment(at_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(days=1)).timestamp() * 1000)


def _next_month(at_ms: int) -> int:
    first = _moment(at_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int((first + timedelta(days=32)).replace(day=1).timestamp() * 1000)
