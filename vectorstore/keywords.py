"""Keyword search inside one segment: sorted words, their postings, and BM25 over all segments.

Every passage is counted, and asked, in its own language: a word of a question counts in it as that
language's stem.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from vectorstore.languages import ENGLISH, LANGUAGES
from vectorstore.packing import Array, Texts, texts
from vectorstore.words import RULES, Asked, Said, forget, language, said, split

# Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009; values of decision 0023.
K1 = 1.5
B = 0.75
_HEARD = 2_000  # passages whose languages tell that of one which does not tell
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """Rows that hold a word of the question, each once, and how often."""

    times: int  # in the question
    rows: Array
    counts: Array


Places = Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the whole shelf, so that scores of its segments can be compared."""

    rows: int
    mean_length: float
    frequency: Mapping[str, int]  # word → rows that hold it

    def weight(self, word: str) -> float:
        """Lucene's: never below 0."""
        holds = self.frequency[word]
        return float(np.log1p((self.rows - holds + 0.5) / (holds + 0.5)))


@dataclass(frozen=True, slots=True)
class Postings:
    """`rows[starts[w]:starts[w+1]]` hold word `w`, `counts` times each."""

    vocabulary: Texts
    starts: Array
    rows: Array
    counts: Array
    lengths: Array
    languages: Array  # of each row, a place in `LANGUAGES`
    spoken: tuple[int, ...]  # those that occur
    length: int  # of all rows together, in words

    def find(self, word: str) -> slice | None:
        key = word.encode()
        at = bisect_left(self.vocabulary, key)
        if at == len(self.vocabulary) or self.vocabulary[at] != key:
            return None
        return slice(int(self.starts[at]), int(self.starts[at + 1]))

    def look_up(self, asked: Mapping[str, Asked]) -> Places:
        found = ((word, self._place(one)) for word, one in asked.items())
        return {word: place for word, place in found if place is not None}

    def _place(self, asked: Asked) -> Place | None:
        """Where the word stands, in each row as its language's stem."""
        speakers: dict[str, list[int]] = {}
        for number in self.spoken:
            speakers.setdefault(asked.forms[number], []).append(number)
        pieces = [
            self._held(place, numbers if len(speakers) > 1 else None)
            for form, numbers in speakers.items()
            if (place := self.find(form)) is not None
        ]
        if len(pieces) <= 1:
            return Place(asked.times, *pieces[0]) if pieces else None
        rows, counts = zip(*pieces, strict=True)
        return Place(asked.times, np.concatenate(rows), np.concatenate(counts))

    def _held(self, place: slice, numbers: Sequence[int] | None) -> tuple[Array, Array]:
        """Rows and counts, only of rows in these languages (None: in all)."""
        rows, counts = self.rows[place], self.counts[place]
        if numbers is None:
            return rows, counts
        speaks = np.isin(self.languages[rows], numbers)
        return rows[speaks], counts[speaks]

    def scores(self, places: Places, of: Statistics) -> Floats:
        """BM25 of every row, float32; 0 where no asked word occurs."""
        total = np.zeros(len(self.lengths), np.float32)
        for word, place in places.items():
            counts = place.counts.astype(np.float32)
            length = self.lengths[place.rows] / np.float32(of.mean_length or 1.0)
            gain = counts * (K1 + 1) / (counts + K1 * (1 - B + B * length))
            total[place.rows] += place.times * of.weight(word) * gain
        return total


def index(passages: Sequence[str]) -> dict[str, Array]:
    """The arrays of `Postings` for passages in row order."""
    places: dict[str, int] = {}
    words, rows, counts = array("L"), array("L"), array("L")
    lengths = np.zeros(len(passages), "<u4")
    languages = np.zeros(len(passages), "u1")
    for row, (name, one) in enumerate(_said(passages)):
        lengths[row], languages[row] = one.length, LANGUAGES.index(name)
        words.extend([places.setdefault(word, len(places)) for word in one.words])
        rows.extend([row] * len(one.words))
        counts.extend(one.words.values())
    if len(passages) > _HEARD:
        forget()
    keys = sorted(places, key=str.encode)
    ranks = np.empty(len(keys), np.int64)
    ranks[[places[key] for key in keys]] = np.arange(len(keys))
    ranked = ranks[np.array(words, np.int64)]
    order = np.argsort(ranked, kind="stable")
    return _arrays(
        texts(keys),
        np.bincount(ranked, minlength=len(keys)),
        np.array(rows)[order].astype("<u4"),
        np.minimum(np.array(counts), 0xFFFF)[order].astype("<u2"),
        lengths,
        languages,
    )


