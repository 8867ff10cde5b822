"""Search of one tenant's shelf against FAISS IndexFlatIP and SQLite FTS5, in the same run.

`python -m benchmarks.search [rows…]` prints a JSON line per figure. One thread, k = 10, p50 of 200
questions over clustered 384-dimensional vectors and passages of 60 words in a Zipf distribution.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import faiss
import numpy as np

from core.context import Ctx
from core.documents import Chunk
from core.ids import new_id
from core.vault import Vault
from vectorstore import About, Entry, Head, Query, Shelves

_DIMENSION = 384
_K = 10
_QUESTIONS = 200
_PASSAGES_EACH = 20  # per document
_FILTER = {"group": "g0"}  # admits 1 % of the documents


@dataclass
class _Memory:
    """A blob store without a disk: the benchmark is of searching."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(key for key in self.objects if key.startswith(prefix))

    def metadata(self, key: str) -> Mapping[str, str]:
        return {}


@dataclass(frozen=True)
class _Data:
    vectors: Any  # float32, (rows, dimension)
    questions: Any  # float32, (questions, dimension)
    entries: list[Entry]
    asked: list[str]


def run(sizes: Sequence[int] = (10_000, 100_000)) -> Iterable[dict[str, Any]]:
    """Figures `{id, goal, value, unit, peer, pass}`; times in ms."""
    faiss.omp_set_num_threads(1)
    for rows in sizes:
        yield from _measured(rows, _made(rows))


def _measured(rows: int, data: _Data) -> Iterable[dict[str, Any]]:
    name = f"search.{rows // 1000}k"
    ctx = Ctx(new_id(), "system")
    shelves = Shelves(Vault(_Memory(), lambda _ctx: bytes(32)), 2**30)
    started = time.perf_counter()
    segment = shelves.write(ctx, data.entries, data.vectors, "digest")
    yield _figure(f"{name}.write", None, time.perf_counter() - started, "s")
    head = Head(1, (segment,))

    def ask(at: int, mode: Any, filters: Mapping[str, Any] | None = None) -> list[int]:
        vector = None if mode == "keyword" else data.questions[at]
        query = Query(data.asked[at], vector, "digest", _K, mode, filters or {})
        return [int(hit.chunk.id) for hit in shelves.search(ctx, head, query)]

    started = time.perf_counter()
    ask(0, "hybrid")
    yield _figure(f"{name}.open", None, (time.perf_counter() - started) * 1000, "ms")
    flat = faiss.IndexFlatIP(_DIMENSION)
    flat.add(data.vectors)

    def peer(at: int) -> list[int]:
        return list(flat.search(data.questions[at : at + 1], _K)[1][0])

    allowed = np.array([_in_group(row) for row in range(rows)])
    chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.flatnonzero(allowed)))

    def peer_filtered(at: int) -> list[int]:
        return list(flat.search(data.questions[at : at + 1], _K, params=chosen)[1][0])

    yield from _against(name, lambda at: ask(at, "vector"), peer, "vector", 1.0)
    yield from _against(
        f"{name}.filter", lambda at: ask(at, "vector", _FILTER), peer_filtered, "vector", None
    )
    yield from _keyword(name, data, lambda at: ask(at, "keyword"))
    hybrid = _p50(lambda at: ask(at, "hybrid"))
    yield _figure(f"{name}.hybrid.p50", 100.0, hybrid, "ms")


def _against(
    name: str, ours: Callable[[int], list[int]], peer: Callable[[int], list[int]], what: str,
    goal: float | None,
) -> Iterable[dict[str, Any]]:  # fmt: skip
    """`goal`: at most this many times the peer's p50."""
    pairs = [(ours(at), peer(at)) for at in range(_QUESTIONS)]
    recall = float(np.mean([len(set(a) & set(b)) / max(len(b), 1) for a, b in pairs]))
    yield _figure(f"{name}.{what}.recall@10", 0.99, recall, "share", at_least=True)
    theirs, own = _p50(peer), _p50(ours)
    limit = None if goal is None else theirs * goal
    yield _figure(f"{name}.{what}.p50", limit, own, "ms", peer={"faiss_flat_ms": theirs})


def _keyword(name: str, data: _Data, ours: Callable[[int], list[int]]) -> Iterable[dict[str, Any]]:
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
    rows = ((entry.chunk.text,) for entry in data.entries)
    table.executemany("INSERT INTO passages VALUES (?)", rows)
    statement = "SELECT rowid, text FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?"

    def peer(at: int) -> list[int]:
        words = " OR ".join(f'"{word}"' for word in data.asked[at].split())
        return [row[0] for row in table.execute(statement, (words, _K))]

    theirs, own = _p50(peer), _p50(ours)
    yield _figure(f"{name}.keyword.p50", theirs, own, "ms", peer={"sqlite_fts5_ms": theirs})


def _p50(ask: Callable[[int], object]) -> float:
    times = []
    for at in range(_QUESTIONS):
        started = time.perf_counter()
        ask(at)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1000


def _figure(
    id: str,
    goal: float | None,
    value: float,
    unit: str,
    *,
    peer: dict[str, float] | None = None,
    at_least: bool = False,
) -> dict[str, Any]:
    passed = goal is None or (value >= goal if at_least else value <= goal)
    rounded = {key: round(number, 4) for key, number in (peer or {}).items()}
    return {
        "id": id, "goal": None if goal is None else round(goal, 4), "value": round(value, 4),
        "unit": unit, "peer": rounded or None, "pass": passed,
    }  # fmt: skip


def _in_group(row: int) -> bool:
    return (row // _PASSAGES_EACH) % 100 == 0


def _made(rows: int) -> _Data:
    random = np.random.default_rng(20261121)
    vectors = _clustered(random, rows)
    near = vectors[random.integers(0, rows, _QUESTIONS)]
    questions = _unit(near + 0.02 * random.normal(size=near.shape).astype(np.float32))
    words = np.minimum(random.zipf(1.15, size=(rows, 60)), 50_000)
    entries = [_entry(row, " ".join(f"w{word}" for word in words[row])) for row in range(rows)]
    asked = [f"w{a} w{b} w{c}" for a, b, c in random.integers(3, 3000, (_QUESTIONS, 3))]
    return _Data(vectors, questions, entries, asked)


def _entry(row: int, text: str) -> Entry:
    document = row // _PASSAGES_EACH
    group = "g0" if _in_group(row) else "g1"
    about = About(f"d{document}", f"f{document}", metadata={"group": group})
    return Entry(Chunk(str(row), f"d{document}", row, text, 1, 0, len(text)), about)


def _clustered(random: np.random.Generator, rows: int) -> Any:
    centres = random.normal(size=(200, _DIMENSION)).astype(np.float32)
    noise = random.normal(size=(rows, _DIMENSION)).astype(np.float32)
    return _unit(centres[random.integers(0, 200, rows)] + 0.8 * noise)


def _unit(vectors: Any) -> Any:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for figure in run([int(size) for size in sys.argv[1:]] or (10_000, 100_000)):
        print(json.dumps(figure), flush=True)
