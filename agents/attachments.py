"""Files within a file: each becomes a document of its own, within what one upload may bring."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agents.documents import ORIGINAL, child_id
from agents.uploads import Upload, new_document, password_address, ring, submitted
from core.context import Ctx
from core.documents import Attachment
from core.errors import Rejected, Unfinishable
from core.vault import unseal
from database import documents
from database.documents import DocumentRow
from ingestion.names import UNNAMED
from runtime import Runtime

DEPTH_MAX = 3
FILES_MAX = 1_000  # of one upload, at every depth together
_TOLD_MAX = 20  # warnings that name a file
TOGETHER_SECONDS = 8.0  # the file that holds them is ready soon after; the others follow
_AFTER_OTHERS = 2  # priority: what is uploaded next does not wait for a thousand files
_HOLDERS = frozenset({"zip", "tar", "gz"})  # unpacked, a few bytes are a thousand files


@dataclass
class Family:
    """What an upload may still bring in. An archive of archives shares it with all it holds."""

    left: int = FILES_MAX

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


class Keeping:
    """Stores the bytes of the files as they come out of the parser, one at a time."""

    def __init__(self, rt: Runtime, ctx: Ctx, row: DocumentRow) -> None:
        self._rt, self._ctx, self._row = rt, ctx, row
        self._kept = 0

    def __call__(self, place: int, file: Attachment) -> None:
        if place < FILES_MAX:
            self._kept = max(self._kept, place + 1)
            self._rt.vault.put(self._ctx, ORIGINAL, child_id(self._row.id, place), file.data)

    def undo(self) -> None:
        """Nothing came of the document that they were in."""
        for place in range(self._kept):
            self._rt.vault.delete(self._ctx, ORIGINAL, child_id(self._row.id, place))


def read_all(
    rt: Runtime,
    ctx: Ctx,
    row: DocumentRow,
    files: tuple[Attachment, ...],
    *,
    depth: int,
    family: Family,
    read: Callable[[str], None],
    together_seconds: float = TOGETHER_SECONDS,
) -> Iterator[str]:
    """Reads each by `read(document_id)`; a warning for those that cannot be read. What is not read
    in `together_seconds` is read by runs of its own: nobody waits for a thousand files."""
    if not files:
        return
    if depth >= DEPTH_MAX:
        yield f"{len(files)} files within were not read: they lie too deep in other files."
        return
    taken = family.take(len(files))
    lost, until = 0, time.monotonic() + together_seconds
    for number, attachment in enumerate(files[:taken]):
        try:
            if time.monotonic() < until:
                read(_child(rt, ctx, row, number, attachment))
            else:
                _child(rt, ctx, row, number, attachment, alone=True)
        except (Rejected, Unfinishable) as error:
            lost += 1
            if lost <= _TOLD_MAX:
                why = error.detail.partition(" Supported: ")[
                    0
                ]  # the list would stand there 20 times
                yield f"Attachment {attachment.filename} was not read: {why}"
    if lost > _TOLD_MAX:
        yield f"{lost - _TOLD_MAX} more attachments were not read."
    if taken < len(files):
        yield (
            f"Only the first {taken} of {len(files)} attachments were read: one upload brings in "
            f"at most {FILES_MAX}. Send the others by themselves."
        )


def _password(rt: Runtime, ctx: Ctx, row: DocumentRow) -> str | None:
    """What opened the archive may open what lies in it: a locked PDF in a locked ZIP."""
    with rt.db.read(ctx) as tx:
        sealed = documents.password(tx, ctx, row.id)
    return unseal(rt.keys(ctx), sealed, password_address(row.id)).decode() if sealed else None


def _named(row: DocumentRow, file: Attachment) -> str:
    """A gzip file that does not name what it holds is named after it: `rates.csv.gz`."""
    if row.format == "gz" and file.filename == UNNAMED and row.filename.lower().endswith(".gz"):
        return row.filename[:-3] or UNNAMED
    return file.filename


def _child(
    rt: Runtime, ctx: Ctx, row: DocumentRow, number: int, file: Attachment, *, alone: bool = False
) -> str:
    """The row of an attachment, made on the first attempt. `alone`: read by a run of its own; what
    holds files itself is not, so that nothing comes in past the family's bounds."""
    own_id = child_id(row.id, number)
    with rt.db.read(ctx) as tx:
        if documents.many(tx, ctx, [own_id]):
            return own_id
    upload = Upload(
        _named(row, file), file.content_type, rt.vault.get(ctx, ORIGINAL, own_id),
        password=_password(rt, ctx, row), metadata=row.metadata, tags=row.tags,
    )  # fmt: skip
    new = replace(new_document(rt, ctx, own_id, upload), parent_id=row.id)
    if alone and new.format in _HOLDERS:
        raise Unfinishable("there were too many files before it", code="too_many_parts")
    with rt.db.transaction(ctx, durable=False) as tx:
        known = documents.by_hash(tx, ctx, new.sha256)
        documents.create(tx, ctx, replace(new, duplicate_of=known.id if known else None))
        if alone:
            submitted(rt, tx, ctx, own_id, _AFTER_OTHERS)
    if alone:
        ring(rt)
    return own_id
