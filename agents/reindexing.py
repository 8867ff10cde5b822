"""Vectors for passages that have none of a model: indexed without one, by another, or because
another model's are made beside those in use. Runs of the engine: killed, they go on where they
were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from agents import compaction, generations, repair, shelf
from agents.freeing import expire, free_in
from agents.index_runs import REBUILD, REINDEX, lately, ring, submission, system
from core.context import Ctx
from core.errors import Unfinishable
from core.ports import Embedder
from database import Tx, documents, shelves
from database.runs import Run
from runtime import Runtime
from vectorstore import DamagedError, Entry, Generation, Head, Segment
from vectorstore import generations as heads
from workflows.submission import submit, submit_in
from workflows.tasks import Defer, Done, Work

KEEP_SECONDS = 7 * 86_400  # what served before can be taken back for so long
_TURN_SECONDS = 30.0  # then others of this queue come first: a large index takes hours
_SLICE = 2048  # passages whose vectors are looked up together


class _TurnOverError(Exception):
    """This step has worked long enough, or is to stop."""


def ask(rt: Runtime, ctx: Ctx, digest: str) -> bool:
    """A search met passages without vectors of the model `digest`: submits the run that makes them,
    unless it was submitted lately or a document is being embedded just now; whether it did."""
    with rt.db.read(ctx) as tx:
        busy = documents.counts(tx, ctx).get("embedding", 0) > 0
        recent = lately(tx, ctx, REINDEX, digest)
    if busy or recent:
        return False
    submit(rt, system(ctx), submission(REINDEX, digest, {}))
    return True


def settle(rt: Runtime, ctx: Ctx, before: Head, now: Head) -> None:
    """After a document came onto the head `now`, whose reading began at `before`: a rebuild that
    began in between may have looked already, so that another must. What was kept for long enough
    goes."""
    expire(rt, ctx, now)
    beside = now.generation("beside")
    if beside is None or not now.missing(beside.digest):
        return
    if beside.digest in {one.digest for one in before.generations}:
        with rt.db.read(ctx) as tx:
            if lately(tx, ctx, REBUILD, beside.digest):
                return
    begin(rt, ctx, beside)


def begin(rt: Runtime, ctx: Ctx, beside: Generation) -> str:
    """Submits the run that makes `beside` complete, and writes both down in one commit; its id."""
    begun: list[Run] = []
    serving = generations.serving(rt, shelf.head_of(rt, ctx))
    name = generations.name_of(rt, serving) if serving is not None else ""

    def also(tx: Tx) -> None:
        told = {"model": beside.model, "digest": beside.digest}
        begun[:] = [submit_in(rt, tx, system(ctx), submission(REBUILD, beside.digest, told))]

    def change(head: Head) -> Head:
        new = Generation(beside.digest, beside.model, "beside", rt.clock.now_ms(), 0, begun[0].id)
        return heads.begun(heads.recorded(head, name, new.since_ms), new)

    shelf.move(rt, ctx, change, also, same_content=True)
    ring(rt)
    return begun[0].id


# --- the tasks -----------------------------------------------------------------------------------


def reindex(work: Work) -> Done | Defer:
    """→ `{embedded}`. Every passage gets a vector of the model that serves; search goes on
    meanwhile. Where the index's own model is gone, that of WEFT_EMBEDDING takes its place."""
    embedder = generations.serving(work.rt, shelf.head_of(work.rt, work.ctx))
    if embedder is None:
        return Done({"embedded": 0})
    _agreed(work.rt, work.ctx, embedder)
    return _filled(work, embedder)


def _agreed(rt: Runtime, ctx: Ctx, embedder: Embedder) -> None:
    """This model serves from now on. What another made is kept: it may be brought back."""
    digest, name, now_ms = embedder.digest, generations.name_of(rt, embedder), rt.clock.now_ms()
    until_ms = now_ms + KEEP_SECONDS * 1000

    def change(head: Head) -> Head:
        if head.serving is not None and head.serving.digest == digest:
            return heads.recorded(head, name, now_ms)
        return heads.swapped(head, Generation(digest, name), now_ms, until_ms)

    def also(tx: Tx) -> None:
        old = shelf.head_in(tx, ctx, lock=True)
        kept, serving = old.generation("kept"), old.serving
        if kept is not None and serving is not None and digest not in (kept.digest, serving.digest):
            free_in(rt, tx, ctx, kept.digest)

    shelf.move(rt, ctx, change, also)


