"""Search of one tenant's shelf against FAISS IndexFlatIP, SQLite FTS5 and Chroma, in the same run.

`python -m benchmarks.search [rows…]` prints a JSON line per figure. One thread, k = 10, p50 of 200
questions over clustered 384-dimensional vectors and passages of 60 words in a Zipf distribution.
FAISS takes turns with us; Chroma runs before, in a process and a virtual environment of its own
below build/peers (half a gigabyte). Above 100,000 passages: `python -m benchmarks.search 300000`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import faiss
import numpy as np

from benchmarks.figures import at_least, at_most
from benchmarks.peers import peer_python
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
_LARGE = 100_000
_PACKAGES = ("chromadb==1.5.9",)


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
    """Figures; times in ms."""
    faiss.omp_set_num_threads(1)
    from benchmarks import search_ends, search_indexing, search_tenants

    for rows in sizes:
        data = _made(rows)
        yield from _measured(rows, data)
        if rows == search_ends.ROWS:
            yield from search_ends.run(data)
    if search_ends.ROWS in sizes:
        yield from search_indexing.run()
        yield from search_tenants.run()


def _measured(rows: int, data: _Data) -> Iterable[dict[str, Any]]:
    name = f"search.{rows // 1000}k"
    ctx = Ctx(new_id(), "system")
    shelves = Shelves(Vault(_Memory(), lambda _ctx: bytes(32)), 2**30)
    segment = shelves.write(ctx, data.entries, data.vectors, "digest")
    head = Head(1, (segment,))

    def ask(at: int, mode: Any, filters: Mapping[str, Any] | None = None) -> list[int]:
        vector = None if mode == "keyword" else data.questions[at]
        query = Query(data.asked[at], vector, "digest", _K, mode, filters or {})
        return [int(hit.chunk.id) for hit in shelves.search(ctx, head, query)]

    started = time.perf_counter()
    ask(0, "keyword")
    opened = (time.perf_counter() - started) * 1000
    flat = faiss.IndexFlatIP(_DIMENSION)
    flat.add(data.vectors)
    group = np.flatnonzero([_in_group(row) for row in range(rows)])
    chosen = faiss.SearchParameters(  # type: ignore[call-arg]
        sel=faiss.IDSelectorBatch(group)
    )

    def peer(at: int, parameters: Any = None) -> list[int]:
        question = data.questions[at : at + 1]
        return list(flat.search(question, _K, params=parameters)[1][0])

    half = 2 if rows >= _LARGE else 1
    yield from _near(f"{name}.vector", lambda at: ask(at, "vector"), peer, half)
    yield from _near(
        f"{name}.filter", lambda at: ask(at, "vector", _FILTER), lambda at: peer(at, chosen), 1
    )
    if rows == _LARGE:
        yield from _beside_chroma(data, lambda at, f: ask(at, "vector", f), peer, chosen)
    yield from _said(name, data, lambda at: ask(at, "keyword"), opened)
    yield at_most(f"{name}.hybrid.p50", _p50(lambda at: ask(at, "hybrid")), 100, "ms")


def _near(
    name: str, ours: Callable[[int], list[int]], peer: Callable[[int], list[int]], times: int
) -> Iterable[dict[str, Any]]:
    """`times`: how often ours has to fit into the peer's time."""
    pairs = [(ours(at), peer(at)) for at in range(_QUESTIONS)]
    yield at_least(f"{name}.recall@10", _recall(pairs), 0.999, "share", "FAISS Flat: 1")
    own, theirs = _by_turns(ours, peer)
    # Below half a millisecond the hits' text costs more than the search; the peer gives numbers.
    goal = round(max(theirs / times, 0.5), 3)
    said = f"FAISS Flat: {theirs:.3f} ms, {theirs / own:.1f} x ours"
    yield at_most(f"{name}.p50", own, goal, "ms", said)


def _recall(pairs: Sequence[tuple[list[int], list[int]]]) -> float:
    return float(np.mean([len(set(own) & set(exact)) / len(exact) for own, exact in pairs]))


