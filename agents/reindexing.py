"""Vectors for passages that have none of the current model: indexed without one, or by another."""

from __future__ import annotations

from dataclasses import replace

from agents import shelf
from vectorstore import Head, Segment
from workflows.tasks import Done, Work


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
