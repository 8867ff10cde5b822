"""What the tables know: their version and walls, queues, workers, relay, dead letters, vectors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.clock import SystemClock
from core.context import PLATFORM
from core.errors import WeftError
from core.settings import Settings
from database import Database, Tx, migrate, vitals, workers
from ops.doctor import damage
from ops.doctor.finding import Finding, fail, ok, warn
from ops.doctor.servers import clock

if TYPE_CHECKING:
    from models import Models
    from vectorstore import Head

BACKLOG_SECONDS_MAX = 10.0


def examine(settings: Settings) -> Iterator[Finding]:
    if settings.database_url.startswith("sqlite") and not (settings.data_dir / "weft.db").exists():
        yield warn("database", "there is none yet", "weft up")
        return
    db = Database(settings.database_url, SystemClock())
    try:
        yield from _database(db, settings)
    except WeftError as error:
        yield fail("database", error.detail, "check WEFT_DATABASE_URL")
    finally:
        db.close()


def _database(db: Database, settings: Settings) -> Iterator[Finding]:
    version, wanted = migrate.current(db), migrate.head()
    if version != wanted:
        todo = "weft up" if db.is_sqlite else "weft migrate"
        yield fail("database", f"version {version}, this is {wanted}", todo)
        return
    yield ok("database", f"version {version}")
    if not db.is_sqlite:
        walls = list(_walls(db))
        yield from walls
        if walls[0].state == "fail":
            return  # this role may not even be able to look
    with db.read(PLATFORM) as tx:
        if not db.is_sqlite:
            yield clock("database clock", tx.now_ms / 1000 - time.time())
        yield from _queues(tx, settings)
        yield from _workers(tx, settings)
        yield _dead(vitals.dead_jobs(tx))
        yield _relay(vitals.unpublished_seconds(tx))
        yield from _vectors(tx, settings)
        yield damage.examine(tx)
        waiting = vitals.approvals_waiting(tx)
    words = f"{waiting} wait for a person" if waiting else "none wait"
    yield Finding("approvals", "ok", words, "weft approvals list" if waiting else "")


def _walls(db: Database) -> Iterator[Finding]:
    wrong = migrate.wall_gaps(db)
    for words in wrong:
        said, _, todo = words.partition(": ")
        yield fail("walls", said, todo)
    if not wrong:
        yield ok("walls", "row level security is forced on every tenant's table")


def _queues(tx: Tx, settings: Settings) -> Iterator[Finding]:
    """A queue with ready jobs that no living worker serves."""
    served = vitals.served_queues(tx, settings.silent_ms)
    backlogs = vitals.backlogs(tx)
    for one in backlogs:
        words = f"{one.queue}: {one.ready} ready, oldest {one.oldest_seconds:.0f} s"
        if one.queue not in served:
            yield fail("queue", f"{words}, and nobody listens", "weft up")
        elif one.oldest_seconds > BACKLOG_SECONDS_MAX:
            yield warn("queue", words, "raise WEFT_WORKER_THREADS, or start another worker")
    if not backlogs:
        yield ok("queue", "no job waits")


def _workers(tx: Tx, settings: Settings) -> Iterator[Finding]:
    """Workers that left without a word; what they held is taken over when the lease is out."""
    crew = workers.listing(tx)
    silent = [one for one in crew if one.heartbeat_ms <= tx.now_ms - settings.silent_ms]
    living = len(crew) - len(silent)
    for one in silent:
        seconds = (tx.now_ms - one.heartbeat_ms) / 1000
        words = f"{one.host} (process {one.pid}) has been silent for {seconds:.0f} s"
        todo = "start it again: weft serve --only worker"
        if living:
            yield warn("worker", f"{words}; {living} others work", f"{todo} (forgotten in an hour)")
        else:
            yield fail("worker", f"{words}, and no other works", todo)
    if living:
        yield ok("worker", f"{living} at work")


def _dead(count: int) -> Finding:
    if not count:
        return ok("dead letters", "none")
    todo = "weft dead-letters list, then weft dead-letters redrive"
    return warn("dead letters", f"{count} jobs gave up", todo)


def _relay(seconds: float) -> Finding:
    if seconds > BACKLOG_SECONDS_MAX:
        return fail("relay", f"events wait for {seconds:.0f} s", "weft up")
    return ok("relay", "nothing waits")


def _vectors(tx: Tx, settings: Settings) -> Iterator[Finding]:
    """Shelves with passages that only keywords find, and those that wait for an operator."""
    from models import Models
    from vectorstore import Head

    models = Models(settings)
    heads = [Head.from_json(0, segments, (), known) for segments, known in vitals.shelves(tx)]
    lacking = [count for head in heads if (count := _lacking(models, head))]
    if not lacking:
        yield ok("vectors", "no passage lacks one")
    else:
        words = (
            f"{sum(lacking)} passages of {len(lacking)} tenants have none: found by keywords only"
        )
        todo = "their next search asks for them" if models.embedder() else "weft models pull"
        yield warn("vectors", words, todo)
    yield from _generations(models, settings, heads)


def _lacking(models: Models, head: Head) -> int:
    """Passages that a search by meaning does not see."""
    from agents import generations

    serving = head.serving
    found = generations.loaded(models, serving) if serving else None
    found = found or models.embedder()
    return head.lacking(found.digest if found else None)


def _generations(models: Models, settings: Settings, heads: list[Head]) -> Iterator[Finding]:
    """Indexes that another model made than WEFT_EMBEDDING names, and rebuilt ones that wait."""
    from agents import generations

    chosen = models.embedder()
    others = [head for head in heads if head.serving is not None and not head.generation("beside")]
    behind = [
        head
        for head in others
        if chosen is not None and head.serving and head.serving.digest != chosen.digest
        and generations.loaded(models, head.serving) is not None
    ]  # fmt: skip
    if behind:
        words = f"WEFT_EMBEDDING is {settings.embedding}; {len(behind)} indexes go on with another"
        yield warn("embedding", words, "weft index rebuild --all, then compare and swap")
    waiting = [head for head in heads if (one := head.generation("beside")) is not None
               and not head.missing(one.digest)]  # fmt: skip
    if waiting:
        words = f"{len(waiting)} rebuilt indexes wait to be compared and swapped"
        yield warn("embedding", words, "weft index compare --all, then weft index swap --all")
