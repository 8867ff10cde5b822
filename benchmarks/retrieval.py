"""How well the right documents are found: by words, by meaning and by both, beside peers.

`python -m benchmarks.retrieval [--whole] [FOLDER…]` for collections in BEIR's layout, else the own
one; decision 0023 says which public ones were measured. Peers: bm25s with its English stop words,
with and without PyStemmer (the better counts); exact cosines of whole documents, cut at 256 tokens
as sentence-transformers does, by the same weights in ONNX fp32 (cosine 1.0000 to its vectors:
`benchmarks.embedding`). Vectors are kept below build/retrieval.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from agents.shelf import embedded_text
from benchmarks.collections import Collection, Marks, Ranking, Shelved, entries, marks, read
from benchmarks.figures import at_least
from core.ports import Embedder, Vectors
from core.settings import Settings
from models import Models
from tests.fakes.memory import DictStore
from vectorstore.languages import spoken
from vectorstore.values import Mode

OWN = Path(__file__).parent.parent / "examples" / "collection"
_KEPT = Path("build/retrieval")
_K = 100
_QUESTIONS_MAX = 1000
_MODES: tuple[Mode, ...] = ("keyword", "vector", "hybrid")
_BATCH = 256


def run(folders: Sequence[Path] = (OWN,), *, whole: bool = False) -> Iterator[dict[str, Any]]:
    for folder in folders:
        yield from _measured(read(folder, _QUESTIONS_MAX), whole)


def _measured(collection: Collection, whole: bool) -> Iterator[dict[str, Any]]:
    embedder = Models(Settings()).embedder()
    assert embedder is not None, "make setup fetches the embedding model"
    found = entries(collection, whole=whole)
    questions = _vectors(embedder, [text for _, text in collection.questions])
    vectors = _vectors(embedder, [embedded_text(one) for one in found])
    shelf = Shelved(DictStore(), found, vectors, embedder)
    got = {
        mode: marks(
            collection,
            [
                shelf.ranking(text, vector, mode, _K)
                for (_, text), vector in zip(collection.questions, questions, strict=True)
            ],
        )
        for mode in _MODES
    }
    names = ["as is", *sorted(_spoken(collection))]
    by_words = max((_bm25s(collection, name) for name in names), key=lambda one: one.ndcg10)
    exact = marks(collection, _cosines(collection, embedder, questions))
    half = max(got["keyword"].ndcg10, got["vector"].ndcg10)
    name = f"retrieval.{collection.name}"
    counts = f"{len(collection.documents)} documents, {len(found)} passages"
    said = f"{len(collection.questions)} questions, {counts}"
    yield _beside(f"{name}.keyword", got["keyword"], by_words.ndcg10 - 1, "bm25s", by_words)
    yield _beside(f"{name}.vector", got["vector"], exact.ndcg10 - 0.1, "cosine", exact)
    yield _beside(f"{name}.hybrid", got["hybrid"], half + 2, said)


def _beside(name: str, own: Marks, goal: float, said: str, peer: Marks | None = None) -> Any:
    words = [said if peer is None else f"{said} {_told(peer)}", f"own {_told(own)}"]
    return at_least(name, own.ndcg10, round(goal, 2), "nDCG@10", "; ".join(words))


def _told(of: Marks) -> str:
    return f"nDCG@10 {of.ndcg10:.2f}, recall@10 {of.recall10:.2f}, recall@100 {of.recall100:.2f}"


def _spoken(collection: Collection) -> set[str]:
    found = (spoken(one.text.lower().split()) for one in collection.documents[:200])
    return {"english", *(name for name in found if name)}


def _bm25s(collection: Collection, language: str) -> Marks:
    import bm25s
    import Stemmer

    stemmer = None if language == "as is" else Stemmer.Stemmer(language)
    options = {"stopwords": "en", "stemmer": stemmer, "show_progress": False}
    texts = [one.whole for one in collection.documents]
    peer = bm25s.BM25()
    peer.index(bm25s.tokenize(texts, **options), show_progress=False)
    asked = bm25s.tokenize([text for _, text in collection.questions], return_ids=False, **options)
    scores = (peer.get_scores(words) if words else np.zeros(len(texts)) for words in asked)
    return marks(collection, [_ranking(collection, each) for each in scores])


def _cosines(collection: Collection, embedder: Embedder, questions: Vectors) -> list[Ranking]:
    vectors = _vectors(embedder, [one.whole for one in collection.documents])
    return [_ranking(collection, scores) for scores in questions @ vectors.T]


def _ranking(collection: Collection, scores: Any) -> Ranking:
    best = np.argsort(-scores, kind="stable")[:_K]
    return [collection.documents[int(at)].id for at in best]


def _vectors(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Kept, batch by batch: large collections take an hour of a core."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    pieces = []
    for at in range(0, len(texts), _BATCH):
        some = list(texts[at : at + _BATCH])
        key = sha256("\0".join([embedder.digest, *some]).encode()).hexdigest()
        kept = _KEPT / f"{key[:32]}.npy"
        if not kept.exists():
            np.save(kept, embedder.embed(some))
        pieces.append(np.load(kept))
    return np.concatenate(pieces)


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:] if not one.startswith("--")]
    for figure in run(given or (OWN,), whole="--whole" in sys.argv):
        print(json.dumps(figure), flush=True)
