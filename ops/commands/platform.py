"""serve, migrate, up, down, status, failpoints."""

from __future__ import annotations

import click

from core.failpoints import NAMES
from core.settings import Settings
from ops import process
from ops.output import UNAVAILABLE, emit, guarded, json_option, note, say, table


@click.command()
@click.option(
    "--only", type=click.Choice(["gateway", "worker", "relay", "intake"]), help="One role."
)
@click.pass_obj
@guarded
def serve(settings: Settings, only: str | None) -> None:
    """Run the platform in the foreground until SIGTERM."""
    from ops.serve import serve as run

    run(settings, only)


@click.command()
@click.pass_obj
@guarded
def migrate(settings: Settings) -> None:
    """Bring the database to this version, by the role that owns it (WEFT_DATABASE_ADMIN_URL)."""
    from core.clock import SystemClock
    from database import Database
    from database import migrate as migrations
    from ops.default_secrets import refuse

    refuse(settings)
    url = settings.database_admin_url or settings.database_url
    application = settings.database_url if settings.database_admin_url else ""
    if url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = Database(url, SystemClock())
    try:
        migrations.upgrade(db, application=application)
        say(f"The database is at version {migrations.current(db)}.")
    finally:
        db.close()


@click.command()
@json_option
@click.pass_obj
@guarded
def up(settings: Settings, as_json: bool) -> None:
    """Start the platform in the background; returns when it is ready."""
    before = process.running(settings)
    if before is None:
        note("starting ...")
    found = process.start(settings)
    words = "Weft already runs" if before else "Weft runs"
    emit(
        {"pid": found.pid, "url": found.url, "started": before is None},
        as_json,
        lambda: say(f"{words} at {found.url} (API: {found.url}/docs). Stop it with: weft down"),
    )


@click.command()
@json_option
@click.pass_obj
@guarded
def down(settings: Settings, as_json: bool) -> None:
    """Stop the platform; accepted work is kept and goes on at the next start."""
    stopped = process.stop(settings)
    emit(
        {"stopped": stopped},
        as_json,
        lambda: say("Weft is stopped." if stopped else "Weft was not running."),
    )


@click.command()
@json_option
@click.pass_obj
@guarded
def status(settings: Settings, as_json: bool) -> None:
    """Say whether the platform runs and answers."""
    found = process.running(settings)
    ready = found is not None and process.ready(found.url)
    value = {"running": found is not None, "ready": ready, "url": found.url if found else None}
    words = "Weft is not running. Type: weft up"
    if found is not None:
        words = f"Weft runs at {found.url}, {'ready' if ready else 'NOT ready: weft doctor'}."
    emit(value, as_json, lambda: say(words))
    if not ready:
        raise click.exceptions.Exit(UNAVAILABLE)


@click.command()
@json_option
def failpoints(as_json: bool) -> None:
    """List the names for WEFT_FAILPOINTS="<name>:<before|after>:<n>=<kill|error|sleep:SECONDS>"."""
    emit(NAMES, as_json, lambda: table(("name", "what is made durable there"), NAMES.items()))
