"""Files within a file: each becomes a document of its own, within what one upload may bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agents.documents import ORIGINAL, child_id
from agents.uploads import Upload, new_document
from core.context import Ctx
from core.documents import Attachment, Document
from core.errors import Rejected, Unfinishable
from database import documents
from database.documents import DocumentRow
from runtime import Runtime

DEPTH_MAX = 3
FILES_MAX = 1_000  # of one upload, at every depth together
_TOLD_MAX = 20  # warnings that name a file


@dataclass
class Family:
    """What an upload may still bring in. An archive of archives shares it with all it holds."""

    left: int = FILES_MAX

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


def keep(rt: Runtime, ctx: Ctx, row: DocumentRow, document: Document) -> Document:
    """Stores the files' bytes, and gives the document without them."""
    for number, attachment in enumerate(document.attachments[:FILES_MAX]):
        rt.vault.put(ctx, ORIGINAL, child_id(row.id, number), attachment.data)
    return replace(
        document, attachments=tuple(replace(one, data=b"") for one in document.attachments)
    )


def read_all(
    rt: Runtime,
    ctx: Ctx,
    row: DocumentRow,
    files: tuple[Attachment, ...],
    *,
    depth: int,
    family: Family,
    read: Callable[[str], None],
) -> Iterator[str]:
    """Reads each by `read(document_id)`; a warning for those that cannot be read."""
    if not files:
        return
    if depth >= DEPTH_MAX:
        yield f"{len(files)} files within were not read: they lie too deep in other files."
        return
    taken = family.take(len(files))
    lost = 0
    for number, attachment in enumerate(files[:taken]):
        try:
            read(_child(rt, ctx, row, number, attachment))
        except (Rejected, Unfinishable) as error:
            lost += 1
            if lost <= _TOLD_MAX:
                yield f"Attachment {attachment.filename} was not read: {error.detail}"
    if lost > _TOLD_MAX:
        yield f"{lost - _TOLD_MAX} more attachments were not read."
    if taken < len(files):
        yield (
            f"Only the first {taken} of {len(files)} attachments were read: one upload brings in "
            f"at most {FILES_MAX}. Send the others by themselves."
        )


def _child(rt: Runtime, ctx: Ctx, row: DocumentRow, number: int, file: Attachment) -> str:
    """The row of an attachment, made on the first attempt."""
    own_id = child_id(row.id, number)
    with rt.db.read(ctx) as tx:
        if documents.many(tx, ctx, [own_id]):
            return own_id
    upload = Upload(
        file.filename, file.content_type, rt.vault.get(ctx, ORIGINAL, own_id),
        metadata=row.metadata, tags=row.tags,
    )  # fmt: skip
    new = replace(new_document(rt, ctx, own_id, upload), parent_id=row.id)
    with rt.db.transaction(ctx, durable=False) as tx:
        known = documents.by_hash(tx, ctx, new.sha256)
        documents.create(tx, ctx, replace(new, duplicate_of=known.id if known else None))
    return own_id
