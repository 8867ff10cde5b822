"""What a tier allows, the same at every door: HTTP and Kafka."""

from __future__ import annotations

from core import telemetry
from core.context import Ctx
from core.errors import QuotaExceeded, RateLimited
from core.ports import Allowance
from core.tiers import tier_of
from runtime import Runtime

WINDOW_SECONDS = 60


def count_request(rt: Runtime, ctx: Ctx, tier: str) -> Allowance | None:
    """One more request of the tenant; None where its tier has no limit."""
    limit = tier_of(tier).requests_per_minute
    if limit is None:
        return None
    return rt.limiter.hit(f"requests/{ctx.tenant}", limit, WINDOW_SECONDS)


def check_request(tier: str, allowance: Allowance | None) -> None:
    """Raises `RateLimited`."""
    if allowance is None or allowance.allowed:
        return
    telemetry.limiter_refused.labels("requests_per_minute").inc()
    raise RateLimited(
        f"This tenant's tier {tier!r} allows {allowance.limit} requests a minute.",
        retry_after=max(1, round(allowance.reset_seconds + 0.5)), limit="requests_per_minute",
    )  # fmt: skip


def admit_run(rt: Runtime, ctx: Ctx, tier: str) -> None:
    """One more run of the tenant. Raises `QuotaExceeded`."""
    found = tier_of(tier)
    if found.runs_per_day is None:
        return
    allowance = rt.limiter.hit(f"runs/{ctx.tenant}", found.runs_per_day, 86_400)
    if not allowance.allowed:
        telemetry.limiter_refused.labels("runs_per_day").inc()
        raise QuotaExceeded(
            f"The tier {found.name!r} allows {found.runs_per_day} runs a day.",
            limit="runs_per_day", retry_after=allowance.reset_seconds,
        )  # fmt: skip
