"""Candidates of every segment by words and by vectors, ranked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vectorstore.keywords import statistics
from vectorstore.languages import ENGLISH, LANGUAGES
from vectorstore.scan import Scan
from vectorstore.segments import Passages
from vectorstore.values import Mode, Query
from vectorstore.words import asked, language, split

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

# The share of the vectors in a hybrid score (decision 0023): half where the usual embedding model
# learnt the language, less where it did not.
_SHARE = {ENGLISH: 0.5}
_SHARE_ELSE = 0.35
_NOISE = 0.01  # cosines that differ less say nothing


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
    scores = _scores(found, mode, _share(parts, found, query) if mode == "hybrid" else 0)
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


def _share(parts: Sequence[Part], found: Candidates, query: Query) -> float:
    """By the question's language; where that does not tell, by that of most candidates."""
    name = language(split(query.text))
    if name is None and len(found.row):
        of = np.zeros(len(LANGUAGES), np.int64)
        for number, part in enumerate(parts):
            rows = found.row[found.part == number]
            of += np.bincount(part.passages.postings.languages[rows], minlength=len(of))
        name = LANGUAGES[int(of.argmax())]
    return _SHARE.get(name or ENGLISH, _SHARE_ELSE)


def _scores(found: Candidates, mode: Mode, share: float) -> Floats:
    if mode == "keyword" or not len(found.row) or np.isnan(found.cosine).all():
        return found.keyword
    if mode == "vector":
        return found.cosine
    # A passage without a vector is neither near nor far.
    near = np.nan_to_num(_standard(found.cosine), nan=0.0)
    both = share * near + (1 - share) * _standard(found.keyword)
    return np.asarray(1 / (1 + np.exp(-both)), np.float32)


def _standard(scores: Floats) -> npt.NDArray[np.float64]:
    """In standard deviations from the candidates' mean: what few of them have says more than what
    most have, so that one passage with the asked code outruns many that are near."""
    apart = scores.astype(np.float64) - np.nanmean(scores, dtype=np.float64)
    return np.asarray(apart / max(float(np.nanstd(apart)), _NOISE), np.float64)
