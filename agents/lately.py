"""What searches gave lately, for the time when the index does not answer: the same question by the
same rights gets the last result, with its age. Kept in the memory of this process only."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agents import privacy
from agents.search import Found, search
from core import telemetry
from core.context import Ctx
from core.errors import Unavailable
from database import documents
from runtime import Runtime

BYTES_MAX = 8 * 2**20
REST_MS = 10_000  # an index that did not answer is left alone so long by whoever can do without it
_Key = tuple[str, ...]


@dataclass(slots=True)
class Lately:
    """The results used last, under a budget of bytes, for all tenants together."""

    bytes_max: int = BYTES_MAX
    bytes: int = 0
    _away: dict[str, int] = field(default_factory=dict)  # tenant → until when
    _kept: OrderedDict[_Key, tuple[Found, int, int]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: _Key, found: Found, now_ms: int) -> None:
        size = 200 + sum(400 + 2 * len(hit.chunk.text) for hit in found.hits)
        with self._lock:
            self._away.pop(key[0], None)
            self._drop(key)
            self._kept[key] = (found, now_ms, size)
            self.bytes += size
            while self.bytes > self.bytes_max:
                self._drop(next(iter(self._kept)))

    def get(self, key: _Key) -> tuple[Found, int] | None:
        """The result and when it was given."""
        with self._lock:
            kept = self._kept.get(key)
            return (kept[0], kept[1]) if kept else None

    def note_away(self, ctx: Ctx, now_ms: int) -> None:
        """Its index did not answer: waiting for that again would take as long."""
        with self._lock:
            self._away = {name: until for name, until in self._away.items() if until > now_ms}
            self._away[ctx.tenant] = now_ms + REST_MS

    def is_away(self, ctx: Ctx, now_ms: int) -> bool:
        with self._lock:
            return self._away.get(ctx.tenant, 0) > now_ms

    def forget(self, ctx: Ctx) -> None:
        with self._lock:
            self._away.pop(ctx.tenant, None)
            for key in [key for key in self._kept if key[0] == ctx.tenant]:
                self._drop(key)

    def _drop(self, key: _Key) -> None:
        gone = self._kept.pop(key, None)
        self.bytes -= gone[2] if gone else 0


LATELY = Lately()


def search_or_last(
    rt: Runtime,
    ctx: Ctx,
    text: str,
    k: int,
    mode: str,
    filters: Mapping[str, Any] | None,
    lately: Lately = LATELY,
) -> Found:
    """Raises what `search` raises, unless the index is away and the same was found before."""
    key = (
        ctx.tenant, " ".join(sorted(ctx.scopes)), privacy.sight(rt, ctx), text, str(k), mode,
        json.dumps(filters or {}, sort_keys=True),
    )  # fmt: skip
    now_ms, known = rt.clock.now_ms(), lately.get(key)
    if known is not None and lately.is_away(ctx, now_ms):
        return _last(rt, ctx, *known, "it did not a moment ago")
    try:
        found = search(rt, ctx, text, k, mode, filters)
    except Unavailable as error:
        lately.note_away(ctx, now_ms)
        if known is None:
            raise
        return _last(rt, ctx, *known, error.detail)
    lately.put(key, found, now_ms)
    return found


def _last(rt: Runtime, ctx: Ctx, found: Found, at_ms: int, why: str) -> Found:
    """Without what was deleted since."""
    with rt.db.read(ctx) as tx:
        there = documents.existing(tx, ctx, sorted({h.chunk.document_id for h in found.hits}))
    age = max(0, rt.clock.now_ms() - at_ms) // 1000
    telemetry.cache_uses.labels("searches", "old").inc()
    hits = [hit for hit in found.hits if hit.chunk.document_id in there]
    said = f"The index does not answer ({why}); found so {age} seconds ago."
    return replace(found, hits=hits, took_ms=0.0, degraded=said, age_seconds=age)
