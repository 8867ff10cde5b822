"""An object of a segment that is gone, or is not the one that was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import NotFound, Unfinishable
from vectorstore.values import Segment


class DamagedError(Unfinishable):
    """`part` is what cannot be read: `text` (nothing of the segment is found any more) or
    `vectors` (its words still are). Whoever moves the head has it rebuilt."""

    code = "segment_damaged"

    def __init__(self, segment: Segment, part: str, why: str) -> None:
        super().__init__(f"A search segment is damaged: {why}")
        self.segment = segment
        self.part = part


@contextmanager
def told(segment: Segment, part: str) -> Iterator[None]:
    """Says of which segment an object was. An object store that is away damages nothing."""
    try:
        yield
    except DamagedError:
        raise
    except NotFound as error:
        raise DamagedError(segment, part, "an object of it is gone.") from error
    except Unfinishable as error:
        raise DamagedError(segment, part, "its bytes are not what was written.") from error
