"""The ingestion agent: a document is read, split, indexed by words at once and by vectors after.

Every stage is kept, so an interrupted reading goes on where it was; a known document is not read
again. Attached files become documents of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from agents import attachments, compaction, generations, privacy, reindexing, shelf
from agents.documents import (
    PARSED,
    content_of,
    drop_original,
    is_alias,
    original_of,
    stored_text,
    text_of,
)  # fmt: skip
from agents.freeing import free
from agents.reading import entries_of, parsed
from agents.reindexing import rebuild, reindex
from agents.removal import remove
from agents.repair import repair
from agents.uploads import (
    Received,
    Upload,
    adopted,
    receive,
)  # fmt: skip
from core import codec, memory, telemetry
from core.documents import Document
from core.errors import (
    InvalidInput,
    NotFound,
    Outage,
    Rejected,
    Unavailable,
    Unfinishable,
    WeftError,
)
from core.failpoints import fp
from database import documents
from database.documents import DocumentRow
from ingestion import unsearched
from workflows.tasks import Defer, Done, TaskSpec, Work

__all__ = [
    "TASKS", "Received", "Upload", "content_of", "ingest", "receive", "reindex", "remove",
    "text_of",
]  # fmt: skip

_LEASE_SECONDS = 90.0  # above the longest time between two looks at it: one parser's
_LARGE = 400_000  # characters; what it took to read them would stay with the thread
_AT_ONCE = 8  # so few passages are embedded before anybody could ask for them
# Failures that another try may not meet: what was damaged may have been restored.
_AGAIN = frozenset({"internal", "unavailable", "object_damaged"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in an upload a document lies: how deep, and what the whole of it may bring in."""

    depth: int = 0
    family: attachments.Family = field(default_factory=attachments.Family)


class _BusyError(Exception):
    """Another step reads this document (the argument is its file name)."""


def ingest(work: Work) -> Done | Defer:
    """`document_id` → `{document_id, status, pages, chunks, children}`. Ready: at once."""
    document_id = work.message.payload.get("document_id")
    if not isinstance(document_id, str):
        raise InvalidInput("This task needs a `document_id`.", field="document_id")
    try:
        _read(work, document_id, _Place())
    except _BusyError as busy:
        return Defer(0.2, f"document {busy}: another step is reading it")
    with work.rt.db.read(work.ctx) as tx:
        row = documents.get(tx, work.ctx, document_id)
        attached = documents.children(tx, work.ctx, document_id)
    return Done({
        "document_id": row.id, "status": row.status, "pages": row.pages, "chunks": row.chunks,
        "children": [child.id for child in attached if child.status == "ready"],
    })  # fmt: skip


def _read(work: Work, document_id: str, place: _Place) -> None:
    with work.rt.db.read(work.ctx) as tx:
        row = documents.get(tx, work.ctx, document_id)
    if row.status == "ready":
        return
    if row.status == "failed" and row.error and row.error["code"] not in _AGAIN:
        raise Unfinishable(row.error["detail"], code=row.error["code"])
    with work.rt.db.transaction(work.ctx, durable=False) as tx:
        if not documents.claim(tx, work.ctx, row.id, work.step_id, _LEASE_SECONDS):
            raise _BusyError(row.filename)
        row = documents.get(tx, work.ctx, document_id)
        if row.status in ("received", "failed"):
            documents.set_status(tx, work.ctx, row.id, "parsing")
    if row.status == "ready":
        _release(work, row)
        return
    try:
        characters = _take_in(work, row, place)
    except _BusyError:
        _release(work, row)
        raise
    except Exception as error:  # the row must not stay half-read: it says why, then the run does
        _note_failure(work, row, error)
        raise
    drop_original(work.rt, work.ctx, row.id)
    telemetry.documents.labels(row.format, "ready").inc()
    if characters > _LARGE:
        memory.give_back(cycles=True)


def _take_in(work: Work, row: DocumentRow, place: _Place) -> int:
    """How many characters its text has; none where another's was adopted."""
    original = _original(work, row, place)
    if original is not None and is_alias(row, original):
        with fp("index.commit"), work.rt.db.transaction(work.ctx) as tx:
            adopted(tx, work.ctx, row, original)
        return 0
    document = _parsed(work, row, original)
    cut = filter(None, [unsearched(document)])
    warnings = [*document.warnings, *cut, *_attached(work, row, document, place)]
    facts = {
        "pages": len(document.pages), "language": document.language, "warnings": warnings,
        "document_type": document.document_type, "password": None,
        "duplicate_of": original.id if original else None,
    }  # fmt: skip
    with (
        telemetry.span("ingestion.index"),
        telemetry.timed(telemetry.ingestion_seconds, "index"),
    ):
        _index(work, row, document, facts)
    compaction.compact(work.rt, work.ctx)
    return sum(len(page.text) for page in document.pages)


def _original(work: Work, row: DocumentRow, place: _Place) -> DocumentRow | None:
    """The document that `row` is a copy of, read first if nobody did; None if it cannot be."""
    original = original_of(work.rt, work.ctx, row)
    if original is None:
        return None
    try:
        _read(work, original.id, place)
    except (Rejected, Unfinishable):
        return None  # perhaps this copy came with the right password
    return original_of(work.rt, work.ctx, row)


