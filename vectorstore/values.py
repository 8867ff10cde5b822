"""What goes into a shelf, what comes out, and what the database keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.documents import Chunk

Mode = Literal["hybrid", "vector", "keyword"]
K_MAX = 1000


@dataclass(frozen=True, slots=True)
class About:
    """The document that a passage comes from: what filters look at and hits show.

    `content` (SHA-256 of the file) lets search show a passage of two equal files once.
    """

    document_id: str
    filename: str
    document_type: str = "other"
    tags: tuple[str, ...] = ()
    created_ms: int = 0
    content: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    chunk: Chunk
    about: About


@dataclass(frozen=True, slots=True)
class Segment:
    """An immutable part of a shelf. `id` and `vectors` are SHA-256 of the two objects in the vault.

    A segment without `vectors` answers keywords only; `digest` names the model of its vectors.
    """

    id: str
    count: int
    size: int
    vectors: str | None = None
    digest: str | None = None
    dimension: int = 0
    retired_ms: int = 0  # when it was merged into another; dropped after a grace
    damaged_ms: int = 0  # when its passages were found to be unreadable; nothing is read from it

    def retired(self, at_ms: int) -> Segment:
        """Only what is needed to drop it: bulk loads retire many within one grace."""
        return Segment(self.id, 0, 0, self.vectors, retired_ms=at_ms)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Head:
    """A tenant's index at one moment; `tombstones` are ids of documents that were removed.

    `retired` segments are no longer searched; searches that began before still read them.
    """

    version: int = 0
    segments: tuple[Segment, ...] = ()
    tombstones: tuple[str, ...] = ()
    retired: tuple[Segment, ...] = ()

    @property
    def count(self) -> int:
        """Passages, removed ones among them until they are merged away."""
        return sum(segment.count for segment in self.segments)

    @property
    def damaged(self) -> tuple[Segment, ...]:
        """Segments that wait to be rebuilt from their documents."""
        return tuple(segment for segment in self.segments if segment.damaged_ms)

    @property
    def sound(self) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if not segment.damaged_ms)

    @property
    def readable(self) -> int:
        """Passages of the sound segments."""
        return sum(segment.count for segment in self.sound)

    def lacking(self, digest: str | None) -> int:
        """Readable passages without a vector of the model `digest`; all of them for None."""
        return sum(
            segment.count for segment in self.sound if digest is None or segment.digest != digest
        )

    def to_json(self) -> tuple[list[dict[str, Any]], list[str]]:
        """`(segments, tombstones)` as plain JSON for the head's row."""
        both = (*self.segments, *self.retired)
        return [segment.to_json() for segment in both], list(self.tombstones)

    @classmethod
    def from_json(
        cls, version: int, segments: Sequence[Mapping[str, Any]], tombstones: Sequence[str]
    ) -> Head:
        both = [Segment(**{"count": 0, "size": 0, **segment}) for segment in segments]
        live = tuple(segment for segment in both if not segment.retired_ms)
        retired = tuple(segment for segment in both if segment.retired_ms)
        return cls(version, live, tuple(tombstones), retired)


@dataclass(frozen=True, slots=True)
class Query:
    """`vector` is unit length, of the model `digest`; without it the search is by keywords."""

    text: str
    vector: npt.NDArray[np.float32] | None = None
    digest: str | None = None
    k: int = 10
    mode: Mode = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict)
