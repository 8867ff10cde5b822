"""Vectors for passages that have none of the current model: indexed without one, or by another."""

from __future__ import annotations

from dataclasses import replace

from agents import shelf
from core.context import Ctx
from database import documents, runs
from runtime import Runtime
from vectorstore import Head, Segment
from workflows.submission import Submission, submit
from workflows.tasks import Done, Work

_AGAIN_MS = 600_000  # between two runs of which the first did not help
_RUN = {
    "name": "reindex",
    "summary": "Embed passages that lack vectors of the current model",
    "steps": [{"id": "reindex", "agent": "ingestion", "task": "reindex"}],
}


def ask(rt: Runtime, ctx: Ctx, digest: str) -> bool:
    """A search met passages without vectors of the model `digest`: submits the run that makes them,
    unless it was submitted lately or a document is being embedded just now; whether it did."""
    with rt.db.read(ctx) as tx:
        busy = documents.counts(tx, ctx).get("embedding", 0) > 0
        last = runs.listing(tx, ctx, workflow="reindex", limit=1).items
        recent = any(
            run.metadata.get("digest") == digest
            and (not run.ended or run.created_ms > tx.now_ms - _AGAIN_MS)
            for run in last
        )
    if busy or recent:
        return False
    system = Ctx(ctx.tenant, "system", request_id=ctx.request_id)
    submit(rt, system, Submission(definition=_RUN, priority=1, metadata={"digest": digest}))
    return True


def reindex(work: Work) -> Done:
    """Embeds every passage that has no vector of the current model; search goes on meanwhile."""
    embedder = work.rt.models.embedder()
    if embedder is None:
        return Done({"embedded": 0})
    done = 0
    for segment in shelf.head_of(work.rt, work.ctx).segments:
        if segment.digest != embedder.digest and not work.cancelled():
            entries = work.rt.shelves.entries(work.ctx, segment)
            vectors = shelf.embedded(work.rt, work.ctx, embedder, entries, lambda _done: None)
            fresh = work.rt.shelves.attach(work.ctx, segment, vectors, embedder.digest)
            old = segment.retired(work.rt.clock.now_ms())
            shelf.move(work.rt, work.ctx, _replacing(segment, fresh, old), lambda tx: None)
            done += segment.count
    return Done({"embedded": done})


def _replacing(current: Segment, new: Segment, old: Segment) -> shelf.Change:
    def change(head: Head) -> Head:
        if current not in head.segments:
            return head
        return replace(shelf.holding(head, new), retired=(*head.retired, old))

    return change
