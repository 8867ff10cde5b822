"""What each tier may use. Tiers are data: a new one is a line here."""

from __future__ import annotations

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


GIB = 2**30

TIERS: dict[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("free", 120, 500, 1 * GIB, 200, 5, 5, 2),
        Tier("team", 600, 20_000, 20 * GIB, 5_000, 50, 50, 4),
        Tier("business", 3_000, 500_000, 500 * GIB, 100_000, 1_000, 500, 8),
        Tier("unlimited", None, None, None, None, None, None, None),
    )
}


def tier_of(name: str) -> Tier:
    """A tier that was renamed away counts as the smallest one."""
    return TIERS.get(name, TIERS["free"])