def _parsed(work: Work, row: DocumentRow, original: DocumentRow | None) -> Document:
    """Read before, read for a copy, or read now by the parser's child; kept before it is used."""
    rt, ctx = work.rt, work.ctx
    known = stored_text(rt, ctx, row.id)
    if known is not None:
        return known
    same = stored_text(rt, ctx, original.id) if original is not None else None
    document = same if same is not None and not same.attachments else _read_now(work, row)
    document = privacy.redacted(rt, ctx, document) or document
    with fp("journal.commit"):
        rt.vault.put(ctx, PARSED, row.id, codec.encode(Document, document))
    return document


def _read_now(work: Work, row: DocumentRow) -> Document:
    files = attachments.Keeping(work.rt, work.ctx, row)
    try:
        return parsed(
            work.rt, work.ctx, row, lambda done, total: _beat(work, row, total)(done), files
        )
    except Unfinishable:
        files.undo()
        raise


def _attached(work: Work, row: DocumentRow, document: Document, place: _Place) -> list[str]:
    """Reads what is attached; gives a warning for each that cannot be read."""
    beat = _beat(work, row, len(document.attachments))
    done = count()

    def read(document_id: str) -> None:
        beat(next(done))
        _read(work, document_id, _Place(place.depth + 1, place.family))

    return list(attachments.read_all(
        work.rt, work.ctx, row, document.attachments, depth=place.depth, family=place.family,
        read=read,
    ))  # fmt: skip


def _index(work: Work, row: DocumentRow, document: Document, facts: dict[str, Any]) -> None:
    rt, ctx = work.rt, work.ctx
    entries = entries_of(row, document)
    facts = {**facts, "chunks": len(entries)}
    head = shelf.head_of(rt, ctx)
    embedder = generations.serving(rt, head) if entries else None
    if embedder is None:
        segment = rt.shelves.write(ctx, entries) if entries else None
        shelf.publish(rt, ctx, row.id, segment, "ready", facts)
        return
    beat = _beat(work, row, len(entries))
    words = rt.shelves.write(ctx, entries) if len(entries) > _AT_ONCE else None
    if words is not None:
        shelf.publish(rt, ctx, row.id, words, "embedding", facts)
    try:
        vectors = shelf.embedded(rt, ctx, embedder, entries, beat)
    except Unavailable as error:
        if isinstance(error, Outage) or error.slug != "model_missing":
            raise
        # Its weights were deleted: found by words, until a search with a model asks for vectors.
        shelf.publish(rt, ctx, row.id, words or rt.shelves.write(ctx, entries), "ready", facts)
        return
    if words is not None:
        segment = rt.shelves.attach(ctx, words, vectors, embedder.digest)
    else:
        segment = rt.shelves.write(ctx, entries, vectors, embedder.digest)
    segment = generations.layered(rt, ctx, head, segment, entries, beat)
    model = "" if head.generations else generations.name_of(rt, embedder)
    now = shelf.publish(rt, ctx, row.id, segment, "ready", facts, model)
    reindexing.settle(rt, ctx, head, now)


def _beat(work: Work, row: DocumentRow, total: int) -> Callable[[int], None]:
    """Says how far it is and that somebody still works on it."""

    def beat(done: int) -> None:
        work.progress(done, total)
        if work.cancelled():
            raise _BusyError(row.filename)
        with work.rt.db.transaction(work.ctx, durable=False) as tx:
            if not documents.claim(tx, work.ctx, row.id, work.step_id, _LEASE_SECONDS):
                raise _BusyError(row.filename)

    return beat


def _release(work: Work, row: DocumentRow) -> None:
    with work.rt.db.transaction(work.ctx, durable=False) as tx:
        documents.release(tx, work.ctx, row.id, work.step_id)


def _note_failure(work: Work, row: DocumentRow, error: Exception) -> None:
    """A failure that stays one is written on the row; others are tried again by the engine."""
    lasting = isinstance(error, Rejected | Unfinishable)
    if isinstance(error, Outage):
        return
    if not lasting and work.attempt < work.rt.settings.step_attempts_max:
        return
    note = {"code": "internal", "detail": "Reading this document failed. An operator can see why."}
    if isinstance(error, WeftError):
        note = {"code": error.slug, "detail": error.detail}
    if lasting:
        drop_original(work.rt, work.ctx, row.id)
    telemetry.documents.labels(row.format, "failed").inc()
    telemetry.ingestion_failures.labels(note["code"]).inc()
    try:
        with work.rt.db.transaction(work.ctx) as tx:
            documents.set_status(tx, work.ctx, row.id, "failed", error=note)
    except NotFound:
        pass  # it was removed meanwhile


TASKS = (
    TaskSpec(
        "ingestion", "ingest", ingest, "Read a document and make it searchable",
        {"document_id": "the document"},
    ),
    TaskSpec(
        "ingestion", "reindex", reindex, "Embed passages that lack vectors of the current model",
    ),
    TaskSpec(
        "ingestion", "rebuild", rebuild, "Make the vectors of another model beside those in use",
        {"model": "as WEFT_EMBEDDING names it", "digest": "of its weights"},
    ),
    TaskSpec(
        "ingestion", "free", free, "Delete what was kept of a model's vectors",
        {"digest": "of its weights"},
    ),
    TaskSpec("ingestion", "repair", repair, "Rebuild damaged parts of the search index"),
)  # fmt: skip
