"""Embeddings by a running Ollama; which model is the operator's choice (WEFT_EMBEDDING)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from core.breaker import Breaker
from core.errors import Outage, Unavailable
from core.ports import Vectors
from models.bounded import Outlet, bounded
from models.chat_ollama import LIST_SECONDS, client, missing

SECONDS = 120.0  # one batch, also on a busy machine
_BATCH = 32
_SAMPLE = "weft"
T = TypeVar("T")


class OllamaEmbedder:
    """`Embedder`. Safe for threads. Its digest is the one that Ollama gives the model, looked up
    with every call: a model that was pulled anew is another model, and its vectors another's.

    Raises `Outage` when Ollama does not answer: no document is to blame for that.
    """

    def __init__(self, host: str, model: str, seconds: float = SECONDS) -> None:
        self._host = host
        self._model = model
        self._seconds = seconds
        self._digest = ""
        self._dimension = 0
        self._breaker = Breaker()

    @property
    def digest(self) -> str:
        if not self._digest:
            self._digest = self._asked_digest()
        return self._digest

    @property
    def dimension(self) -> int:
        if not self._dimension:
            self._dimension = self.embed([_SAMPLE]).shape[1]
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dimension), L2-normalised, in the order given."""
        return self.counted(texts)[0]

    def counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        wanted = self.digest
        made = [self._embedded(some) for some in _batches(texts)]
        rows, tokens = [row for some, _ in made for row in some], sum(read for _, read in made)
        if (now := self._asked_digest()) != wanted:
            self._digest, self._dimension = now, 0
            raise Outage(
                f"Ollama's model {self._model} was changed meanwhile.", code="model_changed",
                retry_after=1,
            )  # fmt: skip
        if not rows:
            return np.empty((0, self.dimension), np.float32), 0
        vectors = np.asarray(rows, np.float32)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(length, 1e-12)
        self._dimension = unit.shape[1]
        return unit, tokens

    def _embedded(self, texts: Sequence[str]) -> tuple[list[Sequence[float]], int]:
        """Vectors, and the tokens that were read; 0 where Ollama does not say it."""

        def ask(outlet: Outlet[tuple[list[Sequence[float]], int]]) -> None:
            with client(self._host, self._seconds, self._model) as found:
                outlet.close = found.close
                told = found.embed(model=self._model, input=list(texts))
                outlet.put((list(told.embeddings), told.prompt_eval_count or 0))

        rows, tokens = self._one(ask)
        if len(rows) != len(texts) or len({len(row) for row in rows}) != 1:
            raise Outage(f"Ollama's {self._model} gave no vectors.", code="model_output")
        return rows, tokens

    def _asked_digest(self) -> str:
        def ask(outlet: Outlet[dict[str, str]]) -> None:
            with client(self._host, LIST_SECONDS, self._model) as found:
                outlet.close = found.close
                outlet.put({str(one.model): one.digest or "" for one in found.list().models})

        found = self._one(ask)
        digest = found.get(self._model) or found.get(f"{self._model}:latest")
        if not digest:
            raise Outage(missing(self._host, self._model), code="model_missing", retry_after=30)
        return digest

    def _one(self, ask: Callable[[Outlet[T]], None]) -> T:
        try:
            with self._breaker.guard(f"Ollama's {self._model}"):
                for answer in bounded(ask, self._seconds):
                    return answer
        except Outage:
            raise
        except Unavailable as error:
            raise Outage(error.detail, code=error.slug, **error.extra) from error
        raise Outage(f"Ollama at {self._host} said nothing.", code="model_output")


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH))
