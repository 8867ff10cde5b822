"""`/usage`: what a tenant's models took and saved, and how much of its budget is left."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from core.clock import rfc3339
from database import budgets
from gateway.house import Caller, permit
from gateway.schemas.usage import BudgetLimit, UsageAnswer, UsageDay

router = APIRouter(tags=["models"])
_DAY_MS = 86_400_000


@router.get("/usage")
def usage(
    who: Annotated[Caller, permit("tenant:read")],
    days: Annotated[int, Query(ge=1, le=366)] = 31,
) -> UsageAnswer:
    """By day and task, newest first; tokens, CPU seconds, and what caches saved of both."""
    since = budgets.day_of(who.rt.clock.now_ms() - (days - 1) * _DAY_MS)
    with who.rt.db.read(who.ctx) as tx:
        limits = [_limit(one) for one in budgets.standing(tx, who.ctx)]
        rows = [_day(one) for one in budgets.days(tx, who.ctx, since)]
    names = [name for name in UsageDay.model_fields if name not in ("day", "task")]
    totals: dict[str, Any] = {name: sum(getattr(one, name) for one in rows) for name in names}
    return UsageAnswer(budget=limits, items=rows, total={n: round(v, 3) for n, v in totals.items()})


def _limit(one: budgets.Standing) -> BudgetLimit:
    scale = 1000 if one.name.startswith("cpu") else 1
    return BudgetLimit(
        name=one.name, limit=None if one.limit is None else one.limit // scale,
        used=_scaled(one.used, scale), reserved=_scaled(one.reserved, scale),
        left=None if one.left is None else _scaled(one.left, scale),
        resets_at=rfc3339(one.resets_ms),
    )  # fmt: skip


def _scaled(value: int, scale: int) -> float:
    return value if scale == 1 else value / scale


def _day(one: budgets.Day) -> UsageDay:
    return UsageDay(
        day=one.day, task=one.task, calls=one.calls, prompt_tokens=one.prompt_tokens,
        completion_tokens=one.completion_tokens, cpu_seconds=one.cpu_ms / 1000,
        saved_calls=one.saved_calls, saved_tokens=one.saved_tokens,
        saved_cpu_seconds=one.saved_cpu_ms / 1000,
    )  # fmt: skip
