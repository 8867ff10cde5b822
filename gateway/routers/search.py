"""`/search`: passages, best first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from agents.lately import search_or_last
from agents.memory import searches
from core.documents import Hit
from gateway.house import Caller, permit
from gateway.references import own_documents
from gateway.schemas.search import HitAnswer, SearchAnswer, SearchRequest

router = APIRouter(tags=["search"])


@router.post("/search")
def find(who: Annotated[Caller, permit("search:read")], body: SearchRequest) -> SearchAnswer:
    """By meaning and by words. `degraded` says why vectors did not take part."""
    own_documents(who, body.filters or {})
    found = search_or_last(who.rt, who.ctx, body.query, body.k, body.mode, body.filters)
    searches.keep(who.rt, who.ctx, body.query)
    return SearchAnswer(
        hits=[_hit(hit) for hit in found.hits],
        took_ms=round(found.took_ms, 3),
        degraded=found.degraded,
        age_seconds=found.age_seconds,
    )


def _hit(hit: Hit) -> HitAnswer:
    chunk = hit.chunk
    return HitAnswer(
        chunk_id=chunk.id, document_id=chunk.document_id, filename=hit.filename, page=chunk.page,
        start=chunk.start, end=chunk.end, sheet=chunk.sheet, cells=chunk.cells, text=chunk.text,
        score=hit.score, metadata=hit.metadata,
    )  # fmt: skip
