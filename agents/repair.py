"""What is damaged on a shelf is noticed, taken out of the answers, and made again from documents.

A segment whose words cannot be read is marked on the head, and a run rebuilds it: from the stored
text of its documents, or from their bytes, with vectors that are kept or made again. One that only
lost its vectors answers by words until `agents.reindexing` has made them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from agents import generations, shelf
from agents.documents import PARSED, is_alias, stored_text
from agents.reading import entries_of, parsed
from core import codec, telemetry
from core.context import Ctx
from core.documents import Document
from core.errors import NotFound, Unavailable, Unfinishable
from database import documents, runs
from database.documents import DocumentRow
from runtime import Runtime
from vectorstore import DamagedError, Entry, Head, Segment
from workflows.submission import Submission, submit
from workflows.tasks import Done, Work

_AGAIN_MS = 600_000  # between two runs of which the first did not help
_RUNS_MAX = 3  # in that time, where each did help: a disk that damages all it holds is left alone
_ROWS = 5_000  # passages that are held and stored together
_NAME = "repair-index"
_RUN = {
    "name": _NAME,
    "summary": "Rebuild damaged parts of the search index from the documents",
    "steps": [{"id": "repair", "agent": "ingestion", "task": "repair"}],
}


def report(rt: Runtime, ctx: Ctx, errors: Sequence[DamagedError]) -> None:
    """Marks on the head what could not be read, says so once, and asks for the repair."""
    _mark(rt, ctx, errors)
    ask(rt, ctx)


def _mark(rt: Runtime, ctx: Ctx, errors: Sequence[DamagedError]) -> None:
    marked: list[DamagedError] = []

    def change(head: Head) -> Head:
        marked.clear()
        for error in errors:
            found = [one for one in head.segments if concerns(error, one)]
            if found and not found[0].damaged_ms:
                marked.append(error)
                head = _without(head, found[0], error, rt.clock.now_ms())
        return head

    shelf.move(rt, ctx, change, lambda tx: None)
    for error in marked:
        telemetry.segments_damaged.labels(error.part).inc()
        telemetry.log("agents", tenant=ctx.tenant).error(
            "segment damaged", segment=error.segment.id, part=error.part,
            passages=error.segment.count, why=error.detail,
        )  # fmt: skip


def concerns(error: DamagedError, segment: Segment) -> bool:
    """Whether the damaged object is still one of the segment's."""
    there = error.segment.digest in segment.digests or error.part == "text"
    return segment.id == error.segment.id and there


def _without(head: Head, old: Segment, error: DamagedError, now_ms: int) -> Head:
    """The words of a segment are all that it needs; without them it waits to be rebuilt."""
    lost = error.segment.digest
    if error.part == "text":
        new = replace(old, damaged_ms=now_ms)
    elif lost != old.digest:  # another generation's, which no search reads
        gone = [one for one in old.layers if one.digest == lost]
        new = replace(old, layers=tuple(one for one in old.layers if one not in gone))
        names = (one.vectors for one in gone if one.vectors != old.id)
        retired = (Segment(name, 0, 0, digest=lost, retired_ms=now_ms) for name in names)
        head = replace(head, retired=(*head.retired, *retired))
    else:
        new = replace(old, vectors=None, digest=None, dimension=0)
        vectors = Segment(old.id, 0, 0, old.vectors, retired_ms=now_ms)
        head = replace(head, retired=(*head.retired, vectors))
    return replace(head, segments=tuple(new if one == old else one for one in head.segments))


def ask(rt: Runtime, ctx: Ctx) -> bool:
    """Submits the run that rebuilds, where something is marked and no such run was lately, or what
    is marked was damaged after it; whether it did."""
    marked = [one.damaged_ms for one in shelf.head_of(rt, ctx).damaged]
    if not marked:
        return False
    with rt.db.read(ctx) as tx:
        last = runs.listing(tx, ctx, workflow=_NAME, limit=_RUNS_MAX).items
        lately = [run for run in last if run.created_ms > tx.now_ms - _AGAIN_MS]
    if any(not run.ended for run in last) or len(lately) == _RUNS_MAX:
        return False
    if any(min(marked) < (run.completed_ms or run.created_ms) for run in lately):
        return False
    system = Ctx(ctx.tenant, "system", request_id=ctx.request_id)
    submit(rt, system, Submission(definition=_RUN, priority=1))
    return True


@dataclass
class _Outcome:
    """Documents by what became of them."""

    rebuilt: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # failed now: upload them again
    missing: list[str] = field(default_factory=list)  # their bytes are not in the store


def repair(work: Work) -> Done:
    """→ `{rebuilt, damaged, missing}`, ids of documents, and `segments`, how many were replaced.
    Search goes on meanwhile. While bytes are missing (a store that was not restored yet) their
    segment stays marked, and a later search asks again."""
    rt, ctx = work.rt, work.ctx
    _recheck(rt, ctx)
    lost, head = _lost(rt, ctx)
    outcome, fresh = _Outcome(), []
    for entries in _rebuilt(work, lost if head.damaged else (), outcome):
        fresh.append(_stored(rt, ctx, entries))
        work.progress(len(outcome.rebuilt), len(lost))
    keep, at_ms = bool(outcome.missing), rt.clock.now_ms()
    shelf.move(
        rt, ctx, lambda now: _replacing(now, head.damaged, fresh, at_ms, keep=keep), lambda tx: None
    )
    telemetry.segments_rebuilt.inc(0 if keep else len(head.damaged))
    for one in outcome.damaged:
        work.log("its stored file is damaged: upload it again", level="error", document_id=one)
    for one in outcome.missing:
        work.log("its stored file is gone: restore it from a backup, or remove the document",
                 level="error", document_id=one)  # fmt: skip
    return Done({
        "segments": len(head.damaged), "rebuilt": len(outcome.rebuilt),
        "damaged": outcome.damaged, "missing": outcome.missing,
    })  # fmt: skip