def rebuild(work: Work) -> Done | Defer:
    """`model`, `digest` → `{embedded}`. Makes a generation complete, whatever comes and goes."""
    digest = str(work.message.payload["digest"])
    wanted = Generation(digest, str(work.message.payload["model"]))
    embedder = generations.loaded(work.rt.models, wanted)
    if embedder is None:
        raise Unfinishable(
            f"The embedding model {wanted.model} is not here, or not the one that the rebuild "
            "began with. Bring it back (weft models list), or type: weft index drop",
            code="model_missing",
        )
    return _filled(work, embedder)


def _filled(work: Work, embedder: Embedder) -> Done | Defer:
    """The smallest segments first: most are done soon, and the largest are rarely merged away."""
    rt, ctx, digest, done = work.rt, work.ctx, embedder.digest, 0
    turn = _Turn(work)
    while True:
        head = shelf.head_of(rt, ctx)
        if heads.leaving(head, digest):
            compaction.tidy(rt, ctx)
            return Defer(2, "the last vectors of this model are being deleted")
        wanted = digest in {one.digest for one in head.generations}
        todo = [one for one in head.sound if digest not in one.digests] if wanted else []
        if not todo:
            return Done({"embedded": done})
        segment = min(todo, key=lambda one: (one.count, one.id))
        turn.at(head.readable - head.missing(digest), head.readable)
        try:
            _fill(rt, ctx, embedder, segment, turn)
        except _TurnOverError:
            return Defer(0.05, "others of this queue come first")
        except DamagedError as error:
            if segment in shelf.head_of(rt, ctx).segments:  # else it was merged away
                repair.report(rt, ctx, [error])
        else:
            done += segment.count


class _Turn:
    """Says how far the whole is, keeps others from waiting, and hears when it is to stop."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._until = time.monotonic() + _TURN_SECONDS
        self._done = self._total = 0

    def at(self, done: int, total: int) -> None:
        self._done, self._total = done, total

    def step(self, more: int) -> None:
        self._work.progress(self._done + more, self._total)
        if self._work.cancelled() or time.monotonic() > self._until:
            raise _TurnOverError


def _fill(rt: Runtime, ctx: Ctx, embedder: Embedder, segment: Segment, turn: _Turn) -> None:
    """Passages of removed documents get no vectors: they are only waiting to be merged away."""
    entries = rt.shelves.entries(ctx, segment)
    head, digest = shelf.head_of(rt, ctx), embedder.digest
    dead = frozenset(head.tombstones)
    living = [n for n, one in enumerate(entries) if one.about.document_id not in dead]
    vectors = np.zeros((len(entries), embedder.dimension), np.float32)
    for at in range(0, len(living), _SLICE):
        turn.step(at)
        rows = living[at : at + _SLICE]
        step = partial(_from, at, turn.step)
        vectors[rows] = shelf.embedded(rt, ctx, embedder, [entries[n] for n in rows], step)
    layer = rt.shelves.layered(ctx, segment, vectors, digest).layers[-1]
    serves = head.serving is not None and head.serving.digest == digest
    shelf.move(
        rt, ctx,
        lambda now: heads.layered(now, segment.id, layer, rt.clock.now_ms()),
        lambda tx: None, same_content=not serves,
    )  # fmt: skip
    _forget_removed(rt, ctx, digest, [entries[n] for n in living])


def _from(at: int, step: Callable[[int], None], done: int) -> None:
    step(at + done)


def _forget_removed(rt: Runtime, ctx: Ctx, digest: str, entries: Sequence[Entry]) -> None:
    """A document that was removed meanwhile leaves no vector behind: its removal may have looked
    before these were kept."""
    ids = list({one.about.document_id for one in entries})
    with rt.db.read(ctx) as tx:
        there = documents.existing(tx, ctx, ids)
    gone = [one for one in entries if one.about.document_id not in there]
    if gone:
        keys = [shelf.vector_key(digest, shelf.embedded_text(one)) for one in gone]
        with rt.db.transaction(ctx) as tx:
            shelves.forget_vectors(tx, ctx, keys)
