from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ports import Embedder
from core.settings import Settings
from models import Models
from models.embedding import batches


@given(st.lists(st.integers(1, 256), max_size=60), st.integers(256, 1024))
@settings(max_examples=100, deadline=None)
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    made = list(batches(lengths, budget))
    assert sorted(row for batch in made for row in batch) == list(range(len(lengths)))
    assert all(max(lengths[row] for row in batch) * len(batch) <= budget for batch in made)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    found = Models(Settings()).embedder()
    assert found is not None
    return found


@pytest.mark.model
def test_vectors_are_unit_in_order_and_alike_for_like_texts(embedder: Embedder) -> None:
    texts = ["Invoices are paid in 30 days.", "A cat sleeps.", "The bill is due within a month."]
    vectors = embedder.embed([*texts, texts[0]])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[3])
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.2


@pytest.mark.model
def test_batching_changes_no_vector(embedder: Embedder) -> None:
    texts = [f"Passage {n} " + "tells of settlement files and ledgers. " * n for n in range(24)]
    together = embedder.embed(texts)
    alone = np.vstack([embedder.embed([text]) for text in texts])
    assert float((together * alone).sum(axis=1).min()) > 0.99999


@pytest.mark.model
def test_no_text_empty_text_and_threads_are_fine(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)
    assert np.isfinite(embedder.embed([""])).all()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: embedder.embed([f"text {n}"] * 9), range(8)))
    assert all(np.array_equal(one[0], one[8]) for one in found)


@pytest.mark.model
def test_the_digest_is_of_the_weights(embedder: Embedder) -> None:
    assert embedder.digest.startswith("759c3cd2")
