"""How each agent is doing for one tenant: its queue, its workers, how fast, how often it failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents.registry import AGENT_TYPES
from core.context import Ctx
from database import vitals_of_agents as vitals
from database import workers
from runtime import Runtime

WINDOW_MS = 3_600_000


def agents(rt: Runtime, ctx: Ctx) -> list[dict[str, Any]]:
    """The shape of `GET /agents/status`; times in ms. `status`: `ok`, `busy` (work waits),
    `failing` (more failures than successes this hour) or `no_worker`."""
    silent_ms = rt.settings.silent_ms
    with rt.db.read(ctx) as tx:
        crew = workers.listing(tx)
        depths = vitals.depths(tx, ctx)
        timings = vitals.timings(tx, ctx, tx.now_ms - WINDOW_MS)
        now_ms = tx.now_ms
    found = []
    for agent in AGENT_TYPES:
        alive = [w for w in crew if agent in w.queues and w.heartbeat_ms > now_ms - silent_ms]
        times = sorted(ms for ms, _ in timings.get(agent, ()))
        failures = sum(failed for _, failed in timings.get(agent, ()))
        ready, running = depths.get((agent, "ready"), 0), depths.get((agent, "running"), 0)
        found.append({
            "agent_type": agent, "queue_depth": ready, "running": running, "workers": len(alive),
            "status": _verdict(len(alive), ready, len(times), failures),
            "last_heartbeat": max(
                (w.heartbeat_ms for w in crew if agent in w.queues), default=None
            ),
            "p50_ms": _quantile(times, 0.5), "p99_ms": _quantile(times, 0.99),
            "failures_1h": failures,
            "breaker": "open" if failures >= 5 and failures * 2 > len(times) else "closed",
        })  # fmt: skip
    return found


def _verdict(alive: int, ready: int, ended: int, failures: int) -> str:
    if not alive:
        return "no_worker"
    if failures * 2 > ended:
        return "failing"
    return "busy" if ready else "ok"


def _quantile(times: Sequence[int], q: float) -> float | None:
    return float(times[min(len(times) - 1, int(len(times) * q))]) if times else None
