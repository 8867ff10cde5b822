"""What goes into a shelf, what comes out, and what the database keeps of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
class Layer:
    """Vectors of one more model for a segment's passages: an object of their own in the vault."""

    digest: str
    vectors: str
    dimension: int
    size: int = 0  # bytes; 0 when they share the passages' object


@dataclass(frozen=True, slots=True)
class Generation:
    """The vectors of one model over a whole shelf. `serving` answers searches; `beside` is being
    made, or waits to be compared and swapped in; `kept` served before and can be taken back."""

    digest: str
    model: str = ""  # as WEFT_EMBEDDING names it; "": not known, it was found in the segments
    state: Literal["serving", "beside", "kept"] = "serving"
    since_ms: int = 0
    until_ms: int = 0  # `kept` is dropped then
    run_id: str = ""  # the last run that worked on it


@dataclass(frozen=True, slots=True)
class Segment:
    """An immutable part of a shelf. `id` and `vectors` are SHA-256 of the two objects in the vault.

    A segment without `vectors` answers keywords only; `digest` names the model of its vectors.
    `layers` are vectors of other generations, which no search reads.
    """

    id: str
    count: int
    size: int
    vectors: str | None = None
    digest: str | None = None
    dimension: int = 0
    retired_ms: int = 0  # when it was merged into another; dropped after a grace
    layers: tuple[Layer, ...] = ()
    damaged_ms: int = 0  # when its passages were found to be unreadable; nothing is read from it

    def retired(self, at_ms: int) -> Segment:
        """Only what is needed to drop it: bulk loads retire many within one grace."""
        return Segment(self.id, 0, 0, self.vectors, retired_ms=at_ms, layers=self.layers)

    @property
    def objects(self) -> frozenset[str]:
        """Names of everything that the vault holds of it."""
        return frozenset((self.id, self.vectors or self.id, *(one.vectors for one in self.layers)))

    @property
    def digests(self) -> frozenset[str]:
        """Of every model that it has vectors of."""
        own = () if self.digest is None else (self.digest,)
        return frozenset((*own, *(one.digest for one in self.layers)))

    def by(self, digest: str | None) -> Segment | None:
        """As a search by the model `digest` reads it; None when it has no such vectors."""
        if digest is None or digest == self.digest:
            return self if digest is not None else None
        layer = next((one for one in self.layers if one.digest == digest), None)
        if layer is None:
            return None
        others = tuple(one for one in self.layers if one is not layer)
        front = self._layer()
        return replace(
            self, vectors=layer.vectors, digest=digest, dimension=layer.dimension,
            size=self.size - (front.size if front else 0) + layer.size,
            layers=(*others, front) if front else others,
        )  # fmt: skip

    def beside(self, other: Segment) -> Segment:
        """With vectors that `other`, of the same passages, has and this one has not."""
        more = (other._layer(), *other.layers)
        new = tuple(one for one in more if one is not None and one.digest not in self.digests)
        return replace(self, layers=(*self.layers, *new)) if new else self

    def _layer(self) -> Layer | None:
        """The vectors that searches read now."""
        if self.digest is None or self.vectors is None:
            return None
        size = 0 if self.vectors == self.id else self.count * self.dimension * 2
        return Layer(self.digest, self.vectors, self.dimension, size)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Segment:
        layers = tuple(Layer(**layer) for layer in told.get("layers", ()))
        return cls(**{"count": 0, "size": 0, **told, "layers": layers})


@dataclass(frozen=True, slots=True)
class Head:
    """A tenant's index at one moment; `tombstones` are ids of documents that were removed.

    `retired` segments are no longer searched; searches that began before still read them.
    """

    version: int = 0
    segments: tuple[Segment, ...] = ()
    tombstones: tuple[str, ...] = ()
    retired: tuple[Segment, ...] = ()
    generations: tuple[Generation, ...] = ()  # none: that of most passages serves

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

    def missing(self, digest: str) -> int:
        """Readable passages that the generation of that model has no vector for."""
        return sum(segment.count for segment in self.sound if digest not in segment.digests)

    def by(self, digest: str | None) -> Head:
        """As a search by the model `digest` reads it: also by one that does not serve."""
        fronts = tuple(segment.by(digest) or segment for segment in self.segments)
        return replace(self, segments=fronts)

    @property
    def serving(self) -> Generation | None:
        """The generation that searches use; None while there are no vectors at all."""
        if told := self.generation("serving"):
            return told
        counts: Counter[str] = Counter()
        for segment in self.segments:
            if segment.digest is not None:
                counts[segment.digest] += segment.count
        return Generation(counts.most_common(1)[0][0]) if counts else None

    def generation(self, state: str) -> Generation | None:
        return next((one for one in self.generations if one.state == state), None)

    def to_json(self) -> tuple[list[dict[str, Any]], list[str], list[dict[str, Any]]]:
        """`(segments, tombstones, generations)` as plain JSON for the head's row."""
        both = (*self.segments, *self.retired)
        generations = [asdict(one) for one in self.generations]
        return [segment.to_json() for segment in both], list(self.tombstones), generations

    @classmethod
    def from_json(
        cls,
        version: int,
        segments: Sequence[Mapping[str, Any]],
        tombstones: Sequence[str],
        generations: Sequence[Mapping[str, Any]] = (),
    ) -> Head:
        both = [Segment.from_json(segment) for segment in segments]
        live = tuple(segment for segment in both if not segment.retired_ms)
        retired = tuple(segment for segment in both if segment.retired_ms)
        known = tuple(Generation(**one) for one in generations)
        return cls(version, live, tuple(tombstones), retired, known)


@dataclass(frozen=True, slots=True)
class Query:
    """`vector` is unit length, of the model `digest`; without it the search is by keywords."""

    text: str
    vector: npt.NDArray[np.float32] | None = None
    digest: str | None = None
    k: int = 10
    mode: Mode = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict)
