"""A test collection: documents, questions and which documents answer them, in BEIR's layout.

`corpus.jsonl` {_id, title, text}, `queries.jsonl` {_id, text}, `qrels/test.tsv` (question,
document, grade, below a header). Thakur et al., "BEIR", NeurIPS 2021.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.context import Ctx
from core.documents import Chunk, Document, Hit
from core.ids import new_id
from core.ports import BlobStore, Embedder, Vectors
from core.vault import Vault
from ingestion import chunk
from ingestion.text import plain_page
from vectorstore import About, Entry, Head, Query, Shelves
from vectorstore.values import Mode

Ranking = Sequence[str]  # document ids, best first
_SHELF_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    title: str
    text: str

    @property
    def whole(self) -> str:
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Collection:
    name: str
    documents: list[Item]
    questions: list[tuple[str, str]]  # id, text
    grades: Mapping[str, Mapping[str, int]]  # question → document → how well it answers


def read(folder: Path, questions_max: int | None = None) -> Collection:
    """Questions without an answer in the corpus are left out; of more than `questions_max`, an
    even choice is taken."""
    documents = [
        Item(str(line["_id"]), line.get("title") or "", line["text"])
        for line in _lines(folder / "corpus.jsonl")
    ]
    ids = {one.id for one in documents}
    grades: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, grade = line.split("\t")
        if document in ids and int(grade) > 0:
            grades.setdefault(question, {})[document] = int(grade)
    asked = [
        (str(line["_id"]), line["text"])
        for line in _lines(folder / "queries.jsonl")
        if str(line["_id"]) in grades
    ]
    step = max(1, -(-len(asked) // questions_max)) if questions_max else 1
    return Collection(folder.name, documents, asked[::step], grades)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def entries(collection: Collection, *, whole: bool = False) -> list[Entry]:
    """As ingestion cuts them; or each document as one passage."""
    made: list[Entry] = []
    for one in collection.documents:
        about = About(one.id, "")
        page = plain_page(one.text or one.title, 1)
        parsed = Document("txt", (page,), title=one.title or None)
        chunks = chunk(parsed, one.id)
        if whole:
            end = len(page.text)
            above = one.title if one.text else ""
            chunks = [Chunk(f"{one.id}:0", one.id, 0, page.text, 1, 0, end, context=above)]
        made += [Entry(each, about) for each in chunks]
    return made


class Shelved:
    """A collection on a real shelf; `vectors` are of its entries, in order."""

    def __init__(
        self, store: BlobStore, found: list[Entry], vectors: Vectors | None, model: Embedder | None
    ) -> None:
        self._ctx = Ctx(new_id(), "system")
        self._shelves = Shelves(Vault(store, lambda _ctx: bytes(32)), _SHELF_BYTES)
        self._digest = model.digest if model else None
        segment = self._shelves.write(self._ctx, found, vectors, self._digest)
        self._head = Head(1, (segment,))

    def hits(self, text: str, vector: Any, mode: Mode, k: int) -> list[Hit]:
        query = Query(text, vector, self._digest, k, mode, {})
        return self._shelves.search(self._ctx, self._head, query)

    def ranking(self, text: str, vector: Any, mode: Mode, k: int) -> Ranking:
        """Documents by their best passage, of the best `k` passages."""
        found = self.hits(text, vector, mode, k)
        return list(dict.fromkeys(hit.chunk.document_id for hit in found))


def ndcg(ranking: Ranking, grades: Mapping[str, int], k: int = 10) -> float:
    """Järvelin and Kekäläinen, TOIS 2002, with linear gains as trec_eval's `ndcg_cut`."""
    ideal = sorted(grades.values(), reverse=True)[:k]
    return _gain([grades.get(one, 0) for one in ranking[:k]]) / _gain(ideal)


def _gain(grades: Sequence[int]) -> float:
    return float(sum(grade / np.log2(at + 2) for at, grade in enumerate(grades)))


def recall(ranking: Ranking, grades: Mapping[str, int], k: int) -> float:
    return len(set(ranking[:k]) & grades.keys()) / len(grades)


@dataclass(frozen=True, slots=True)
class Marks:
    """Means over the questions, in points of 100."""

    ndcg10: float
    recall10: float
    recall100: float


def marks(collection: Collection, rankings: Sequence[Ranking]) -> Marks:
    pairs = [
        (ranking, collection.grades[asked])
        for ranking, (asked, _) in zip(rankings, collection.questions, strict=True)
    ]
    return Marks(
        100 * float(np.mean([ndcg(ranking, grades) for ranking, grades in pairs])),
        100 * float(np.mean([recall(ranking, grades, 10) for ranking, grades in pairs])),
        100 * float(np.mean([recall(ranking, grades, 100) for ranking, grades in pairs])),
    )
