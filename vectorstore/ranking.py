"""Candidates of every segment by words and by vectors, ranked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vectorstore.keywords import statistics
from vectorstore.scan import Scan
from vectorstore.segments import Passages
from vectorstore.values import Mode, Query
from vectorstore.words import asked

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

# The share of the vectors in a hybrid score. Bruch, Gai and Ingber, "An Analysis of Fusion
# Functions for Hybrid Retrieval", TOIS 2023: 0.8 with theoretical bounds holds on all their sets.
_ALPHA = np.float32(0.8)


@dataclass(frozen=True, slots=True)
class Part:
    """An opened segment. `rows` are those that may be shown, sorted; None: all of them."""

    passages: Passages
    scan: Scan | None
    rows: Ints | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Parallel arrays; `cosine` is NaN where a passage has no vector yet."""

    part: Ints
    row: Ints
    keyword: Floats
    cosine: Floats


def ranked(parts: Sequence[Part], query: Query, depth: int) -> list[tuple[int, int, float]]:
    """`(part, row, score)`, best first; fewer than `depth` only when there are no more."""
    mode = query.mode if query.vector is not None else "keyword"
    found = _near(parts, query, depth) if mode == "vector" else _said(parts, query, mode, depth)
    scores = _scores(found, mode)
    order = np.argsort(-scores, kind="stable")
    columns = (found.part[order], found.row[order], scores[order])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _near(parts: Sequence[Part], query: Query, depth: int) -> Candidates:
    assert query.vector is not None
    pieces = []
    for number, part in enumerate(parts):
        if part.scan is not None:
            rows, cosines = part.scan.nearest(query.vector, depth, part.rows)
            pieces.append((number, rows, np.zeros(len(rows), np.float32), cosines))
    return _joined(pieces)


def _said(parts: Sequence[Part], query: Query, mode: Mode, depth: int) -> Candidates:
    """Candidates by words; in a hybrid search also the nearest ones, and both scores of each."""
    terms = asked(query.text)
    looked = [(part.passages.postings, part.passages.postings.look_up(terms)) for part in parts]
    whole = statistics(looked)
    pieces = []
    for number, (part, (postings, places)) in enumerate(zip(parts, looked, strict=True)):
        keyword = postings.scores(places, whole)
        rows = _top(keyword, part.rows, depth)
        cosines = np.full(len(rows), np.nan, np.float32)
        if mode == "hybrid" and part.scan is not None and query.vector is not None:
            near, _ = part.scan.nearest(query.vector, depth, part.rows)
            rows = np.union1d(rows, near)
            cosines = part.scan.exact(query.vector, rows)
        pieces.append((number, rows, keyword[rows], cosines))
    return _joined(pieces)


def _joined(pieces: Sequence[tuple[int, Ints, Floats, Floats]]) -> Candidates:
    if not pieces:
        none = np.empty(0, np.float32)
        return Candidates(np.empty(0, np.int64), np.empty(0, np.int64), none, none)
    numbers = [np.full(len(rows), number, np.int64) for number, rows, _, _ in pieces]
    _, rows, keyword, cosine = zip(*pieces, strict=True)
    columns = (numbers, rows, keyword, cosine)
    return Candidates(*(np.concatenate(column) for column in columns))


def _top(scores: Floats, allowed: Ints | None, count: int) -> Ints:
    rows = np.flatnonzero(scores) if allowed is None else allowed[scores[allowed] > 0]
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(-scores[rows], count)[:count]]


def _scores(found: Candidates, mode: Mode) -> Floats:
    if mode == "keyword" or not len(found.row) or np.isnan(found.cosine).all():
        return found.keyword
    # A passage without a vector is ranked as if it were the farthest candidate.
    cosine = np.where(np.isnan(found.cosine), np.nanmin(found.cosine), found.cosine)
    if mode == "vector":
        return cosine
    near = (cosine + 1) / max(float(cosine.max()) + 1, 1e-6)
    said = found.keyword / max(float(found.keyword.max()), 1e-6)
    return np.asarray(_ALPHA * near + (1 - _ALPHA) * said, np.float32)
