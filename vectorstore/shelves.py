"""`Shelves`: every tenant's segments in the vault, opened on demand, searched together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from core.clock import rfc3339
from core.context import Ctx
from core.documents import Hit
from core.errors import InvalidInput, Unfinishable
from core.ports import Vectors
from core.vault import Vault
from vectorstore import filters, keywords, packing
from vectorstore.cache import Cache
from vectorstore.damage import DamagedError, told
from vectorstore.ranking import Part, ranked
from vectorstore.scan import Half, Ints, Scan, halved
from vectorstore.segments import Passages, packed
from vectorstore.values import K_MAX, About, Entry, Head, Layer, Query, Segment

SEGMENT = "segment"  # the kind of its objects
# As many passages lie in one object with their vectors, about 16 MB: a shelf of 10,000 is opened
# by one request. Above, a search by keywords should not have to read the vectors.
ONE_OBJECT_ROWS = 16_384
_POOL = 40  # candidates of each kind, beyond k, that a hybrid ranking chooses from


@dataclass(frozen=True, slots=True)
class Searched:
    """`damaged`: what could not be read, each once; the hits are right without it."""

    hits: list[Hit]
    damaged: tuple[DamagedError, ...] = ()


class Shelves:
    """One per process, for all tenants; safe for threads. Nothing is written to the local disk."""

    def __init__(self, vault: Vault, bytes_max: int) -> None:
        self._vault = vault
        self.cache = Cache(bytes_max)

    def write(
        self,
        ctx: Ctx,
        entries: Sequence[Entry],
        vectors: Vectors | None = None,
        digest: str | None = None,
    ) -> Segment:
        """Stores a segment; it is found once the caller's head names it. Same entries, same id."""
        if vectors is None or digest is None:
            return self._store(ctx, entries, packed(entries))
        return self._store_both(ctx, entries, None, halved(vectors), digest)

    def attach(self, ctx: Ctx, segment: Segment, vectors: Vectors, digest: str) -> Segment:
        """The segment with vectors, shape (count, dimension), in the order of its entries."""
        if len(vectors) != segment.count:
            raise ValueError(f"{len(vectors)} vectors for {segment.count} passages")
        data = packing.pack({"digest": digest, "of": segment.id}, {"half": halved(vectors)})
        name, size = self._put(ctx, data), segment.size + len(data)
        return replace(segment, size=size, vectors=name, digest=digest, dimension=vectors.shape[1])

    def merge(self, ctx: Ctx, head: Head, segments: Sequence[Segment]) -> Segment | None:
        """One segment with what still lives in `segments`, which share a digest; None: nothing."""
        dead = frozenset(head.tombstones)
        opened = [self._passages(ctx, segment) for segment in segments]
        keeps = [passages.living(dead) for passages in opened]
        entries = [p.entry(row) for p, keep in zip(opened, keeps, strict=True) for row in keep]
        if not entries:
            return None
        postings = keywords.merged([(p.postings, k) for p, k in zip(opened, keeps, strict=True)])
        digest = segments[0].digest
        shared = frozenset.intersection(*(segment.digests for segment in segments))
        if digest is None or digest not in shared:
            merged = self._store(ctx, entries, packed(entries, postings))
        else:
            half = self._halves(ctx, segments, keeps, digest)
            merged = self._store_both(ctx, entries, postings, half, digest)
        for other in sorted(shared - merged.digests):
            half = self._halves(ctx, segments, keeps, other)
            merged = self.layered(ctx, merged, half.astype(np.float32), other)
        return merged

    def layered(self, ctx: Ctx, segment: Segment, vectors: Vectors, digest: str) -> Segment:
        """The segment with another generation's vectors beside its own; no search reads them."""
        made = self.attach(ctx, replace(segment, layers=()), vectors, digest)
        assert made.vectors is not None
        size = made.size - segment.size
        layer = Layer(digest, made.vectors, made.dimension, size)
        return replace(segment, layers=(*segment.layers, layer))

    def _halves(
        self, ctx: Ctx, segments: Sequence[Segment], keeps: Sequence[Ints], digest: str
    ) -> Half:
        """Their vectors of one model, of the rows to keep, one after the other."""
        fronts = [segment.by(digest) for segment in segments]
        scans = [self._scan(ctx, front) for front in fronts if front is not None]
        return np.concatenate([s.half[keep] for s, keep in zip(scans, keeps, strict=True)])

    def entries(self, ctx: Ctx, segment: Segment, rows: Sequence[int] | None = None) -> list[Entry]:
        """What was written, in order; of some rows only, where they are named."""
        passages = self._passages(ctx, segment)
        return [passages.entry(row) for row in (range(len(passages)) if rows is None else rows)]

    def check(self, ctx: Ctx, segment: Segment) -> list[DamagedError]:
        """Reads all its objects again, of every generation, and keeps none of them; what is
        damaged. Nothing that is hot is pushed out of memory."""
        try:
            with told(segment, "text"):
                shared = Passages(self._get(ctx, segment.id)).half
        except DamagedError as error:
            return [error]
        return list(self._unsound(ctx, segment, shared is not None))

    def _unsound(self, ctx: Ctx, segment: Segment, shared: bool) -> Iterator[DamagedError]:
        """`shared`: the passages' object has vectors, which were read with it."""
        for digest in sorted(segment.digests):
            front = segment.by(digest)
            assert front is not None
            try:
                with told(front, "vectors"):
                    if front.vectors != segment.id:
                        _opened(self._get(ctx, front.vectors or ""), front)
                    elif not shared:
                        raise Unfinishable("no vectors", code="segment_damaged")
            except DamagedError as error:
                yield error

    def warm(self, ctx: Ctx, head: Head, digest: str | None, bytes_max: int) -> int:
        """Opens the segments that a search by the model `digest` reads, largest first, as long as
        they take no more than `bytes_max`; gives how many. What is damaged is left to a search."""
        opened, left = 0, bytes_max
        for segment in sorted(head.sound, key=lambda one: -one.size):
            if segment.size <= left:
                with contextlib.suppress(DamagedError):
                    self._passages(ctx, segment)
                    if segment.digest is not None and segment.digest == digest:
                        self._scan(ctx, segment)
                    opened, left = opened + 1, left - segment.size
        return opened

    def documents(self, ctx: Ctx, segment: Segment) -> frozenset[str]:
        """Ids of the documents with a passage in the segment."""
        return frozenset(about.document_id for about in self._passages(ctx, segment).documents)

    def drop(self, ctx: Ctx, segment: Segment, keep: Set[str] = frozenset()) -> None:
        """Deletes the segment's objects but those named in `keep`; a search that holds an older
        head would miss them."""
        for name in segment.objects - keep:
            self._vault.delete(ctx, SEGMENT, name)
            self.cache.forget((ctx.tenant, name))

    def search(self, ctx: Ctx, head: Head, query: Query) -> list[Hit]:
        """The hits of `searched`. Raises `DamagedError` for a segment that cannot be read."""
        found = self.searched(ctx, head, query)
        if found.damaged:
            raise found.damaged[0]
        return found.hits

    def searched(self, ctx: Ctx, head: Head, query: Query) -> Searched:
        """At most `query.k` hits, best first; equal passages of equal files are shown once.

        A segment that cannot be read is left out and named; so is one that an old head names
        after it was merged and dropped: read the head again. Raises `InvalidInput` for a bad k
        or filter.
        """
        if not 1 <= query.k <= K_MAX:
            raise InvalidInput(f"k must be from 1 to {K_MAX}.", field="k")
        filters.check(query.filters)
        if head.lacking(query.digest) == head.readable:
            query = replace(query, vector=None)  # nothing to compare with: keywords answer
        damaged: list[DamagedError] = []
        opened = (self._part(ctx, head, one, query, damaged) for one in head.sound)
        parts = [part for part in opened if part is not None]
        if query.filters and parts and not damaged and not head.damaged:
            filters.known(query.filters, [part.passages.columns for part in parts])
        depth = query.k * 2 + (_POOL if query.mode == "hybrid" else 0)
        while True:
            ranking = ranked(parts, query, depth)
            hits = _hits(parts, ranking, query.k)
            if len(hits) == query.k or len(ranking) < depth:
                return Searched(hits, tuple(damaged))
            depth *= 4

    def forget(self, ctx: Ctx) -> None:
        """Drops everything of this tenant from memory."""
        self.cache.forget((ctx.tenant,))

    def _part(
        self, ctx: Ctx, head: Head, segment: Segment, query: Query, damaged: list[DamagedError]
    ) -> Part | None:
        """What can be read of the segment; the rest is told in `damaged`."""
        scan = None
        try:
            passages = self._passages(ctx, segment)
        except DamagedError as error:
            damaged.append(error)
            return None
        wants_vectors = query.vector is not None and query.mode != "keyword"
        if wants_vectors and segment.digest is not None and segment.digest == query.digest:
            try:
                scan = self._scan(ctx, segment)
            except DamagedError as error:
                damaged.append(error)
        rows = passages.allowed(frozenset(head.tombstones), query.filters)
        return Part(passages, scan, rows)

    def _passages(self, ctx: Ctx, segment: Segment) -> Passages:
        def load() -> Passages:
            with told(segment, "text"):
                return Passages(self._get(ctx, segment.id))

        return self.cache.get((ctx.tenant, segment.id), load)

    def _scan(self, ctx: Ctx, segment: Segment) -> Scan:
        name = segment.vectors
        assert name is not None
        if name == segment.id:
            return self._passages(ctx, segment).scan

        def load() -> Scan:
            with told(segment, "vectors"):
                return _opened(self._get(ctx, name), segment)

        return self.cache.get((ctx.tenant, name), load)

    def _store(self, ctx: Ctx, entries: Sequence[Entry], data: bytes) -> Segment:
        return Segment(self._put(ctx, data), len(entries), len(data))

    def _store_both(
        self,
        ctx: Ctx,
        entries: Sequence[Entry],
        postings: dict[str, packing.Array] | None,
        half: Half,
        digest: str,
    ) -> Segment:
        """Few passages share one object with their vectors: a request costs more than its bytes."""
        if len(entries) > ONE_OBJECT_ROWS:
            segment = self._store(ctx, entries, packed(entries, postings))
            return self.attach(ctx, segment, half.astype(np.float32), digest)
        segment = self._store(ctx, entries, packed(entries, postings, half))
        return replace(segment, vectors=segment.id, digest=digest, dimension=half.shape[1])

    def _put(self, ctx: Ctx, data: bytes) -> str:
        name = sha256(data).hexdigest()
        self._vault.put(ctx, SEGMENT, name, data)
        return name

    def _get(self, ctx: Ctx, name: str) -> memoryview:
        opened = self._vault.view(ctx, SEGMENT, name)
        if opened.sha256 != name:
            raise Unfinishable(
                "its bytes are not the ones that were written.",
                code="segment_damaged",
            )
        return opened.data


def _opened(data: memoryview, segment: Segment) -> Scan:
    header, arrays = packing.unpack(data)
    if header["of"] != segment.id or header["digest"] != segment.digest:
        raise Unfinishable("Vectors of another segment.", code="segment_damaged")
    return Scan(arrays["half"])


def _hits(parts: Sequence[Part], ranking: Sequence[tuple[int, int, float]], k: int) -> list[Hit]:
    hits: list[Hit] = []
    seen: set[tuple[str, int]] = set()
    for number, row, score in ranking:
        passages = parts[number].passages
        chunk, about = passages.chunk(row), passages.about(row)
        same = (about.content or about.document_id, chunk.ordinal)
        if same in seen:
            continue
        seen.add(same)
        hits.append(Hit(chunk, about.filename, score, _shown(about)))
        if len(hits) == k:
            break
    return hits


_moment = lru_cache(maxsize=4096)(rfc3339)  # a document's passages are shown together


def _shown(about: About) -> dict[str, Any]:
    return {
        **about.metadata,
        "document_type": about.document_type, "tags": list(about.tags),
        "created_at": _moment(about.created_ms),
    }  # fmt: skip
