"""Which embedding models a tenant's index is made by: one serves, others may be made beside it.

WEFT_EMBEDDING chooses for what is indexed for the first time. An index stays with the model that
made it for as long as that one can be loaded here; `weft index` makes another beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents import shelf
from core.context import Ctx
from core.errors import InvalidInput, Outage, Unavailable
from core.ports import Embedder
from models import Models
from runtime import Runtime
from vectorstore import Entry, Generation, Head, Segment

# What made an index before its model was written down.
_KNOWN = ("fp32", "int8", "sentence-transformers")
_MISSING = "model_missing"


def serving(rt: Runtime, head: Head) -> Embedder | None:
    """The model that searches, and that reads new documents; that of WEFT_EMBEDDING where nothing
    is indexed yet or the index's own is not here any more. None: keywords only. Raises `Outage`
    while the server that has it is away."""
    own = head.serving
    found = loaded(rt.models, own) if own is not None else None
    return found or rt.models.embedder()


def loaded(models: Models, generation: Generation) -> Embedder | None:
    """Its very model, by digest; None when it cannot be had here. Raises `Outage` as `serving`."""
    away: Outage | None = None
    for name in _names(generation):
        try:
            found = models.embedder(name) if name else models.embedder()
            if found is not None and found.digest == generation.digest:
                return found
        except Outage as error:
            away = away if error.slug == _MISSING else error
        except InvalidInput:
            continue
    if away is not None:
        raise away
    return None


def _names(generation: Generation) -> Sequence[str]:
    """ "" is WEFT_EMBEDDING's, which it is nearly always."""
    return ("", generation.model) if generation.model else ("", *_KNOWN)


def name_of(rt: Runtime, embedder: Embedder) -> str:
    """As WEFT_EMBEDDING would name it; "" when it is none of those known here."""
    for name in ("", *_KNOWN):
        try:
            found = rt.models.embedder(name) if name else rt.models.embedder()
            if found is embedder or (found is not None and found.digest == embedder.digest):
                return name or rt.settings.embedding
        except (Unavailable, InvalidInput):
            continue
    return ""


def others(rt: Runtime, head: Head) -> list[Embedder]:
    """Models of the generations that do not serve, as far as they can be had now."""
    found = []
    for one in head.generations:
        if one.state != "serving":
            try:
                embedder = loaded(rt.models, one)
            except Outage:
                continue  # its run goes on when it is back
            if embedder is not None:
                found.append(embedder)
    return found


def layered(
    rt: Runtime,
    ctx: Ctx,
    head: Head,
    segment: Segment,
    entries: Sequence[Entry],
    step: Callable[[int], None],
) -> Segment:
    """With vectors of the other generations too, so that what is indexed now is in all of them. A
    generation whose model fails lacks them until it is rebuilt."""
    for embedder in others(rt, head):
        if embedder.digest not in segment.digests:
            try:
                vectors = shelf.embedded(rt, ctx, embedder, entries, step)
            except Unavailable:
                continue
            segment = rt.shelves.layered(ctx, segment, vectors, embedder.digest)
    return segment
