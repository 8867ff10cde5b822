"""A document out: not found from this moment on, and its bytes are gone when the call returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents import privacy, shelf
from agents.documents import ORIGINAL, PARSED, child_id, stored_text
from agents.reading import entries_of
from agents.uploads import Start, ring, submitted
from core.context import Ctx
from core.documents import Document
from core.errors import Unfinishable
from database import Tx, audit, documents, kept, shelves
from database.documents import DocumentRow
from runtime import Runtime
from vectorstore import DamagedError, Entry


def remove(rt: Runtime, ctx: Ctx, document_id: str, start: Start = submitted) -> None:
    """The document, what was attached to it, and its cached vectors. A copy of it takes its place
    and is read by a run of its own. Passages leave the disk at the next compaction."""
    with rt.db.read(ctx) as tx:
        rows = _family(tx, ctx, documents.get(tx, ctx, document_id))
    keys = _vector_keys(rt, ctx, [row.id for row in rows])
    loose = [name for row in rows for name in _attachment_ids(rt, ctx, row.id)]
    gone: list[str] = []

    def also(tx: Tx) -> None:
        family = _family(tx, ctx, documents.get(tx, ctx, document_id))
        gone[:] = [row.id for row in family]
        for row in family:
            _promote(rt, tx, ctx, row, set(gone), start)
        documents.delete(tx, ctx, document_id)
        shelves.forget_vectors(tx, ctx, keys)
        kept.forget_answers(tx, ctx)
        audit.record(tx, ctx, "document.remove", document_id, {"documents": len(gone)})

    shelf.move(rt, ctx, lambda now: shelf.without(now, gone), also)
    ring(rt)
    for one in gone:
        rt.vault.delete(ctx, PARSED, one)
        privacy.forget(rt, ctx, one)
    for one in (*gone, *loose):
        rt.vault.delete(ctx, ORIGINAL, one)


def _family(tx: Tx, ctx: Ctx, row: DocumentRow) -> list[DocumentRow]:
    """The document and everything attached to it, at any depth."""
    own = [child for child in documents.children(tx, ctx, row.id) if child.parent_id == row.id]
    return [row, *(one for child in own for one in _family(tx, ctx, child))]


def _promote(rt: Runtime, tx: Tx, ctx: Ctx, row: DocumentRow, gone: set[str], start: Start) -> None:
    """The first copy that stays becomes the original of the others."""
    staying = [copy for copy in documents.copies(tx, ctx, row.id) if copy.id not in gone]
    if not staying:
        return
    first, *others = staying
    documents.set_status(tx, ctx, first.id, "received", duplicate_of=None)
    start(rt, tx, ctx, first.id)
    for other in others:
        documents.set_status(tx, ctx, other.id, other.status, duplicate_of=first.id)


def _attachment_ids(rt: Runtime, ctx: Ctx, document_id: str) -> list[str]:
    """Of everything attached, also what no document could be made of."""
    text = _text(rt, ctx, document_id)
    return [child_id(document_id, number) for number in range(len(text.attachments) if text else 0)]


def _vector_keys(rt: Runtime, ctx: Ctx, document_ids: Sequence[str]) -> list[str]:
    """Keys of the cached vectors of these documents' passages. Those in a damaged segment are told
    from the stored text, as they were made."""
    wanted, head = frozenset(document_ids), shelf.head_of(rt, ctx)
    keys: list[str] = []
    making = {one.digest for one in head.generations}  # perhaps of some passages only, so far
    damaged = {digest for one in head.damaged for digest in one.digests}
    for segment in head.sound:
        digests = segment.digests | making
        try:
            found = wanted & rt.shelves.documents(ctx, segment) if digests else ()
            entries = rt.shelves.entries(ctx, segment) if found else []
        except DamagedError:
            damaged |= digests
            continue
        keys += _keys(digests, [one for one in entries if one.about.document_id in wanted])
    if damaged:
        keys += _keys(damaged, [e for one in document_ids for e in _entries(rt, ctx, one)])
    return keys


def _keys(digests: Iterable[str], entries: Sequence[Entry]) -> list[str]:
    texts = [shelf.embedded_text(entry) for entry in entries]
    return [shelf.vector_key(digest, text) for digest in digests for text in texts]


def _entries(rt: Runtime, ctx: Ctx, document_id: str) -> list[Entry]:
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    text = _text(rt, ctx, document_id)
    return entries_of(row, text) if text is not None else []


def _text(rt: Runtime, ctx: Ctx, document_id: str) -> Document | None:
    """None also when it is damaged: what nobody can read does not keep a document from going."""
    try:
        return stored_text(rt, ctx, document_id)
    except Unfinishable:
        return None
