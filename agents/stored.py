"""What the vault holds of a document, whole: for the index, and for what narrows sight of it."""

from __future__ import annotations

from collections.abc import Callable

from core import codec
from core.context import Ctx
from core.documents import Document
from core.errors import Conflict, NotFound, Unfinishable
from database import documents
from runtime import Runtime

ORIGINAL, PARSED = "original", "parsed"  # kinds of object in the vault, both named by document id


def whole_text_of(rt: Runtime, ctx: Ctx, document_id: str) -> Document:
    """The parsed document, for nobody to see as it is: readers are given `documents.text_of`.

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


def _found(get: Callable[[], bytes]) -> bytes | None:
    try:
        return get()
    except NotFound:
        return None
