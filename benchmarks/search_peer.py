"""Chroma, in a virtual environment of its own: the same vectors, the same questions, one thread.

Reads `data.npz` (vectors, questions, groups) from the folder named first; prints JSON with the rows
found and the milliseconds of every question, without and with the filter.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

_K = 10
_BATCH = 5_000


def main(folder: Path) -> None:
    import chromadb  # type: ignore[import-not-found]

    data = np.load(folder / "data.npz")
    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    table = client.create_collection("bench", metadata={"hnsw:space": "ip", "hnsw:num_threads": 1})
    started = time.perf_counter()
    for at in range(0, len(data["vectors"]), _BATCH):
        rows = range(at, min(at + _BATCH, len(data["vectors"])))
        table.add(
            ids=[str(row) for row in rows], embeddings=data["vectors"][rows.start : rows.stop],
            metadatas=[{"group": str(data["groups"][row])} for row in rows],
        )  # fmt: skip
    told: dict[str, Any] = {"build_s": time.perf_counter() - started}
    for name, where in (("plain", None), ("filtered", {"group": "g0"})):
        found, times = [], []
        for question in data["questions"]:
            started = time.perf_counter()
            got = table.query(query_embeddings=[question], n_results=_K, where=where, include=[])
            times.append((time.perf_counter() - started) * 1000)
            found.append([int(one) for one in got["ids"][0]])
        told[name] = {"found": found, "ms": times}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
