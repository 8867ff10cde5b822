"""Embeddings without weights: words hashed into dimensions, so shared words mean near vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256

import numpy as np

from core.ports import Vectors


@dataclass
class HashEmbedder:
    """Deterministic. `texts` counts what was embedded; `before` runs ahead of every call."""

    dimension: int = 64
    name: str = "hash"
    texts: int = 0
    before: Callable[[], None] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def digest(self) -> str:
        return sha256(f"{self.name}/{self.dimension}".encode()).hexdigest()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.before()
        with self._lock:
            self.texts += len(texts)
        rows = [self._one(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)

    def counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        return self.embed(texts), sum(len(text.split()) for text in texts)

    def _one(self, text: str) -> Vectors:
        vector = np.full(self.dimension, 1e-3, np.float32)
        for word in text.lower().split():
            place = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
            vector[place % self.dimension] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), np.float32)
