"""What a document says and holds, also when it is a copy of another."""

from __future__ import annotations

from uuid import UUID, uuid5

from agents import privacy
from agents.stored import ORIGINAL, PARSED, stored_text, whole_text_of
from core.context import Ctx
from core.documents import Document
from core.errors import NotFound
from database import documents
from database.documents import DocumentRow
from runtime import Runtime

__all__ = [
    "ORIGINAL", "PARSED", "child_id", "content_of", "drop_original", "is_alias", "original_of",
    "stored_text", "text_of", "whole_text_of",
]  # fmt: skip


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
    """The parsed document as `ctx` may see it (attachments without their bytes: they are documents
    of their own).

    Raises `NotFound`, `Conflict` (`not_ready`) while nobody has read it, or why it never will be.
    """
    return privacy.document(rt, ctx, document_id, whole_text_of(rt, ctx, document_id))


def content_of(rt: Runtime, ctx: Ctx, document_id: str) -> bytes:
    """The bytes as they were uploaded. Raises `Forbidden` where they hold what this reader may not
    see, `NotFound` (`original_not_kept`) where the tenant redacts."""
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    if row.status == "ready":
        privacy.content(rt, ctx, document_id)
    try:
        return rt.vault.get(ctx, ORIGINAL, document_id)
    except NotFound as error:
        raise NotFound(
            "The original of this document is not kept: personal data was redacted when it was "
            "read. Its text is under `/text`.", code="original_not_kept",
        ) from error  # fmt: skip


def drop_original(rt: Runtime, ctx: Ctx, document_id: str) -> None:
    """Where the tenant redacts, nothing is left of what was uploaded but the redacted text."""
    if privacy.policy(rt, ctx).mode == "redact":
        rt.vault.delete(ctx, ORIGINAL, document_id)
