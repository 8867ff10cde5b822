"""Both halves together, on the own collection with vectors that know nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.collections import Shelved, entries, read
from core.ports import Embedder, Vectors
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import DictStore

COLLECTION = read(Path(__file__).parents[2] / "examples" / "collection")
FOUND = entries(COLLECTION)


def unit(rows: int) -> Vectors:
    made = np.random.default_rng(7).normal(size=(rows, 64)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def model() -> Embedder:
    return HashEmbedder()


@pytest.fixture(scope="module")
def shelf(model: Embedder) -> Shelved:
    return Shelved(DictStore(), FOUND, unit(len(FOUND)), model)


@pytest.mark.parametrize("question", ["notice period", "Wer darf den Stapler fahren?", "W-77"])
def test_the_order_is_the_same_however_many_are_asked_for(shelf: Shelved, question: str) -> None:
    vector = unit(1)[0]
    rankings = [shelf.ranking(question, vector, "hybrid", k) for k in (3, 10, 60)]
    assert rankings[0] == rankings[1][:3]
    assert rankings[1][:2] == rankings[2][:2]  # what is looked at further down may pass the others


@pytest.mark.parametrize(("code", "answer"), [("ERR-1042", "en01"), ("5512-AX", "fr17")])
def test_a_code_outruns_what_is_near(shelf: Shelved, code: str, answer: str) -> None:
    assert shelf.ranking(code, unit(200)[-1], "hybrid", 5)[0] == answer


@pytest.mark.parametrize(
    ("question", "order"),
    [("ERR-1042", ["en01", "en30"]), ("What is the meaning of ERR-1042?", ["en30", "en01"])],
)
def test_meaning_leads_but_where_nothing_else_than_a_code_is_asked(
    shelf: Shelved, question: str, order: list[str]
) -> None:
    """One passage alone has the code, another alone is near."""
    near = next(n for n, one in enumerate(FOUND) if one.about.document_id == "en30")
    assert shelf.ranking(question, unit(len(FOUND))[near], "hybrid", 5)[:2] == order


def test_a_compound_is_found_by_its_members(model: Embedder) -> None:
    """No word of the question stands in the passage, but `Zahlungserinnerung` and `Mahngebühr`."""
    german = [one for one in FOUND if one.about.document_id.startswith("de")]
    same = np.tile(unit(1), (len(german), 1))
    shelf = Shelved(DictStore(), german, same, model)
    question = "Wie hoch ist die Gebühr für eine Erinnerung an die Zahlung?"
    assert "de10" not in shelf.ranking(question, None, "keyword", 10)
    assert shelf.ranking(question, same[0], "hybrid", 10)[0] == "de10"


def test_scores_are_from_0_to_1_and_fall(shelf: Shelved) -> None:
    hits = shelf.hits("invoice of March", unit(1)[0], "hybrid", 20)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
