"""How much of a paper a reader gave back: words, their order, table cells, headings; 0 to 1."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.papers.values import Rows, Sample

_TOKEN = re.compile(r"\w+")
MARKS = ("words", "order", "cells", "headings")


@dataclass
class Got:
    """What a reader made of a paper."""

    text: str = ""
    tables: list[Rows] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """Right ones among those given and those there are, over all papers."""

    right: int = 0
    given: int = 0
    there: int = 0

    def add(self, given: Counter[object], there: Counter[object]) -> None:
        self.right += sum((given & there).values())
        self.given += sum(given.values())
        self.there += sum(there.values())

    @property
    def share(self) -> float:
        """F1: both what is missing and what was invented costs."""
        return 2 * self.right / max(1, self.given + self.there)


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def graded(pairs: Iterable[tuple[Sample, Got]]) -> dict[str, float]:
    """The four marks over all papers."""
    words, cells, headings = Tally(), Tally(), Tally()
    orders = []
    for sample, got in pairs:
        told = [token for word in sample.words for token in tokens(word)]
        read = tokens(got.text)
        words.add(Counter(read), Counter(told))
        cells.add(_neighbours(got.tables), _neighbours(sample.tables))
        headings.add(_lines(got.headings), _lines(sample.headings))
        orders.append(_order(read, told))
    order = sum(orders) / max(1, len(orders))
    return dict(zip(MARKS, (words.share, order, cells.share, headings.share), strict=True))


def _lines(texts: Iterable[str]) -> Counter[object]:
    return Counter(" ".join(tokens(text)) for text in texts)


def _neighbours(tables: Iterable[Rows]) -> Counter[object]:
    """Pairs of cells side by side and one below the other, empty ones left out: the measure of the
    ICDAR 2013 table competition."""
    found: Counter[object] = Counter()
    for rows in tables:
        grid = [[" ".join(tokens(cell)) for cell in row] for row in rows]
        width = max((len(row) for row in grid), default=0)
        columns = [[row[at] if at < len(row) else "" for row in grid] for at in range(width)]
        for way, lines in (("right", grid), ("below", columns)):
            for line in lines:
                told = [cell for cell in line if cell]
                found.update((way, one, two) for one, two in pairwise(told))
    return found


def _order(read: Sequence[str], told: Sequence[str]) -> float:
    """Of the words that stand once in the paper, how many can be read one after the other."""
    once = {word for word, count in Counter(told).items() if count == 1}
    places = {word: at for at, word in enumerate(told) if word in once}
    seen: dict[str, int] = {}
    for at, word in enumerate(read):
        if word in places:
            seen.setdefault(word, at)
    tails: list[int] = []
    for word in sorted(seen, key=lambda word: seen[word]):
        place = bisect_left(tails, places[word])
        tails[place : place + 1] = [places[word]]
    return len(tails) / max(1, len(places))
