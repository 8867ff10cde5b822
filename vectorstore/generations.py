"""A shelf's generations: a model's vectors made beside another's, swapped in, taken back, dropped.

Every function gives the head that follows; nothing is stored here. The passages are shared: a
generation is a layer of vectors on each segment, so documents come and go in all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vectorstore.values import Generation, Head, Layer, Segment


def recorded(head: Head, model: str, now_ms: int) -> Head:
    """The generation that serves, written down: so far it was known by its segments alone."""
    serving = head.serving
    if serving is None or head.generation("serving"):
        return head
    return _with(head, replace(serving, model=model, since_ms=now_ms))


def begun(head: Head, beside: Generation) -> Head:
    """`beside` is made from now on, or goes on being made by another run."""
    return _with(head, replace(beside, state="beside", until_ms=0))


def layered(head: Head, segment_id: str, layer: Layer, now_ms: int) -> Head:
    """A segment got its vectors of a generation; no change when it was merged away meanwhile, has
    them, or nobody wants that generation any more. What it has of no generation is retired."""
    wanted, serving = {one.digest for one in head.generations}, head.serving
    if layer.digest not in wanted:
        return head
    gone: list[Segment] = []

    def filled(segment: Segment) -> Segment:
        if segment.id != segment_id or layer.digest in segment.digests:
            return segment
        more = replace(segment, layers=(*segment.layers, layer))
        more = (serving and more.by(serving.digest)) or more
        for old in more.layers:
            if old.digest not in wanted:
                gone.extend(_retired(more, old.vectors, old.digest, now_ms))
        return replace(more, layers=tuple(one for one in more.layers if one.digest in wanted))

    head = _each(head, filled)
    return replace(head, retired=(*head.retired, *gone))


def swapped(head: Head, to: Generation, now_ms: int, until_ms: int) -> Head:
    """`to` serves; what served is kept until `until_ms`, what was kept before is dropped."""
    before = head.serving
    if before is not None and before.digest == to.digest:
        return head
    kept = head.generation("kept")
    if kept is not None and kept.digest != to.digest:
        head = dropped(head, kept.digest, now_ms)
    head = replace(head, generations=())
    if before is not None:
        head = _with(head, replace(before, state="kept", since_ms=now_ms, until_ms=until_ms))
    return _fronted(_with(head, replace(to, state="serving", since_ms=now_ms, until_ms=0)))


def rolled_back(head: Head, now_ms: int) -> Head:
    """What was kept serves again; what served since waits beside. No change when none is kept."""
    kept, serving = head.generation("kept"), head.generation("serving")
    if kept is None or serving is None:
        return head
    head = replace(head, generations=())
    head = _with(head, replace(serving, state="beside", since_ms=now_ms))
    return _fronted(_with(head, replace(kept, state="serving", since_ms=now_ms, until_ms=0)))


def dropped(head: Head, digest: str, now_ms: int) -> Head:
    """Without that generation, unless it serves; its objects are retired. Vectors that share the
    passages' object go with its next merge."""
    serving = head.serving
    if serving is not None and serving.digest == digest:
        return head
    gone: list[Segment] = []

    def thinned(segment: Segment) -> Segment:
        if segment.digest == digest:  # it got no vectors of the model that serves
            gone.extend(_retired(segment, segment.vectors, digest, now_ms))
            return replace(segment, digest=None, vectors=None, dimension=0)
        kept = tuple(one for one in segment.layers if one.digest != digest)
        for layer in segment.layers:
            if layer.digest == digest:
                gone.extend(_retired(segment, layer.vectors, digest, now_ms))
        return replace(segment, layers=kept)

    others = tuple(one for one in head.generations if one.digest != digest)
    head = _each(replace(head, generations=others), thinned)
    return replace(head, retired=(*head.retired, *gone))


def leaving(head: Head, digest: str) -> bool:
    """Whether objects of that model still wait to be deleted: their names would come again."""
    return any(one.digest == digest for one in head.retired)


def _with(head: Head, generation: Generation) -> Head:
    """At most one of each model and of each state."""
    others = tuple(
        one
        for one in head.generations
        if one.digest != generation.digest and one.state != generation.state
    )
    return replace(head, generations=(*others, generation))


def _fronted(head: Head) -> Head:
    serving = head.serving
    return _each(head, lambda one: (serving and one.by(serving.digest)) or one)


def _each(head: Head, change: Callable[[Segment], Segment]) -> Head:
    return replace(head, segments=tuple(change(one) for one in head.segments))


def _retired(segment: Segment, vectors: str | None, digest: str, at_ms: int) -> list[Segment]:
    """An object of vectors by itself: it must not take the passages with it."""
    if vectors is None or vectors == segment.id:
        return []
    return [Segment(vectors, 0, 0, digest=digest, retired_ms=at_ms)]
