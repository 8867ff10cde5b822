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
Mask = npt.NDArray[np.bool_]

# The share of the vectors in a hybrid score. Bruch, Gai and Ingber, "An Analysis of Fusion
# Functions for Hybrid Retrieval", TOIS 2023: 0.8 with theoretical bounds holds on all their sets.
_ALPHA = np.float32(0.8)


@dataclass(frozen=True, slots=True)
class Part:
    """An opened segment. `allowed` flags its rows; None admits all of them."""

    passages: Passages
    scan: Scan | None
    allowed: Mask | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Parallel arrays; `cosine` is NaN where a passage has no vector yet."""

    part: Ints
    row: Ints
    keyword: Floats
    cosine: Floats


def ranked(parts: Sequence[Part], query: Query, depth: int) -> list[tuple[int, int, float]]:
    """`(part, row, score)`, best first; `depth` candidates of each kind and segment at most."""
    found = _candidates(parts, query, depth)
    scores = _scores(found, query.mode if query.vector is not None else "keyword")
    order = np.argsort(-scores, kind="stable")
    return [(int(found.part[at]), int(found.row[at]), float(scores[at])) for at in order]


def _candidates(parts: Sequence[Part], query: Query, depth: int) -> Candidates:
    terms = asked(query.text) if query.mode != "vector" or query.vector is None else []
    whole = statistics([part.passages.postings for part in parts], terms)
    lists: list[tuple[Ints, Ints, Floats, Floats]] = []
    for number, part in enumerate(parts):
        keyword = part.passages.postings.scores(terms, whole) if terms else None
        rows = [] if keyword is None else [_top(keyword, part.allowed, depth)]
        if query.mode != "keyword" and query.vector is not None and part.scan is not None:
            rows.append(part.scan.nearest(query.vector, depth, part.allowed))
        row = np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)
        lists.append((
            np.full(len(row), number), row,
            np.zeros(len(row), np.float32) if keyword is None else keyword[row],
            _cosines(part, query, row),
        ))  # fmt: skip
    joined = [np.concatenate(column) for column in zip(*lists, strict=True)]
    return Candidates(*joined)


def _cosines(part: Part, query: Query, rows: Ints) -> Floats:
    if part.scan is None or query.vector is None or query.mode == "keyword":
        return np.full(len(rows), np.nan, np.float32)
    return part.scan.exact(query.vector, rows)


def _top(scores: Floats, allowed: Mask | None, count: int) -> Ints:
    rows = np.flatnonzero(scores > 0 if allowed is None else (scores > 0) & allowed)
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
