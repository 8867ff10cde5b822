"""sentence-transformers as the embedder (extra `torch`), for who already runs torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.ports import Vectors

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# SHA-256 of its model.safetensors; the vectors equal the fp32 ONNX ones to a cosine of 0.9999,
# yet indexes of two digests are never mixed.
DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class SentenceTransformersEmbedder:
    """Reads the folder `all-MiniLM-L6-v2` beside the other weights, else the hub's own cache."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        local = folder / "all-MiniLM-L6-v2"
        self._where = str(local) if local.is_dir() else MODEL
        self._threads = threads
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def digest(self) -> str:
        return DIGEST

    @property
    def dimension(self) -> int:
        return 384

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.counted(texts)[0]

    def counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        with self._lock:
            if self._model is None:
                self._model = self._load()
            if not texts:
                return np.empty((0, self.dimension), np.float32), 0
            vectors = self._model.encode(list(texts), normalize_embeddings=True)
            read = self._model.tokenize(list(texts))["attention_mask"]
        return np.asarray(vectors, np.float32), int(read.sum())

    def _load(self) -> Any:
        try:
            import torch  # type: ignore[import-not-found,unused-ignore]
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise InvalidInput(
                "WEFT_EMBEDDING=sentence-transformers needs the extra `torch`. "
                "Type: .venv/bin/uv pip install '.[torch]'"
            ) from error
        torch.set_num_threads(self._threads)
        return SentenceTransformer(self._where, device="cpu")