def _by_turns(ours: Callable[[int], object], peer: Callable[[int], object]) -> tuple[float, float]:
    """p50 of both in ms, question by question in turn: a busy moment hits the two alike."""
    times = [(_ms(ours, at), _ms(peer, at)) for at in range(_QUESTIONS)]
    own, theirs = (float(np.median(column)) for column in zip(*times, strict=True))
    return own, theirs


def _beside_chroma(
    data: _Data, ours: Callable[[int, Mapping[str, Any]], list[int]],
    exact: Callable[..., list[int]], chosen: Any,
) -> Iterable[dict[str, Any]]:  # fmt: skip
    """The filter that admits 1 %, and the same questions without it for the record."""
    told = _chroma(data)
    name = f"search.{len(data.vectors) // 1000}k"
    for kind, filters, among in (("filter", _FILTER, chosen), ("vector", {}, None)):
        theirs = told["filtered" if filters else "plain"]
        truth = [exact(at, among) for at in range(_QUESTIONS)]
        own = _recall([(ours(at, filters), truth[at]) for at in range(_QUESTIONS)])
        found = _recall(list(zip(theirs["found"], truth, strict=True)))
        taken, peer = _p50(lambda at, f=filters: ours(at, f)), float(np.median(theirs["ms"]))  # type: ignore[misc]
        said = f"Chroma: {peer:.2f} ms at recall {found:.3f}; ours {taken:.3f} ms at {own:.4f}"
        if filters:
            yield at_least(f"{name}.{kind}.chroma", peer / taken, 100, "x", said)
            stored = _recall([(ours(at, filters), _stored(data, at)) for at in range(_QUESTIONS)])
            yield at_least(f"{name}.{kind}.exact", stored, 1, "share",
                           f"of the ten nearest by the stored 16-bit vectors; {said}")  # fmt: skip
        else:
            yield at_least(f"{name}.{kind}.chroma_recall", own - found, 0, "share", said)


def _stored(data: _Data, at: int) -> list[int]:
    """The nearest of the filter's passages by the vectors as they are kept, one by one."""
    rows = np.flatnonzero([_in_group(row) for row in range(len(data.vectors))])
    kept = data.vectors[rows].astype(np.float16).astype(np.float32)
    return [int(one) for one in rows[np.argsort(-(kept @ data.questions[at]), kind="stable")[:_K]]]


def _chroma(data: _Data) -> dict[str, Any]:
    python = peer_python("chroma", _PACKAGES)
    groups = np.where([_in_group(row) for row in range(len(data.vectors))], "g0", "g1")
    with tempfile.TemporaryDirectory(prefix="weft-chroma-") as folder:
        np.savez(
            f"{folder}/data.npz", vectors=data.vectors, questions=data.questions, groups=groups
        )
        done = subprocess.run(
            [python, "-m", "benchmarks.search_peer", folder], check=True, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _said(
    name: str, data: _Data, ours: Callable[[int], list[int]], opened: float
) -> Iterable[dict[str, Any]]:
    """`opened`: ms from bytes in the vault to the first answer by words."""
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
    rows = ((entry.chunk.text,) for entry in data.entries)
    started = time.perf_counter()
    table.executemany("INSERT INTO passages VALUES (?)", rows)
    built = (time.perf_counter() - started) * 1000
    yield at_most(f"{name}.open", opened, round(built, 1), "ms", f"FTS5 rebuilt: {built:.0f} ms")
    statement = "SELECT rowid, text FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?"

    def peer(at: int) -> list[int]:
        words = " OR ".join(f'"{word}"' for word in data.asked[at].split())
        return [row[0] for row in table.execute(statement, (words, _K))]

    theirs, own = _p50(peer), _p50(ours)
    goal = round(max(theirs, 0.5), 3)
    yield at_most(f"{name}.keyword.p50", own, goal, "ms", f"SQLite FTS5: {theirs:.3f} ms")


def _p50(ask: Callable[[int], object]) -> float:
    return float(np.median([_ms(ask, at) for at in range(_QUESTIONS)]))


def _ms(ask: Callable[[int], object], at: int) -> float:
    started = time.perf_counter()
    ask(at)
    return (time.perf_counter() - started) * 1000


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
