"""A generation that nobody wants any more: off the head at once, then its objects, then what was
kept to make them again."""

from __future__ import annotations

from agents import compaction, shelf
from agents.index_runs import FREE, ring, submission, system
from core.context import Ctx
from database import Tx, shelves
from runtime import Runtime
from vectorstore import ONE_OBJECT_ROWS, Head
from vectorstore import generations as heads
from workflows.submission import submit_in
from workflows.tasks import Defer, Done, Work

_FORGET = 5_000  # kept vectors deleted in one transaction


def expire(rt: Runtime, ctx: Ctx, head: Head) -> None:
    """Gives up what is kept for a way back, when its days are over."""
    kept = head.generation("kept")
    if kept is not None and kept.until_ms <= rt.clock.now_ms():
        drop(rt, ctx, kept.digest)


def drop(rt: Runtime, ctx: Ctx, digest: str) -> None:
    """Without that generation from now on; a run frees what is stored of it when no search that
    began before can read it any more."""
    shelf.move(
        rt, ctx,
        lambda head: heads.dropped(head, digest, rt.clock.now_ms()),
        lambda tx: free_in(rt, tx, ctx, digest), same_content=True,
    )  # fmt: skip
    ring(rt)


def free_in(rt: Runtime, tx: Tx, ctx: Ctx, digest: str) -> None:
    """The run that frees what is stored of it; the caller rings after its commit."""
    submit_in(rt, tx, system(ctx), submission(FREE, digest, {"digest": digest}))


def free(work: Work) -> Done | Defer:
    """`digest` → `{forgotten}`, how many vectors. Its objects first, then what was kept to make
    them again."""
    rt, ctx, digest = work.rt, work.ctx, str(work.message.payload["digest"])
    if digest in {one.digest for one in shelf.head_of(rt, ctx).generations}:
        return Done({"forgotten": 0})  # it is wanted again
    merged_ms = work.remember("merged_ms", lambda: _written_anew(rt, ctx))
    compaction.tidy(rt, ctx)
    over = rt.clock.now_ms() > merged_ms + compaction.GRACE_MS
    if not over or heads.leaving(shelf.head_of(rt, ctx), digest):
        return Defer(compaction.GRACE_MS / 1000 + 0.1, "searches that began before it was dropped")
    return Done({"forgotten": _forgotten(work, digest)})


def _written_anew(rt: Runtime, ctx: Ctx) -> int:
    """Passages that may still lie in one object with the dropped vectors; when, in ms."""
    head = shelf.head_of(rt, ctx)
    apart = any(one.vectors != one.id for one in head.sound)
    if apart and head.count <= ONE_OBJECT_ROWS:
        compaction.compact(rt, ctx, force=True)
    return rt.clock.now_ms()


def _forgotten(work: Work, digest: str) -> int:
    rt, ctx, count = work.rt, work.ctx, 0
    for segment in shelf.head_of(rt, ctx).sound:
        entries = rt.shelves.entries(ctx, segment)
        keys = [shelf.vector_key(digest, shelf.embedded_text(entry)) for entry in entries]
        for at in range(0, len(keys), _FORGET):
            with rt.db.transaction(ctx, durable=False) as tx:
                shelves.forget_vectors(tx, ctx, keys[at : at + _FORGET])
        count += len(keys)
    return count
