"""What a document says and holds, also when it is a copy of another."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid5

from core import codec
from core.context import Ctx
from core.documents import Document
from core.errors import Conflict, NotFound, Unfinishable
from database import documents
from database.documents import DocumentRow
from runtime import Runtime

ORIGINAL, PARSED = "original", "parsed"  # kinds of object in the vault, both named by document id


def original_of(rt: Runtime, ctx: Ctx, row: DocumentRow) -> DocumentRow | None:
    """The document that `row` has the same bytes as, if there is one."""
    if row.duplicate_of is None:
        return None
    with rt.db.read(ctx) as tx:
        found = documents.many(tx, ctx, [row.duplicate_of])
    return found[0] if found else None


def is_alias(row: DocumentRow, original: DocumentRow) -> bool:
    """Whether a copy needs nothing of its own: filters could not tell it from the original."""
    return (row.metadata, set(row.tags)) == (original.metadata, set(original.tags))


def child_id(document_id: str, number: int) -> str:
    """The id of an attachment: the same on every attempt, so that none is stored twice."""
    return str(uuid5(UUID(document_id), str(number)))


def text_of(rt: Runtime, ctx: Ctx, document_id: str) -> Document:
    """The parsed document (attachments without their bytes: they are documents of their own).

    Raises `NotFound`, `Conflict` (`not_ready`) while nobody has read it, or why it never will be.
    """
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    for holder in filter(None, (row.id, row.duplicate_of)):
        found = stored_text(rt, ctx, holder)
        if found is not None:
            return found
    if row.status == "failed" and row.error:
        raise Unfinishable(row.error["detail"], code=row.error["code"])
    raise Conflict("This document has not been read yet.", code="not_ready")


def stored_text(rt: Runtime, ctx: Ctx, document_id: str) -> Document | None:
    data = _found(lambda: rt.vault.get(ctx, PARSED, document_id))
    return None if data is None else codec.decode(Document, data)


def content_of(rt: Runtime, ctx: Ctx, document_id: str) -> bytes:
    """The bytes as they were uploaded."""
    with rt.db.read(ctx) as tx:
        documents.get(tx, ctx, document_id)
    return rt.vault.get(ctx, ORIGINAL, document_id)


def _found(get: Callable[[], bytes]) -> bytes | None:
    try:
        return get()
    except NotFound:
        return None
