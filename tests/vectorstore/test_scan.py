from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vectorstore.scan import PLAIN_ROWS, Scan, halved

Floats = npt.NDArray[np.float32]


def clustered(rows: int, seed: int = 7) -> Floats:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(50, 384)).astype(np.float32)
    noise = 0.8 * random.normal(size=(rows, 384)).astype(np.float32)
    vectors = centres[random.integers(0, 50, rows)] + noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def recall(found: npt.NDArray[np.int64], exact: Floats, k: int) -> float:
    return len(set(found[:k]) & set(np.argsort(-exact, kind="stable")[:k])) / k


KINDS = pytest.mark.parametrize("plain", [0, PLAIN_ROWS], ids=["codes", "plain"])


@KINDS
def test_ten_nearest_are_found_where_nothing_is_alike(plain: int) -> None:
    vectors = np.random.default_rng(3).normal(size=(4000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scan = Scan(halved(vectors), plain=plain)
    questions = clustered(60, seed=5)
    found = [recall(scan.nearest(one, 10, None)[0], vectors @ one, 10) for one in questions]
    assert np.mean(found) >= 0.99


@KINDS
@pytest.mark.parametrize("share", [None, 0.9, 0.3, 0.1, 0.01])
def test_ten_nearest_are_found_whatever_the_filter_admits(share: float | None, plain: int) -> None:
    vectors = clustered(4000)
    scan = Scan(halved(vectors), plain=plain)
    flags = None if share is None else np.random.default_rng(1).random(4000) < share
    rows = None if flags is None else np.flatnonzero(flags)
    found = []
    for query in vectors[:100]:
        exact = vectors @ query
        if flags is not None:
            exact = np.where(flags, exact, -2)
        found.append(recall(scan.nearest(query, 10, rows)[0], exact, 10))
    assert np.mean(found) >= 0.99


@KINDS
def test_only_admitted_rows_come_back(plain: int) -> None:
    vectors = clustered(3000)
    flags = np.zeros(3000, np.bool_)
    flags[::7] = True
    rows, _ = Scan(halved(vectors), plain=plain).nearest(vectors[0], 1000, np.flatnonzero(flags))
    assert len(rows) == flags.sum()
    assert flags[rows].all()


@KINDS
def test_nothing_admitted_gives_nothing(plain: int) -> None:
    vectors = clustered(2000)
    rows, _ = Scan(halved(vectors), plain=plain).nearest(vectors[0], 5, np.empty(0, np.int64))
    assert len(rows) == 0


@KINDS
@pytest.mark.parametrize("rows", [1, 5, 513])
def test_fewer_rows_than_asked(rows: int, plain: int) -> None:
    vectors = clustered(rows)
    found, _ = Scan(halved(vectors), plain=plain).nearest(vectors[0], 1000, None)
    assert sorted(found) == list(range(rows))


def test_both_kinds_give_the_same_products_and_take_the_memory_they_say() -> None:
    half, rows = halved(clustered(3000)), np.array([2900, 0, 17])
    coded, plain = Scan(half, plain=0), Scan(half)
    question = clustered(1, seed=5)[0]
    exact = half[rows].astype(np.float32) @ question
    for scan in (coded, plain):
        assert np.allclose(scan.exact(question, rows), exact, atol=1e-6)
        found, products = scan.nearest(question, 20, None)
        assert np.allclose(products, half[found].astype(np.float32) @ question, atol=1e-6)
    assert (coded.size, plain.size) == (half.nbytes + half.size, half.nbytes)
    assert Scan(half, shared=True).size == 0


def test_a_vector_that_is_no_number_is_near_nothing() -> None:
    vectors = clustered(40)
    vectors[7] = np.nan
    found, _ = Scan(halved(vectors)).nearest(vectors[3], 40, None)
    assert sorted(found) == [row for row in range(40) if row != 7]
