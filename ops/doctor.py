"""doctor: what is wrong, and what to type."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click

from core.clock import SystemClock
from core.context import PLATFORM
from core.errors import WeftError
from core.settings import Settings
from database import Database, Tx, migrate, vitals
from ops import process
from ops.output import FAILED, emit, guarded, json_option, table

DISK_BYTES_MIN = 500 * 2**20
HEARTBEAT_MS_MAX = 30_000
BACKLOG_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: str  # ok | warn | fail
    detail: str
    todo: str = ""


@click.command()
@click.option("--sweep", is_flag=True, help="Delete stored files that no document speaks of.")
@json_option
@click.pass_obj
@guarded
def doctor(settings: Settings, sweep: bool, as_json: bool) -> None:
    """Look for what is wrong and say what to type; exit 1 when something must be done."""
    findings = list(examine(settings))
    if sweep:
        findings.append(_swept(settings))
    rows = [(f.state, f.check, f.detail, f.todo) for f in findings]
    emit(
        [asdict(finding) for finding in findings],
        as_json,
        lambda: table(("", "check", "found", "what to do"), rows),
    )
    if any(finding.state == "fail" for finding in findings):
        raise click.exceptions.Exit(FAILED)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, good ones too."""
    yield _python()
    yield _disk(settings)
    yield _root_key(settings)
    yield _process(settings)
    yield from _weights(settings)
    if settings.database_url.startswith("sqlite") and not (settings.data_dir / "weft.db").exists():
        yield Finding("database", "warn", "there is none yet", "weft up")
        return
    db = Database(settings.database_url, SystemClock())
    try:
        yield from _database(db, settings)
    except WeftError as error:
        yield Finding("database", "fail", error.detail, "check WEFT_DATABASE_URL")
    finally:
        db.close()


def _swept(settings: Settings) -> Finding:
    from agents import orphans
    from ops.identity import opened

    with opened(settings) as rt:
        return Finding("orphans", "ok", f"{orphans.sweep(rt)} stored files deleted")


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", "ok", version)


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    free = shutil.disk_usage(folder if folder.exists() else "/").free
    words = f"{free / 2**30:.1f} GiB free for {settings.data_dir}"
    if free < DISK_BYTES_MIN:
        return Finding("disk", "fail", words, "free some room or move WEFT_DATA_DIR")
    return Finding("disk", "ok", words)


def _root_key(settings: Settings) -> Finding:
    path = settings.data_dir / "root.key"
    if settings.root_key.get_secret_value():
        return Finding("root key", "ok", "from WEFT_ROOT_KEY")
    if not path.exists():
        return Finding("root key", "warn", "none yet", "weft up makes one")
    if path.stat().st_mode & 0o077:
        return Finding("root key", "fail", f"{path} can be read by others", f"chmod 600 {path}")
    return Finding("root key", "ok", f"{path}, readable by its owner only")


def _process(settings: Settings) -> Finding:
    found = process.running(settings)
    if found is None:
        return Finding("platform", "warn", "not running", "weft up")
    if not process.ready(found.url):
        return Finding("platform", "fail", f"{found.url} does not answer", "weft down && weft up")
    return Finding("platform", "ok", f"ready at {found.url}")


def _weights(settings: Settings) -> Iterator[Finding]:
    from models import Models

    for item in Models(settings).describe():
        name = str(item.get("id") or item.get("name"))
        if item.get("available", item.get("present", True)):
            yield Finding("model", "ok", name)
        elif item.get("default", False):
            todo = "weft models pull"
            yield Finding("model", "warn", f"{name}: no weights; keywords and quotes only", todo)


def _database(db: Database, settings: Settings) -> Iterator[Finding]:
    version, wanted = migrate.current(db), migrate.head(db)
    if version != wanted:
        yield Finding("database", "fail", f"version {version}, this is {wanted}", "weft up")
        return
    yield Finding("database", "ok", f"version {version}")
    with db.read(PLATFORM) as tx:
        yield from _queues(tx)
        yield _dead(vitals.dead_jobs(tx))
        yield _relay(vitals.unpublished_seconds(tx))
        yield _vectors(tx, settings)
        waiting = vitals.approvals_waiting(tx)
    words = f"{waiting} wait for a person" if waiting else "none wait"
    yield Finding("approvals", "ok", words, "weft approvals list" if waiting else "")


def _queues(tx: Tx) -> Iterator[Finding]:
    """A queue with ready jobs that no living worker serves."""
    served = vitals.served_queues(tx, HEARTBEAT_MS_MAX)
    backlogs = vitals.backlogs(tx)
    for one in backlogs:
        words = f"{one.queue}: {one.ready} ready, oldest {one.oldest_seconds:.0f} s"
        if one.queue not in served:
            yield Finding("queue", "fail", f"{words}, and nobody listens", "weft up")
        elif one.oldest_seconds > BACKLOG_SECONDS_MAX:
            yield Finding("queue", "warn", words, "raise WEFT_WORKER_THREADS")
    if not backlogs:
        yield Finding("queue", "ok", "no job waits")


def _dead(count: int) -> Finding:
    if not count:
        return Finding("dead letters", "ok", "none")
    todo = "weft dead-letters list, then weft dead-letters redrive"
    return Finding("dead letters", "warn", f"{count} jobs gave up", todo)


def _vectors(tx: Tx, settings: Settings) -> Finding:
    """Shelves with passages that only keywords find."""
    from models import Models
    from vectorstore import Head

    embedder = Models(settings).embedder()
    heads = [Head.from_json(0, segments, ()) for segments in vitals.shelf_segments(tx)]
    digest = embedder.digest if embedder else None
    lacking = [count for count in (head.lacking(digest) for head in heads) if count]
    if not lacking:
        return Finding("vectors", "ok", "no passage lacks one")
    words = f"{sum(lacking)} passages of {len(lacking)} tenants have none: found by keywords only"
    todo = "their next search asks for them" if embedder else "weft models pull"
    return Finding("vectors", "warn", words, todo)


def _relay(seconds: float) -> Finding:
    if seconds > BACKLOG_SECONDS_MAX:
        return Finding("relay", "fail", f"events wait for {seconds:.0f} s", "weft up")
    return Finding("relay", "ok", "nothing waits")
