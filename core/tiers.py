"""What each tier may use. Tiers are data: a new one is a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tier:
    """`None` is no limit."""

    name: str
    requests_per_minute: int | None
    documents: int | None
    storage_bytes: int | None
    runs_per_day: int | None
    users: int | None
    api_keys: int | None
    running: int | None  # jobs at once; None: the operator's own cap
    tokens_per_day: int | None = None  # of models, prompts and replies together
    tokens_per_month: int | None = None
    cpu_seconds_per_day: int | None = None  # of models
    cpu_seconds_per_month: int | None = None


GIB = 2**30
# In this order: tokens, then CPU seconds; of a day, then of a month.
BUDGETS = ("tokens_per_day", "tokens_per_month", "cpu_seconds_per_day", "cpu_seconds_per_month")

TIERS: dict[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("free", 120, 500, 1 * GIB, 200, 5, 5, 2,
             200_000, 3_000_000, 3_600, 36_000),
        Tier("team", 600, 20_000, 20 * GIB, 5_000, 50, 50, 4,
             2_000_000, 40_000_000, 36_000, 720_000),
        Tier("business", 3_000, 500_000, 500 * GIB, 100_000, 1_000, 500, 8,
             20_000_000, 400_000_000, 360_000, 7_200_000),
        Tier("unlimited", None, None, None, None, None, None, None),
    )
}  # fmt: skip


def tier_of(name: str) -> Tier:
    """A tier that was renamed away counts as the smallest one."""
    return TIERS.get(name, TIERS["free"])


def budget_of(tier: str, own: Mapping[str, int | None]) -> dict[str, int | None]:
    """The tier's budget for models, with what the operator set for this tenant over it; None there
    is no limit."""
    return {name: own[name] if name in own else getattr(tier_of(tier), name) for name in BUDGETS}
