"""Files in: everything is looked at before anything is kept, and what is accepted is never lost."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import ingestion
from agents.documents import ORIGINAL, drop_original, is_alias
from core.context import Ctx
from core.errors import Outage, Rejected
from core.failpoints import fp
from core.ids import new_id
from core.vault import seal
from database import Tx, audit, documents
from database.documents import DocumentRow, NewDocument
from ingestion import Limits
from runtime import Runtime
from workflows.submission import Submission, submit_in

_HIDDEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")

_CREW, _SMALL_BYTES = 4, 4 * 2**20
READING = "ingest-document@0"  # the built-in one, whatever a tenant calls its own

# Starts the run that reads a document, in the transaction that creates the row.
Start = Callable[[Runtime, Tx, Ctx, str], None]


@dataclass(frozen=True, slots=True)
class Upload:
    filename: str
    content_type: str
    data: bytes | Path  # a path is read when its turn comes
    password: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Received:
    document_id: str
    filename: str
    status: str
    duplicate_of: str | None = None


def submitted(rt: Runtime, tx: Tx, ctx: Ctx, document_id: str, priority: int = 5) -> None:
    """The run that reads one document; a higher `priority` goes first."""
    inputs = {"document_id": document_id}
    submission = Submission(
        workflow=READING, inputs=inputs, documents=(document_id,), priority=priority
    )
    submit_in(rt, tx, ctx, submission)


def ring(rt: Runtime) -> None:
    """After the commit: there is a run to look at."""
    rt.jobs.ring("supervisor")
    rt.jobs.ring("relay")


def receive(
    rt: Runtime,
    ctx: Ctx,
    uploads: Sequence[Upload],
    start: Start = submitted,
    also: Callable[[Tx, list[Received]], None] = lambda _tx, _made: None,
) -> list[Received]:
    """Raises for the first file that cannot be used (`filename` in the error), with nothing kept.

    `also` runs in the same transaction.

    A file whose bytes this tenant already has is not stored as new work: it is ready at once when
    the first one is.
    """
    new = [_examined(rt, ctx, upload) for upload in uploads]
    try:
        _store(rt, ctx, new, uploads)
        with fp("upload.commit"), rt.db.transaction(ctx) as tx:
            received = [_accepted(rt, tx, ctx, one, start) for one in new]
            also(tx, received)
    except Outage:
        raise
    except Exception:
        with contextlib.suppress(Outage):
            _unkept(rt, ctx, new)
        raise
    for done in received:
        if done.status == "ready":  # a copy of what was read already
            drop_original(rt, ctx, done.document_id)
    ring(rt)
    return received


def safe_name(filename: str) -> str:
    """For showing only: no folders, no control characters, at most 255."""
    name = _HIDDEN.sub("", filename.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    return name[-255:] or "file"


def password_address(document_id: str) -> str:
    return f"document-password/{document_id}"


def new_document(rt: Runtime, ctx: Ctx, document_id: str, upload: Upload) -> NewDocument:
    """Raises what `ingestion.sniff` raises."""
    data = _bytes(upload)
    key = rt.keys(ctx)
    sealed = upload.password and seal(key, upload.password.encode(), password_address(document_id))
    return NewDocument(
        id=document_id,
        filename=safe_name(upload.filename),
        format=ingestion.sniff(data, upload.filename),
        content_type=upload.content_type[:127],
        sha256=sha256(data).hexdigest(),
        size=len(data),
        metadata=upload.metadata,
        tags=upload.tags,
        password=sealed or None,
    )


def adopted(tx: Tx, ctx: Ctx, row: DocumentRow, original: DocumentRow) -> None:
    """A copy shares what was read from the original."""
    documents.set_status(
        tx, ctx, row.id, "ready",
        pages=original.pages, chunks=original.chunks, language=original.language,
        document_type=original.document_type, warnings=list(original.warnings),
    )  # fmt: skip


def _store(rt: Runtime, ctx: Ctx, new: Sequence[NewDocument], uploads: Sequence[Upload]) -> None:
    """Small ones beside one another: each waits for the disk, and one wait serves several."""

    def put(one: NewDocument, upload: Upload) -> None:
        rt.vault.put(ctx, ORIGINAL, one.id, _bytes(upload))

    crew = _CREW if sum(one.size for one in new) <= _SMALL_BYTES else 1
    if min(crew, len(new)) < 2:
        for one, upload in zip(new, uploads, strict=True):
            put(one, upload)
        return
    with ThreadPoolExecutor(min(crew, len(new)), "weft-store") as pool:
        for _ in pool.map(put, new, uploads):
            pass


def _accepted(rt: Runtime, tx: Tx, ctx: Ctx, new: NewDocument, start: Start) -> Received:
    known = documents.by_hash(tx, ctx, new.sha256)
    row = documents.create(tx, ctx, _copy_of(new, known))
    audit.record(tx, ctx, "document.upload", row.id, {"filename": row.filename, "size": row.size})
    if known is not None and known.status == "ready" and is_alias(row, known):
        adopted(tx, ctx, row, known)
        return Received(row.id, row.filename, "ready", known.id)
    start(rt, tx, ctx, row.id)
    return Received(row.id, row.filename, row.status, row.duplicate_of)


def _copy_of(new: NewDocument, known: DocumentRow | None) -> NewDocument:
    return replace(new, duplicate_of=known.id) if known is not None else new


def _examined(rt: Runtime, ctx: Ctx, upload: Upload) -> NewDocument:
    try:
        new = new_document(rt, ctx, new_id(), upload)
        ingestion.check_openable(
            _bytes(upload), new.filename, new.format,
            password=upload.password or None, limits=parse_limits(rt),
        )  # fmt: skip
        return new
    except Rejected as error:
        name = safe_name(upload.filename)
        extra = {"filename": name, **error.extra}
        raise type(error)(f"{name}: {error.detail}", code=error.slug, **extra) from error


def parse_limits(rt: Runtime) -> Limits:
    return Limits(seconds=rt.settings.parse_seconds_max, memory_bytes=rt.settings.parse_bytes_max)


def _bytes(upload: Upload) -> bytes:
    return upload.data.read_bytes() if isinstance(upload.data, Path) else upload.data


def _unkept(rt: Runtime, ctx: Ctx, new: Sequence[NewDocument]) -> None:
    """Deletes the bytes of documents that have no row; the commit may have happened after all.
    What a store that is away keeps is left to the sweep: nobody waits for it a second time."""
    with rt.db.read(ctx) as tx:
        kept = {row.id for row in documents.many(tx, ctx, [one.id for one in new])}
    for one in new:
        if one.id not in kept:
            rt.vault.delete(ctx, ORIGINAL, one.id)
