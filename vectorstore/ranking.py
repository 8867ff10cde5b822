"""Candidates of every segment by words and by vectors, ranked together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorstore import grams
from vectorstore.keywords import statistics
from vectorstore.languages import ENGLISH, LANGUAGES, LITTLE
from vectorstore.scan import Scan
from vectorstore.segments import Passages
from vectorstore.values import Mode, Query
from vectorstore.words import asked, language, split

Floats = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# What vectors, words and parts of words weigh in a hybrid score (decision 0023). The embedding
# model learnt English; other languages are better told by parts of words, and codes by words.
_SHARES = {ENGLISH: (0.65, 0.35, 0.0)}
_SHARES_ELSE = (0.25, 0.4, 0.35)
_SHARES_CODES = (0.35, 0.65, 0.0)  # of a question that is nothing else
_DIGIT = re.compile(r"\d")
_NOISE = 0.01  # cosines that differ less say nothing
_READ_MAX = 50  # candidates whose text is looked into for parts of words; more find no more
_TELLING = 60  # best of each kind, whatever `k` is: all others are measured by their scores


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
    depth = max(depth, _TELLING) if mode == "hybrid" else depth
    found = _near(parts, query, depth) if mode == "vector" else _said(parts, query, mode, depth)
    scores = _fused(parts, found, query) if mode == "hybrid" else _alone(found, mode)
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
            rows, cosines = _with_near(part.scan, query.vector, rows, depth, part.rows)
        pieces.append((number, rows, keyword[rows], cosines))
    return _joined(pieces)


def _with_near(
    scan: Scan, vector: Floats, said: Ints, depth: int, allowed: Ints | None
) -> tuple[Ints, Floats]:
    """The rows found by words and the nearest ones, in order, with their inner products: each is
    computed once."""
    near, products = scan.nearest(vector, depth, allowed)
    known = np.zeros(len(scan.half), np.bool_)
    known[near] = True
    more = said[~known[said]]
    rows = np.concatenate([near, more])
    order = np.argsort(rows)
    return rows[order], np.concatenate([products, scan.exact(vector, more)])[order]


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


def _alone(found: Candidates, mode: Mode) -> Floats:
    return found.keyword if mode == "keyword" else found.cosine


def _fused(parts: Sequence[Part], found: Candidates, query: Query) -> Floats:
    """From 0 to 1; the keyword scores where no candidate has a vector."""
    if not len(found.row) or np.isnan(found.cosine).all():
        return found.keyword
    name = language(split(query.text)) or _usual(parts, found)
    bare = all(_DIGIT.search(word) for word in query.text.split())
    near, said, alike = _SHARES_CODES if bare else _SHARES.get(name, _SHARES_ELSE)
    telling = _best(found.cosine) | (_best(found.keyword) & (found.keyword > 0))
    # A passage without a vector is neither near nor far.
    total = near * np.nan_to_num(_standard(found.cosine, telling), nan=0.0)
    total += said * _standard(found.keyword, telling)
    if alike:
        total += alike * _standard(_alike(parts, found, query, name, total), telling)
    return np.asarray(1 / (1 + np.exp(-total)), np.float32)


def _usual(parts: Sequence[Part], found: Candidates) -> str:
    """The language of most candidates."""
    of = np.zeros(len(LANGUAGES), np.int64)
    for number, part in enumerate(parts):
        rows = found.row[found.part == number]
        of += np.bincount(part.passages.postings.languages[rows], minlength=len(of))
    return LANGUAGES[int(of.argmax())]


def _alike(
    parts: Sequence[Part], found: Candidates, query: Query, name: str, scores: Exact
) -> Exact:
    """What the best candidates share with the question in parts of words; the others least."""
    best = np.argsort(-scores, kind="stable")[:_READ_MAX]
    texts = [parts[found.part[at]].passages.said(int(found.row[at])) for at in best]
    shared = grams.shared(grams.parts(query.text, LITTLE[name]), texts)
    alike = np.full(len(scores), shared.min())
    alike[best] = shared
    return alike


def _best(scores: Floats) -> npt.NDArray[np.bool_]:
    """Flags of the `_TELLING` highest; NaN is none."""
    flags = np.zeros(len(scores), np.bool_)
    flags[np.argsort(-scores, kind="stable")[:_TELLING]] = True  # NaN is sorted last
    return flags


def _standard(scores: npt.NDArray[np.floating[Any]], telling: npt.NDArray[np.bool_]) -> Exact:
    """In standard deviations from the mean of the telling ones: what few of them have says more
    than what most have, so that one passage with the asked code outruns many that are near."""
    told = scores[telling].astype(np.float64)
    told = told[~np.isnan(told)]  # numpy's nanmean and nanstd cost four times as much
    mean = float(told.mean()) if len(told) else np.nan
    spread = float(told.std()) if len(told) else 0.0
    return np.asarray((scores.astype(np.float64) - mean) / max(spread, _NOISE), np.float64)
