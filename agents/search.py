"""Search over a tenant's shelf: words and meaning, or words alone when no model can embed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from agents import generations, privacy, reindexing, repair, shelf
from core.context import Ctx
from core.documents import Hit
from core.errors import InvalidInput, Unavailable
from core.telemetry import search_seconds
from database import documents
from database.documents import DocumentRow
from runtime import Runtime
from vectorstore import K_MAX, Head, Query, check_filters
from vectorstore.values import Mode

_MODES = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Found:
    """`degraded` says in words what did not take part in full: vectors, or a damaged part of the
    index; None when everything did."""

    hits: list[Hit]
    took_ms: float
    degraded: str | None = None
    age_seconds: int | None = None  # of an earlier result, while the index is away


def search(
    rt: Runtime,
    ctx: Ctx,
    text: str,
    k: int = 10,
    mode: str = "hybrid",
    filters: Mapping[str, Any] | None = None,
) -> Found:
    """Best first. Raises `InvalidInput` for an empty question, a bad k, mode or filter."""
    started = time.perf_counter()
    _check(text, k, mode)
    check_filters(filters or {})
    wanted, copies = _of_originals(rt, ctx, filters or {})
    head = shelf.head_of(rt, ctx)
    query, without = _query(rt, head, text, k, cast(Mode, mode), wanted)
    head, hits = _searched(rt, ctx, head, query)
    took = time.perf_counter() - started
    search_seconds.labels(mode).observe(took)
    if query.digest and head.lacking(query.digest):
        reindexing.ask(rt, ctx, query.digest)
    if head.damaged:
        repair.ask(rt, ctx)
    shown = privacy.hits(rt, ctx, [_as_copy(hit, copies) for hit in hits])
    said = [_damaged(head), without or _degraded(head, query)]
    return Found(shown, took * 1000, " ".join(filter(None, said)) or None)


def _searched(rt: Runtime, ctx: Ctx, head: Head, query: Query) -> tuple[Head, list[Hit]]:
    """The head that the hits are from, by the query's model. What cannot be read may have been
    merged between reading the head and its segments: only what a second look misses too is
    damaged."""
    head = head.by(query.digest)
    found = rt.shelves.searched(ctx, head, query)
    if found.damaged:
        head = shelf.head_of(rt, ctx).by(query.digest)
        found = rt.shelves.searched(ctx, head, query)
    if found.damaged:
        repair.report(rt, ctx, found.damaged)
        head = shelf.head_of(rt, ctx)
    return head, found.hits


def _check(text: str, k: int, mode: str) -> None:
    if not any(one.isprintable() and not one.isspace() for one in text):
        raise InvalidInput("The question is empty.", field="query")
    if mode not in _MODES:
        raise InvalidInput(f"mode is one of {', '.join(_MODES)}.", field="mode")
    if not 1 <= k <= K_MAX:
        raise InvalidInput(f"k must be from 1 to {K_MAX}.", field="k")


def _query(
    rt: Runtime, head: Head, text: str, k: int, mode: Mode, filters: Mapping[str, Any]
) -> tuple[Query, str | None]:
    """The question with its vector, or why it has none."""
    query = Query(text, k=k, mode=mode, filters=filters)
    if mode == "keyword":
        return query, None
    try:
        embedder = generations.serving(rt, head)
        if embedder is None:
            return query, "No embedding model is installed: found by keywords only."
        return replace(query, vector=embedder.embed([text])[0], digest=embedder.digest), None
    except Unavailable as error:
        return query, f"The embedding model does not answer ({error.detail}): keywords only."


def _damaged(head: Head) -> str | None:
    lost = head.count - head.readable
    if not lost:
        return None
    return (
        f"{lost} of {head.count} passages are in a damaged part of the index and not in this "
        "answer: it is being rebuilt from the documents."
    )


def _degraded(head: Head, query: Query) -> str | None:
    lacking = head.lacking(query.digest) if query.vector is not None else 0
    if not lacking:
        return None
    return f"{lacking} of {head.count} passages have no vectors yet: found by keywords only."


def _of_originals(
    rt: Runtime, ctx: Ctx, filters: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, DocumentRow]]:
    """A copy is indexed as its original: asks for that instead, and says which copy it stands for
    (original's id → copy)."""
    wanted = filters.get("document_id")
    ids = wanted.get("in") if isinstance(wanted, Mapping) else [wanted]
    if not isinstance(ids, list | tuple) or not all(isinstance(one, str) for one in ids):
        return dict(filters), {}
    with rt.db.read(ctx) as tx:
        rows = documents.many(tx, ctx, list(ids))
    copies = {row.duplicate_of: row for row in rows if row.duplicate_of}
    shown = {original: row for original, row in copies.items() if original not in ids}
    return {**filters, "document_id": {"in": [*ids, *copies]}}, shown


def _as_copy(hit: Hit, copies: Mapping[str, DocumentRow]) -> Hit:
    row = copies.get(hit.chunk.document_id)
    if row is None:
        return hit
    chunk = replace(hit.chunk, document_id=row.id)
    return replace(hit, chunk=chunk, filename=row.filename)
