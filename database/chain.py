"""A step ends and the next one begins in the same worker's hands: one statement on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select, update

from core.context import Ctx
from database import jobs, steps
from database.dispatch import Claim
from database.engine import Tx
from database.jobs import FenceLost
from database.prepared import Prepared
from database.tables import jobs as job_rows
from database.tables import runs as run_rows
from database.tables import steps as step_rows

# The run, its job, its steps: what comes later asks for a row of what comes first, so that they
# are locked in the order that everybody keeps.
_run = (
    select(run_rows.c.id)
    .where(run_rows.c.tenant_id == bindparam("tenant"), run_rows.c.id == bindparam("run"))
    .with_for_update(key_share=True)
    .cte("run")
)
_job = (
    update(job_rows)
    .where(
        job_rows.c.tenant_id == bindparam("tenant"), job_rows.c.id == bindparam("job"),
        job_rows.c.run_id == _run.c.id, job_rows.c.fence == bindparam("mine"),
        job_rows.c.status == "running",
    )
    .values(
        step_id=bindparam("step"), kind="step", queue=bindparam("queue_"), attempts=1,
        ready_ms=bindparam("now"), lease_until_ms=bindparam("until"), error=None,
    )
    .returning(job_rows.c.tenant_id)
    .cte("job")
)  # fmt: skip
_done = (
    update(step_rows)
    .where(step_rows.c.tenant_id == _job.c.tenant_id, step_rows.c.id == bindparam("before"))
    .values(
        status="completed",
        output=bindparam("result"),
        error=None,
        completed_ms=bindparam("now"),
        waiting_for=None,
        open_items=0,
    )
    .cte("done")
)
_begun = (
    update(step_rows)
    .where(step_rows.c.tenant_id == _job.c.tenant_id, step_rows.c.id == bindparam("step"))
    .values(
        status="running",
        attempts=1,
        input=bindparam("filled"),
        waiting_for=None,
        error=None,
        started_ms=func.coalesce(step_rows.c.started_ms, bindparam("now")),
    )
    .cte("begun")
)
_pass_on = Prepared(select(_job.c.tenant_id).add_cte(_done, _begun))


def pass_on(
    tx: Tx, ctx: Ctx, claim: Claim, output: Any, step_id: str, queue: str, filled: Any,
    lease_ms: int,
) -> Claim:  # fmt: skip
    """The claim's step is completed with `output`, and its job goes on with `step_id`, which runs.
    Raises `FenceLost`. As `runs.hold`, `steps.finish`, `jobs.hand_over` and `steps.begin` do."""
    assert claim.step_id is not None
    if tx.dialect != "postgresql":
        steps.finish(tx, ctx, claim.step_id, "completed", output=output)
        claim = jobs.hand_over(tx, claim, step_id, queue, lease_ms)
        steps.begin(tx, ctx, step_id, 1, filled)
        return claim
    params = {
        "tenant": ctx.tenant, "run": claim.run_id, "job": claim.job_id, "mine": claim.fence,
        "step": step_id, "queue_": queue, "now": tx.now_ms, "until": tx.now_ms + lease_ms,
        "before": claim.step_id, "result": output, "filled": filled,
    }  # fmt: skip
    tx.insist(_pass_on, params, FenceLost(claim.job_id))
    return jobs.handed_over(claim, step_id, queue)
