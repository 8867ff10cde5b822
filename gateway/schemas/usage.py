"""Budgets for models, and what was used of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.schemas.base import Answer, Request

Most = Annotated[int | None, Field(ge=0, le=10**15, description="null: no limit")]


class Budget(Request):
    """Over the tier's own; what is left out stays as it is."""

    tokens_per_day: Most = None
    tokens_per_month: Most = None
    cpu_seconds_per_day: Most = None
    cpu_seconds_per_month: Most = None


class BudgetLimit(Answer):
    """`limit` null: there is none. Tokens, or seconds."""

    name: str
    limit: int | None
    used: float
    reserved: float
    left: float | None
    resets_at: str


class UsageDay(Answer):
    day: str
    task: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cpu_seconds: float
    saved_calls: int
    saved_tokens: int
    saved_cpu_seconds: float


class UsageAnswer(Answer):
    budget: list[BudgetLimit]
    items: list[UsageDay]
    total: dict[str, float]
