"""How long an ended run is kept: a platform that looks into a mail box every five minutes makes a
hundred thousand runs a year."""

from __future__ import annotations

from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import NotFound
from core.settings import Settings
from database import audit, old_runs, runs
from database.runs import Run
from runtime import Runtime

UPKEEP = frozenset({"pull-source", "ingest-document"})  # built in, and with no effects
_AT_ONCE = 200
_log = telemetry.log("workflows")


def forget_ms(settings: Settings, run: Run, status: str, now_ms: int) -> int | None:
    """When a run that ends now may go; None: it is kept. An item goes with its parent."""
    if run.parent_run_id is not None:
        return None
    upkeep = status == "completed" and _is_upkeep(run)
    seconds = settings.upkeep_keep_seconds if upkeep else settings.run_keep_seconds
    return now_ms + seconds * 1000 if seconds else None


def tidy(rt: Runtime) -> int:
    """Deletes what is over in all tenants; how many. Any number of processes may do it at once."""
    with rt.db.read(PLATFORM) as tx:
        over = old_runs.due(tx, _AT_ONCE)
    count = sum(_forgotten(rt, Ctx(tenant, "system"), run_id) for tenant, run_id in over)
    if count:
        _log.info("old runs are forgotten", count=count)
    return count


def _forgotten(rt: Runtime, ctx: Ctx, run_id: str) -> bool:
    """What a person asked for leaves a line in the audit; what the platform did by itself would
    only move from one table to another."""
    try:
        with rt.db.transaction(ctx, durable=False) as tx:
            run = runs.lock(tx, ctx, run_id)
            done = run.ended and old_runs.forget(tx, ctx, run_id) == "forgotten"
            if done and not _is_upkeep(run):
                told = {"workflow": run.workflow, "status": run.status, "ended": run.completed_ms}
                audit.record(tx, ctx, "run.forget", run_id, told)
    except NotFound:
        return False  # another process was first
    return done


def _is_upkeep(run: Run) -> bool:
    return run.actor == "system" or (run.version == 0 and run.workflow in UPKEEP)
