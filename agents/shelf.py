"""A tenant's index in motion: the head is moved together with the rows that depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from core import telemetry
from core.context import Ctx
from core.errors import Unavailable
from core.failpoints import fp
from core.ports import Embedder, Vectors
from database import Tx, documents, shelves
from database.shelves import HeadRow
from runtime import Runtime
from vectorstore import Entry, Head, Segment, generations
from workflows import triggers

_MOVES_MAX = 50
_BATCH = 128  # passages embedded between two looks at the lease

Change = Callable[[Head], Head]


class _LostError(Exception):
    """Another writer moved the head first."""


def head_in(tx: Tx, ctx: Ctx, *, lock: bool = False) -> Head:
    return _head(shelves.head(tx, ctx, lock=lock))


def head_of(rt: Runtime, ctx: Ctx) -> Head:
    return _head(shelves.glance(rt.db, ctx))


def _head(row: HeadRow) -> Head:
    return Head.from_json(row.version, row.segments, row.tombstones, row.generations)


def move_in(tx: Tx, ctx: Ctx, change: Change, *, same_content: bool = False) -> None:
    """Within the caller's transaction, which must end when this raises. Writers queue on the row,
    so that of many at once none has to begin again more than once."""
    head = head_in(tx, ctx, lock=True)
    changed = change(head)
    if changed == head:
        return
    parts = changed.to_json()
    if not shelves.move(tx, ctx, head.version, *parts, same_content=same_content):
        raise _LostError


def move(
    rt: Runtime,
    ctx: Ctx,
    change: Change,
    also: Callable[[Tx], None],
    *,
    same_content: bool = False,
) -> None:
    """Moves the head and does `also` in one transaction; begins again when another was first.
    `same_content`: answers that were kept stay true (see `shelves.move`)."""
    for _ in range(_MOVES_MAX):
        try:
            with fp("index.commit"), rt.db.transaction(ctx) as tx:
                also(tx)
                move_in(tx, ctx, change, same_content=same_content)
            return
        except _LostError:
            continue
    raise Unavailable("The search index is busy.", code="index_busy", retry_after=1)


def publish(
    rt: Runtime,
    ctx: Ctx,
    document_id: str,
    segment: Segment | None,
    status: str,
    facts: Mapping[str, Any],
    model: str = "",
) -> Head:
    """The head and the document's row, together; the head as it is then. A worker that slept past
    its lease may come here after another did the same: what it indexed is on the shelf already,
    perhaps merged. `model`: the name of the segment's embedding model."""
    late, started, seen = False, 0, Head()
    waiting = _waiting(rt, ctx, document_id, facts) if status == "ready" else {}

    def also(tx: Tx) -> None:
        nonlocal late, started
        late = documents.get(tx, ctx, document_id, lock=True).status == "ready"
        if not late:
            documents.set_status(tx, ctx, document_id, status, **facts)
            if status == "ready":
                now = documents.get(tx, ctx, document_id)
                started = triggers.document_ready(rt, tx, ctx, now, waiting)

    def change(head: Head) -> Head:
        nonlocal seen
        seen = head if late or not segment else holding(head, segment)
        seen = generations.recorded(seen, model, rt.clock.now_ms()) if model else seen
        return seen

    move(rt, ctx, change, also)
    if started:
        triggers.ring(rt)
    return seen


def _waiting(
    rt: Runtime, ctx: Ctx, document_id: str, facts: Mapping[str, Any]
) -> Mapping[str, triggers.Leave]:
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    told = {name: value for name, value in facts.items() if name in row.__slots__}
    return triggers.waiting_for(rt, ctx, replace(row, **told))


def holding(head: Head, segment: Segment) -> Head:
    """With `segment`, in place of the same passages without vectors; read by the model that
    serves. Another generation's vectors, which the same passages got meanwhile, stay."""
    others = tuple(one for one in head.segments if one.id != segment.id)
    for same in (one for one in head.segments if one.id == segment.id):
        segment = segment.beside(same)
    wanted = {one.digest for one in head.generations}
    layers = tuple(one for one in segment.layers if one.digest in wanted)
    segment, serving = replace(segment, layers=layers), head.serving
    own = segment.by(serving.digest) if serving else None
    return replace(head, segments=(*others, own or segment))


def without(head: Head, document_ids: Sequence[str]) -> Head:
    """The documents are removed: they are no longer found from this head on."""
    if not head.segments:
        return head
    return replace(head, tombstones=tuple(dict.fromkeys((*head.tombstones, *document_ids))))


def embedded_text(entry: Entry) -> str:
    """What stands for a passage: its headings give a lone table row its meaning."""
    chunk = entry.chunk
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def vector_key(digest: str, text: str) -> str:
    return sha256(f"{digest}\n{text}".encode()).hexdigest()


def embedded(
    rt: Runtime,
    ctx: Ctx,
    embedder: Embedder,
    entries: Sequence[Entry],
    step: Callable[[int], None],
) -> Vectors:
    """Vectors of the entries, in order; a text that this tenant embedded before is not embedded
    again, and an interrupted call goes on where it was. `step(done)` is called in between."""
    texts = [embedded_text(entry) for entry in entries]
    keys = [vector_key(embedder.digest, text) for text in texts]
    with rt.db.read(ctx) as tx:
        known = shelves.known_vectors(tx, ctx, list(dict.fromkeys(keys)))
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    todo = list(missing)
    for at in range(0, len(todo), _BATCH):
        step(len(entries) - len(todo) + at)
        some = todo[at : at + _BATCH]
        with telemetry.timed(telemetry.embed_seconds):
            vectors = embedder.embed([missing[key] for key in some]).astype("<f4")
        telemetry.embedded.inc(len(some))
        fresh = {key: row.tobytes() for key, row in zip(some, vectors, strict=True)}
        with rt.db.transaction(ctx, durable=False) as tx:
            shelves.keep_vectors(tx, ctx, fresh)
        known |= fresh
    joined = b"".join(known[key] for key in keys)
    return np.frombuffer(joined, "<f4").reshape(len(keys), embedder.dimension)
