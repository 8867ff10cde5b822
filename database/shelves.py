"""The head of each tenant's index, moved by compare-and-set; and vectors that were made before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, bindparam, cast, delete, or_, select, update

from core.context import Ctx
from database.engine import Database, Tx
from database.inserts import if_absent
from database.prepared import Prepared
from database.tables import shelf_heads, vector_cache

_h = shelf_heads.c
_v = vector_cache.c
_BATCH = 500  # keys in one statement


# Every search begins with it.
_head = select(_h.version, _h.segments, _h.tombstones, _h.generations).where(
    _h.tenant_id == bindparam("tenant")
)
_get = Prepared(_head)
_lock = Prepared(_head.with_for_update())


@dataclass(frozen=True, slots=True)
class HeadRow:
    """Version 0: nothing was ever indexed. What it holds is plain JSON."""

    version: int = 0
    segments: list[dict[str, Any]] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    generations: list[dict[str, Any]] = field(default_factory=list)


def head(tx: Tx, ctx: Ctx, *, lock: bool = False) -> HeadRow:
    """`lock`: nobody else moves it before this transaction ends."""
    return _told(tx.execute(_lock if lock else _get, {"tenant": ctx.tenant}).first())


def glance(db: Database, ctx: Ctx) -> HeadRow:
    """The head alone, as it is now."""
    return _told(db.glance(ctx, _get, {"tenant": ctx.tenant}))


def _told(row: Any) -> HeadRow:
    if row is None:
        return HeadRow()
    version, segments, tombstones, generations = row
    return HeadRow(version, segments, tombstones, generations or [])


def with_kept(tx: Tx) -> list[tuple[str, list[dict[str, Any]]]]:
    """`(tenant, generations)` of every index, over all tenants, that keeps one for a way back."""
    query = select(_h.tenant_id, _h.generations)
    query = query.where(cast(_h.generations, String).like('%"kept"%'))
    return [(str(tenant), generations) for tenant, generations in tx.execute(query)]


def move(
    tx: Tx,
    ctx: Ctx,
    expected_version: int,
    segments: Sequence[Mapping[str, Any]],
    tombstones: Sequence[str],
    generations: Sequence[Mapping[str, Any]] = (),
    *,
    same_content: bool = False,
) -> bool:
    """To `expected_version + 1`; False when another writer was first, and nothing was changed.
    `same_content`: what was answered from the shelf before stands as it is (a merge)."""
    values: dict[str, Any] = {
        "version": expected_version + 1, "segments": list(segments),
        "tombstones": list(tombstones), "generations": list(generations) or None,
        "updated_ms": tx.now_ms,
    }  # fmt: skip
    if expected_version == 0:
        first = if_absent(tx, shelf_heads)
        row = {"tenant_id": ctx.tenant, "content": 1, **values}
        return tx.execute(first, row).rowcount == 1
    if not same_content:
        values["content"] = _h.content + 1
    mine = (_h.tenant_id == ctx.tenant, _h.version == expected_version)
    return tx.execute(update(shelf_heads).where(*mine).values(**values)).rowcount == 1


def content(tx: Tx, ctx: Ctx) -> int:
    """Moves whenever a search could give something else; 0: nothing was ever indexed."""
    query = select(_h.content).where(_h.tenant_id == ctx.tenant)
    return int(tx.execute(query).scalar_one_or_none() or 0)


def lease_compaction(tx: Tx, ctx: Ctx, seconds: float) -> bool:
    """Whether this caller may merge segments now; nobody else may until it is over."""
    free = or_(_h.compact_lease_ms.is_(None), _h.compact_lease_ms <= tx.now_ms)
    until = tx.now_ms + int(seconds * 1000)
    done = tx.execute(
        update(shelf_heads).where(_h.tenant_id == ctx.tenant, free).values(compact_lease_ms=until)
    )
    return done.rowcount == 1


def release_compaction(tx: Tx, ctx: Ctx) -> None:
    tx.execute(update(shelf_heads).where(_h.tenant_id == ctx.tenant).values(compact_lease_ms=None))


def known_vectors(tx: Tx, ctx: Ctx, keys: Sequence[str]) -> dict[str, bytes]:
    """Vectors by key, those that are known: float32, little endian."""
    known: dict[str, bytes] = {}
    for some in _batches(keys):
        query = select(_v.key, _v.vector).where(_v.tenant_id == ctx.tenant, _v.key.in_(some))
        rows = tx.execute(query).mappings()
        known |= {row["key"]: row["vector"] for row in rows}
    return known


def keep_vectors(tx: Tx, ctx: Ctx, vectors: Mapping[str, bytes]) -> None:
    rows = [
        {"tenant_id": ctx.tenant, "key": key, "vector": vector} for key, vector in vectors.items()
    ]
    if rows:
        tx.execute(if_absent(tx, vector_cache), rows)


def forget_vectors(tx: Tx, ctx: Ctx, keys: Sequence[str]) -> None:
    for some in _batches(keys):
        tx.execute(delete(vector_cache).where(_v.tenant_id == ctx.tenant, _v.key.in_(some)))


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + _BATCH] for at in range(0, len(keys), _BATCH))
