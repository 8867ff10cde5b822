"""dead-letters: jobs that gave up, and how to give them another chance."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.context import Ctx
from core.errors import Rejected
from core.settings import Settings
from ops.identity import inside
from ops.output import FAILED, emit, guarded, json_option, table
from runtime import Runtime

tenant_option = click.option("--tenant", help="Slug; not needed where there is only one.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Jobs that used up their attempts, on the machine that holds the data folder."""


@dead_letters.command("list")
@tenant_option
@json_option
@click.pass_obj
@guarded
def listing(settings: Settings, tenant: str | None, as_json: bool) -> None:
    """Each job with its reason, oldest first."""
    from database import jobs

    with inside(settings, tenant) as (rt, ctx), rt.db.read(ctx) as tx:
        found = jobs.dead_letters(tx, ctx)
    rows = [
        (job.run_id, job.kind, job.queue, job.attempts, (job.error or {}).get("detail", ""))
        for job in found
    ]
    columns = ("run", "kind", "queue", "attempts", "why")
    emit([asdict(job) for job in found], as_json, lambda: table(columns, rows))


@dead_letters.command(epilog="Example: weft dead-letters redrive 01a1fc3d-6b01-7352-8985-f8b132cf")
@click.argument("workflow_ids", nargs=-1, metavar="[WORKFLOW_ID]...")
@tenant_option
@json_option
@click.pass_obj
@guarded
def redrive(
    settings: Settings, workflow_ids: tuple[str, ...], tenant: str | None, as_json: bool
) -> None:
    """Try these runs' dead jobs again (default: all of them); finished steps are reused."""
    from database import jobs

    with inside(settings, tenant) as (rt, ctx):
        with rt.db.read(ctx) as tx:
            dead = [job.run_id for job in jobs.dead_letters(tx, ctx)]
        roots = dict.fromkeys(_root(rt, ctx, one) for one in workflow_ids or dead)
        outcomes = {run_id: _again(rt, ctx, run_id) for run_id in roots}
    emit(outcomes, as_json, lambda: table(("run", "now"), outcomes.items()))
    if any(outcome != "goes on" for outcome in outcomes.values()):
        raise click.exceptions.Exit(FAILED)


def _root(rt: Runtime, ctx: Ctx, run_id: str) -> str:
    """The run that an item's run belongs to."""
    from database import runs

    with rt.db.read(ctx) as tx:
        while (parent := runs.get(tx, ctx, run_id).parent_run_id) is not None:
            run_id = parent
    return run_id


def _again(rt: Runtime, ctx: Ctx, run_id: str) -> str:
    import workflows
    from database import jobs

    with rt.db.read(ctx) as tx:
        own = any(job.status == "dead" for job in jobs.of_run(tx, ctx, run_id))
    try:
        (workflows.redrive if own else workflows.retry)(rt, ctx, run_id)
    except Rejected as error:
        return error.detail
    return "goes on"
