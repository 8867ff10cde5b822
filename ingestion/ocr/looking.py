"""One picture, one child: what both engines share."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.errors import Unavailable, Unfinishable
from ingestion import forkserver, frames
from ingestion.forkserver import Child, Lost
from ingestion.paging import Look

Ask = Callable[[Child, float], Look]


def with_child(kind: str, seconds: float, ask: Ask) -> Look:
    """Raises `Unfinishable` when the picture kills its child or takes longer than `seconds`."""
    for _attempt in range(2):
        server = forkserver.running(kind)
        try:
            with server.start(seconds + 1) as child:
                return _look(child, seconds, ask)
        except Lost:
            forkserver.retire(server)
    raise Unavailable("What reads pictures was stopped from outside.", retry_after=5)


def _look(child: Child, seconds: float, ask: Ask) -> Look:
    try:
        return ask(child, time.monotonic() + seconds)
    except frames.Cut as cut:
        if cut.late:
            child.kill()
        ended = child.ended()
        if cut.late or ended.late:
            raise Unfinishable(
                f"looking at it takes longer than {max(1, round(seconds))} seconds",
                code="limit_time",
            ) from cut
        raise Unfinishable("what looks at pictures broke on it", code="corrupted") from cut
    except OverflowError as error:
        raise Unfinishable("it has too many words", code="limit_memory") from error
