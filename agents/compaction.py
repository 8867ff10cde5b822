"""Small segments become one, removed documents leave the disk; one caller at a time per tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents import repair, shelf
from core import memory
from core.context import Ctx
from database import documents, shelves
from runtime import Runtime
from vectorstore import ONE_OBJECT_ROWS, DamagedError, Head, Segment

SEGMENTS_MAX = 8  # a search opens each; merging each chunk log8(n) times stays cheap
READS_MAX = 3  # objects that a cold shelf is opened by, once nothing more is on the way
TOMBSTONES_MAX = 64
ROWS_MAX = 100_000  # a segment this large is left alone
GRACE_MS = 10_000  # longer than a search; one that is slower reads the head again
_LEASE_SECONDS = 120.0
_LARGE_ROWS = 500
_SMALL_ROWS = 200  # so few are merged whatever they are merged with


def compact(rt: Runtime, ctx: Ctx, *, force: bool = False) -> bool:
    """Merges if it is due and nobody else does; whether anything was merged. What is damaged is
    left to the repair."""
    head = shelf.head_of(rt, ctx)
    if not force and not _due(head) and not (_scattered(head.sound) and _settled(rt, ctx)):
        return False
    with rt.db.transaction(ctx, durable=False) as tx:
        if not shelves.lease_compaction(tx, ctx, _LEASE_SECONDS):
            return False
    try:
        _drop_retired(rt, ctx)
        return _merge(rt, ctx, shelf.head_of(rt, ctx), everything=force)
    except DamagedError as error:
        if error.segment in shelf.head_of(rt, ctx).segments:
            repair.report(rt, ctx, [error])
        return False
    finally:
        with rt.db.transaction(ctx, durable=False) as tx:
            shelves.release_compaction(tx, ctx)


def tidy(rt: Runtime, ctx: Ctx) -> bool:
    """Deletes what was retired and is past its grace; False while somebody merges."""
    with rt.db.transaction(ctx, durable=False) as tx:
        if not shelves.lease_compaction(tx, ctx, _LEASE_SECONDS):
            return False
    try:
        _drop_retired(rt, ctx)
    finally:
        with rt.db.transaction(ctx, durable=False) as tx:
            shelves.release_compaction(tx, ctx)
    return True


def _settled(rt: Runtime, ctx: Ctx) -> bool:
    """Whether no document is on the way: during a load merging waits, so that it costs little."""
    with rt.db.read(ctx) as tx:
        return not documents.on_the_way(tx, ctx)


def _scattered(segments: Sequence[Segment]) -> bool:
    return sum(_reads(one) for one in segments) > READS_MAX


def _reads(segment: Segment) -> int:
    """Objects that opening it reads."""
    return 1 if segment.vectors in (None, segment.id) else 2


def _due(head: Head) -> bool:
    return len(head.segments) > SEGMENTS_MAX or len(head.tombstones) > TOMBSTONES_MAX


def _merge(rt: Runtime, ctx: Ctx, head: Head, *, everything: bool) -> bool:
    # Passages that wait for their vectors are left alone, unless none will ever come.
    pending = rt.models.embedder() is not None
    settled = [one for one in head.sound if one.digest is not None or not pending]
    everything = everything or len(head.tombstones) > TOMBSTONES_MAX
    chosen = chosen_of(settled, everything=everything)
    if not chosen and not everything:
        chosen = gathered_of(settled)
    if not chosen:
        return False
    merged = rt.shelves.merge(ctx, head, chosen)
    gone = _left(rt, ctx, head, chosen)

    def change(now: Head) -> Head:
        if any(one not in now.segments for one in chosen):
            return now  # this caller slept past its lease, and another merged them
        ids = {one.id for one in chosen}
        kept = tuple(one for one in now.segments if one.id not in ids)
        retired = tuple(one.retired(rt.clock.now_ms()) for one in chosen)
        return replace(
            now,
            segments=(*kept, merged) if merged else kept,
            tombstones=tuple(one for one in now.tombstones if one not in gone),
            retired=(
                *now.retired,
                *(one for one in retired if merged is None or one.id != merged.id),
            ),
        )

    shelf.move(rt, ctx, change, lambda tx: None, same_content=True)
    if merged is not None and merged.count >= _LARGE_ROWS:
        memory.give_back()  # else every thread keeps what its largest merge took
    return True


def chosen_of(segments: Sequence[Segment], *, everything: bool = False) -> list[Segment]:
    """The segments of the same models to merge: the smallest, and each next one while it is not
    larger than those before it together. `everything` takes all up to `ROWS_MAX`."""
    best: list[Segment] = []
    for digest, all_ in {(one.digest, one.digests) for one in segments}:
        same = (one for one in segments if one.digest == digest and one.digests == all_)
        own = sorted(same, key=lambda one: one.count)
        taken: list[Segment] = []
        rows = 0
        for one in own:
            fits = one.count <= max(rows, _SMALL_ROWS) or everything
            if one.count > ROWS_MAX or not fits:
                break
            taken.append(one)
            rows += one.count
        best = max(best, taken, key=len)
    return best if len(best) > 1 or everything else []


def gathered_of(segments: Sequence[Segment]) -> list[Segment]:
    """The smallest segments of the same models, until no more than `READS_MAX` objects are left to
    read, and each next one while it is not larger than those before it together."""
    best: list[Segment] = []
    for digests in {one.digests for one in segments}:
        own = sorted((s for s in segments if s.digests == digests), key=lambda one: one.count)
        taken: list[Segment] = []
        rows = 0
        for at, one in enumerate(own):
            enough = sum(_reads(s) for s in own[at:]) + min(at, 1) <= READS_MAX
            if (enough and one.count > rows) or rows + one.count > ONE_OBJECT_ROWS:
                break
            taken.append(one)
            rows += one.count
        best = max(best, taken, key=len)
    return best if sum(_reads(one) for one in best) > 1 else []


def _left(rt: Runtime, ctx: Ctx, head: Head, chosen: Sequence[Segment]) -> frozenset[str]:
    """Tombstones that no segment needs any more once `chosen` are merged; all of them are kept
    while nobody can say what a damaged segment holds."""
    gone = frozenset() if head.damaged else frozenset(head.tombstones)
    for one in head.segments:
        if gone and one not in chosen:
            gone -= rt.shelves.documents(ctx, one)
    return gone


def _drop_retired(rt: Runtime, ctx: Ctx) -> None:
    head = shelf.head_of(rt, ctx)
    old = [one for one in head.retired if one.retired_ms <= rt.clock.now_ms() - GRACE_MS]
    if not old:
        return
    live = frozenset(name for one in head.segments for name in one.objects)
    for one in old:
        rt.shelves.drop(ctx, one, keep=live)
    shelf.move(
        rt, ctx,
        lambda now: replace(now, retired=tuple(one for one in now.retired if one not in old)),
        lambda tx: None, same_content=True,
    )  # fmt: skip
