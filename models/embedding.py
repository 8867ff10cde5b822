"""all-MiniLM-L6-v2 by ONNX Runtime: 384 dimensions, at most 256 tokens, mean pooling, unit length.

Texts are sorted by length and batched under a budget of padded tokens, so that little is padded
and memory stays small. Model: huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core import memory
from core.ports import Vectors

DIMENSION = 384
TOKENS_MAX = 256
# Measured: larger batches are no faster on one core and hold twice the memory.
BATCH_TOKENS = 512
# Long calls wait for one another, so that ten documents at once take the memory of two.
_BULK_AT_ONCE = 2
_BULK_TEXTS = 8

Ids = npt.NDArray[np.int64]


class OnnxEmbedder:
    """Loads at the first text (the paths are asked for then). Safe to call from many threads."""

    def __init__(
        self,
        weights: Callable[[], Path],
        tokenizer: Callable[[], Path],
        digest: str,
        threads: int = 1,
    ) -> None:
        self._weights = weights
        self._tokenizer = tokenizer
        self._digest = digest
        self._threads = threads
        self._loading = threading.Lock()
        self._bulk = threading.Semaphore(_BULK_AT_ONCE)
        self._engine: tuple[Any, Any] | None = None

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def dimension(self) -> int:
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), 384), L2-normalised, in the order given."""
        return self.counted(texts)[0]

    def counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        unique = list(dict.fromkeys(texts))
        if len(unique) <= _BULK_TEXTS:
            vectors, lengths = self._embed(unique)
        else:
            with self._bulk:
                vectors, lengths = self._embed(unique)
            memory.give_back()
        if len(unique) == len(texts):
            return vectors, sum(lengths)
        row = {text: i for i, text in enumerate(unique)}
        rows = [row[text] for text in texts]
        return vectors[rows], sum(lengths[one] for one in rows)

    def _embed(self, texts: Sequence[str]) -> tuple[Vectors, list[int]]:
        """And each text's tokens."""
        out = np.empty((len(texts), DIMENSION), np.float32)
        if not texts:
            return out, []
        tokenizer, session = self._loaded()
        tokens = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]
        lengths = [len(ids) for ids in tokens]
        for rows in batches(lengths, BATCH_TOKENS):
            out[rows] = _pooled(session, [tokens[row] for row in rows])
        return out, lengths

    def _loaded(self) -> tuple[Any, Any]:
        with self._loading:
            if self._engine is None:
                self._engine = (
                    _tokenizer(self._tokenizer()),
                    _session(self._weights(), self._threads),
                )
                memory.give_back()
            return self._engine


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers in batches of similar length; longest x rows stays within `budget`."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _pooled(session: Any, tokens: Sequence[Sequence[int]]) -> Vectors:
    """Mean over the real tokens, then unit length: the model card's pooling."""
    width = max(map(len, tokens))
    ids: Ids = np.zeros((len(tokens), width), np.int64)
    mask: Ids = np.zeros_like(ids)
    for row, line in enumerate(tokens):
        ids[row, : len(line)] = line
        mask[row, : len(line)] = 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden: Vectors = session.run(None, feed)[0]
    weight = mask.astype(np.float32)
    pooled = np.einsum("btd,bt->bd", hidden, weight) / weight.sum(1, keepdims=True)
    unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return unit


def _tokenizer(path: Path) -> Any:
    # One core per call: parallel tokenising wins nothing here and starves the neighbours.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS_MAX)
    return tokenizer


def _session(path: Path, threads: int) -> Any:
    # Its builds send events to their maker by default; it reads this once, when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena costs 20 MB at rest with batches this small; without it every batch faults its pages
    # in again, which is a seventh of all CPU time.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    # Waiting threads would burn a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
