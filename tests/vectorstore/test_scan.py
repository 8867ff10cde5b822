from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vectorstore.scan import Scan, halved

Floats = npt.NDArray[np.float32]


def clustered(rows: int, seed: int = 7) -> Floats:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(50, 384)).astype(np.float32)
    noise = 0.8 * random.normal(size=(rows, 384)).astype(np.float32)
    vectors = centres[random.integers(0, 50, rows)] + noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def recall(found: npt.NDArray[np.int64], exact: Floats, k: int) -> float:
    return len(set(found[:k]) & set(np.argsort(-exact, kind="stable")[:k])) / k


def test_ten_nearest_are_found_where_nothing_is_alike() -> None:
    vectors = np.random.default_rng(3).normal(size=(4000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scan = Scan(halved(vectors))
    questions = clustered(60, seed=5)
    found = [recall(scan.nearest(one, 10, None)[0], vectors @ one, 10) for one in questions]
    assert np.mean(found) >= 0.99


@pytest.mark.parametrize("share", [None, 0.9, 0.3, 0.1, 0.01])
def test_ten_nearest_are_found_whatever_the_filter_admits(share: float | None) -> None:
    vectors = clustered(4000)
    scan = Scan(halved(vectors))
    flags = None if share is None else np.random.default_rng(1).random(4000) < share
    rows = None if flags is None else np.flatnonzero(flags)
    found = []
    for query in vectors[:100]:
        exact = vectors @ query
        if flags is not None:
            exact = np.where(flags, exact, -2)
        found.append(recall(scan.nearest(query, 10, rows)[0], exact, 10))
    assert np.mean(found) >= 0.99


def test_only_admitted_rows_come_back() -> None:
    vectors = clustered(3000)
    flags = np.zeros(3000, np.bool_)
    flags[::7] = True
    rows, _ = Scan(halved(vectors)).nearest(vectors[0], 1000, np.flatnonzero(flags))
    assert len(rows) == flags.sum()
    assert flags[rows].all()


def test_nothing_admitted_gives_nothing() -> None:
    vectors = clustered(2000)
    rows, _ = Scan(halved(vectors)).nearest(vectors[0], 5, np.empty(0, np.int64))
    assert len(rows) == 0


@pytest.mark.parametrize("rows", [1, 5, 513])
def test_fewer_rows_than_asked(rows: int) -> None:
    vectors = clustered(rows)
    found, _ = Scan(halved(vectors)).nearest(vectors[0], 1000, None)
    assert sorted(found) == list(range(rows))