def _recheck(rt: Runtime, ctx: Ctx) -> None:
    """Marks what else is damaged, and takes the mark from what was restored meanwhile."""
    restored: list[Segment] = []
    errors: list[DamagedError] = []
    for one in shelf.head_of(rt, ctx).segments:
        found = rt.shelves.check(ctx, replace(one, damaged_ms=0))
        errors += found
        if one.damaged_ms and not any(error.part == "text" for error in found):
            restored.append(one)
    _mark(rt, ctx, errors)

    def change(now: Head) -> Head:
        read = (replace(one, damaged_ms=0) if one in restored else one for one in now.segments)
        return replace(now, segments=tuple(read))

    shelf.move(rt, ctx, change, lambda tx: None)


def _lost(rt: Runtime, ctx: Ctx) -> tuple[list[DocumentRow], Head]:
    """Documents that were read and whose passages no sound segment holds. The head is read after
    the rows: whatever was ready then is on it. What is removed meanwhile stays removed, because
    tombstones are kept as long as anything is marked."""
    with rt.db.read(ctx) as tx:
        rows = {row.id: row for row in documents.ready(tx, ctx)}
    head = shelf.head_of(rt, ctx)
    held = frozenset(head.tombstones).union(*(rt.shelves.documents(ctx, s) for s in head.sound))
    return [row for row in rows.values() if row.id not in held and _own(row, rows)], head


def _own(row: DocumentRow, rows: dict[str, DocumentRow]) -> bool:
    """Whether it has passages of its own."""
    original = rows.get(row.duplicate_of or "")
    return bool(row.chunks) and (original is None or not is_alias(row, original))


def _rebuilt(work: Work, lost: Sequence[DocumentRow], outcome: _Outcome) -> Iterator[list[Entry]]:
    """Passages by the thousand; a document's are not torn apart."""
    held: list[Entry] = []
    for row in lost:
        document = _text(work, row, outcome)
        if document is not None:
            held += entries_of(row, document)
            outcome.rebuilt.append(row.id)
        if len(held) >= _ROWS:
            yield held
            held = []
    if held:
        yield held


def _text(work: Work, row: DocumentRow, outcome: _Outcome) -> Document | None:
    """As it was stored, else read again from the bytes; None when neither is there."""
    rt, ctx = work.rt, work.ctx
    try:
        known = stored_text(rt, ctx, row.id)
        if known is not None:
            return known
    except Unfinishable:
        work.log("the stored text is damaged: reading the file again", document_id=row.id)
    try:
        document = parsed(rt, ctx, row)
    except NotFound:
        outcome.missing.append(row.id)
        return None
    except Unfinishable as error:
        _give_up(rt, ctx, row, error)
        outcome.damaged.append(row.id)
        return None
    rt.vault.put(ctx, PARSED, row.id, codec.encode(Document, document))
    with rt.db.read(ctx) as tx:
        removed = not documents.many(tx, ctx, [row.id])
    if removed:
        rt.vault.delete(ctx, PARSED, row.id)
    return None if removed else document


def _give_up(rt: Runtime, ctx: Ctx, row: DocumentRow, error: Unfinishable) -> None:
    """The row says it; reading it again is tried when somebody asks for it."""
    note = {
        "code": "object_damaged",
        "detail": f"The stored file is damaged, and so is what was read from it ({error.slug}). "
        "Upload it again, or restore it from a backup.",
    }  # fmt: skip
    with rt.db.transaction(ctx) as tx:
        if documents.many(tx, ctx, [row.id]):
            documents.set_status(tx, ctx, row.id, "failed", error=note)


def _stored(rt: Runtime, ctx: Ctx, entries: Sequence[Entry]) -> Segment:
    """Found by words if no model can embed now; a search asks for the vectors then."""
    head = shelf.head_of(rt, ctx)
    try:
        embedder = generations.serving(rt, head)
        if embedder is None:
            return rt.shelves.write(ctx, entries)
        vectors = shelf.embedded(rt, ctx, embedder, entries, lambda _done: None)
    except Unavailable:
        return rt.shelves.write(ctx, entries)
    segment = rt.shelves.write(ctx, entries, vectors, embedder.digest)
    return generations.layered(rt, ctx, head, segment, entries, lambda _done: None)


def _replacing(
    now: Head, broken: Sequence[Segment], fresh: Sequence[Segment], at_ms: int, *, keep: bool
) -> Head:
    """`keep`: some documents still cannot be read; what was rebuilt is found all the same."""
    if any(one not in now.segments for one in broken):
        return now  # another run was first
    names = {one.id for one in fresh}
    left = [one for one in now.segments if one.id not in names and (keep or one not in broken)]
    gone = () if keep else tuple(one.retired(at_ms) for one in broken if one.id not in names)
    return replace(now, segments=(*left, *fresh), retired=(*now.retired, *gone))