def _said(passages: Sequence[str]) -> Iterator[tuple[str, Said]]:
    """Each passage's language, and its words in it. One that does not tell, such as a row of
    numbers, is in the language of most others."""
    begun = [(words, language(words)) for words in map(split, passages[:_HEARD])]
    most = Counter(name for _, name in begun if name is not None).most_common(1)
    usual = most[0][0] if most else ENGLISH
    further = ((words, language(words)) for words in map(split, passages[_HEARD:]))
    for words, name in chain(begun, further):
        yield name or usual, said(words, name or usual)


def merged(parts: Sequence[tuple[Postings, Ints]]) -> dict[str, Array]:
    """The arrays over the kept rows of each part, in that order, without reading text again."""
    every = sorted({word for postings, _ in parts for word in postings.vocabulary})
    place = {word: at for at, word in enumerate(every)}
    words_, rows, counts, base = [], [], [], 0
    for postings, keep in parts:
        moved = np.full(len(postings.lengths), -1, np.int64)
        moved[keep] = np.arange(base, base + len(keep))
        base += len(keep)
        own = np.array([place[word] for word in postings.vocabulary], np.int64)
        row = moved[postings.rows]
        words_.append(np.repeat(own, np.diff(postings.starts))[row >= 0])
        rows.append(row[row >= 0])
        counts.append(postings.counts[row >= 0])
    word, row = np.concatenate(words_), np.concatenate(rows)
    order = np.lexsort((row, word))
    held = np.bincount(word, minlength=len(every))
    return _arrays(
        texts([str(every[at], "utf-8") for at in np.flatnonzero(held)]),
        held[held > 0],
        row[order].astype("<u4"),
        np.concatenate(counts)[order].astype("<u2"),
        np.concatenate([postings.lengths[keep] for postings, keep in parts]),
        np.concatenate([postings.languages[keep] for postings, keep in parts]),
    )


def _arrays(
    vocabulary: dict[str, Array], held: Sequence[int] | Array, rows: Array, counts: Array,
    lengths: Array, languages: Array,
) -> dict[str, Array]:  # fmt: skip
    starts = np.zeros(len(held) + 1, "<i8")
    np.cumsum(held, out=starts[1:])
    return {
        "rules": np.array([RULES], "u1"),
        "word_blob": vocabulary["blob"], "word_ends": vocabulary["ends"], "starts": starts,
        "rows": rows, "counts": counts, "lengths": lengths, "languages": languages,
    }  # fmt: skip


def opened(arrays: Mapping[str, Array], passages: Callable[[], Sequence[str]]) -> Postings:
    """`passages` are read, and counted anew, only if other rules made the arrays; a merge then
    writes what was counted."""
    if "rules" not in arrays or int(arrays["rules"][0]) != RULES:
        arrays = index(passages())
    return Postings(
        Texts(arrays["word_blob"], arrays["word_ends"]),
        arrays["starts"], arrays["rows"], arrays["counts"], arrays["lengths"],
        arrays["languages"], tuple(np.unique(arrays["languages"]).tolist()),
        int(arrays["lengths"].sum()),
    )  # fmt: skip


def statistics(parts: Sequence[tuple[Postings, Places]]) -> Statistics:
    rows = sum(len(part.lengths) for part, _ in parts)
    length = sum(part.length for part, _ in parts)
    frequency: Counter[str] = Counter()
    for _, places in parts:
        frequency.update({word: len(place.rows) for word, place in places.items()})
    return Statistics(rows, length / rows if rows else 0.0, frequency)
