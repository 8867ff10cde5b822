"""dead-letters: jobs that gave up and messages that were refused, and how to try them again."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.context import Ctx
from core.errors import Rejected
from core.settings import Settings
from ops import dead_messages
from ops.identity import inside
from ops.output import FAILED, emit, guarded, json_option, table
from runtime import Runtime

tenant_option = click.option("--tenant", help="Slug; not needed where there is only one.")
kafka_option = click.option("--kafka", is_flag=True, help="Messages from Kafka instead of jobs.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Jobs that used up their attempts, and (--kafka) messages that cannot be taken in."""


@dead_letters.command("list")
@tenant_option
@kafka_option
@json_option
@click.pass_obj
@guarded
def listing(settings: Settings, tenant: str | None, kafka: bool, as_json: bool) -> None:
    """Each with its reason, oldest first."""
    from database import jobs

    if kafka:
        told = [dead_messages.row(one) for one in dead_messages.found(settings, tenant)]
        names = dead_messages.COLUMNS
        emit(told, as_json, lambda: table(names, ([x[c] for c in names] for x in told)))
        return
    with inside(settings, tenant) as (rt, ctx), rt.db.read(ctx) as tx:
        found = jobs.dead_letters(tx, ctx)
    rows = [
        (job.run_id, job.kind, job.queue, job.attempts, (job.error or {}).get("detail", ""))
        for job in found
    ]
    columns = ("run", "kind", "queue", "attempts", "why")
    emit([asdict(job) for job in found], as_json, lambda: table(columns, rows))


@dead_letters.command()
@click.argument("letter_id")
@json_option
@click.pass_obj
@guarded
def show(settings: Settings, letter_id: str, as_json: bool) -> None:
    """One message from Kafka, whole. (For a job: weft why.)"""
    (letter,) = dead_messages.chosen(settings, None, [letter_id])
    told = dead_messages.whole(letter)
    emit(told, as_json, lambda: table(("", ""), told.items()))


@dead_letters.command()
@click.argument("letter_ids", nargs=-1, required=True)
@json_option
@click.pass_obj
@guarded
def drop(settings: Settings, letter_ids: tuple[str, ...], as_json: bool) -> None:
    """Forget messages from Kafka for good."""
    letters = dead_messages.chosen(settings, None, letter_ids)
    outcomes = dead_messages.drop(settings, letters)
    emit(outcomes, as_json, lambda: table(("message", "now"), outcomes.items()))


@dead_letters.command(epilog="Example: weft dead-letters redrive 01a1fc3d-6b01-7352-8985-f8b132cf")
@click.argument("workflow_ids", nargs=-1, metavar="[ID]...")
@tenant_option
@kafka_option
@json_option
@click.pass_obj
@guarded
def redrive(
    settings: Settings,
    workflow_ids: tuple[str, ...],
    tenant: str | None,
    kafka: bool,
    as_json: bool,
) -> None:
    """Try these runs' dead jobs, or these messages, again (default: all of them); finished steps
    are reused, and a message keeps its id."""
    from database import jobs

    if kafka:
        letters = dead_messages.chosen(settings, tenant, workflow_ids)
        again = dead_messages.redrive(settings, letters)
        emit(again, as_json, lambda: table(("message", "now"), again.items()))
        return
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
