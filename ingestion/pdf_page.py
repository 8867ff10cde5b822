"""A page in the making whose words keep their boxes, packed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from core.documents import Page, Word
from core.words import Packed
from ingestion.page_text import PageText
from ingestion.pdf_glyphs import Piece

GAP = "\t"  # between parts of a line that stand far apart
_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")  # Hebrew, Arabic and kin


def _as_read(words: Sequence[Piece]) -> list[Piece]:
    """Words from left to right in the order of a line that is read from the right: numbers and
    words of other scripts between them keep their own."""
    read: list[Piece] = []
    for to_left, run in groupby(reversed(words), lambda word: bool(_TO_LEFT.search(word[0]))):
        told = list(run)
        read += told if to_left else told[::-1]
    return read


class WordPage(PageText):
    """`seen` puts boxes where they are on the page as it lies; None where they are already."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Callable[[Sequence[Piece]], Sequence[Piece]] | None = None
        self._starts: list[int] = []
        self._pieces: list[Piece] = []

    def put_words(self, words: Sequence[Piece], gap: str) -> int:
        """Appends words apart by blanks, after `gap`, and gives where they start."""
        joined = " ".join([word[0] for word in words])
        if not joined.isascii() and _TO_LEFT.search(joined):
            words = _as_read(words)
            joined = " ".join([word[0] for word in words])
        return self._put_apart(words, joined, gap)

    def put_lines(self, lines: Sequence[Sequence[Sequence[Piece]]]) -> int:
        """Appends a block's lines, each of parts that stand apart, and gives where they start."""
        joined = "\n".join(
            [GAP.join([" ".join([word[0] for word in part]) for part in line]) for line in lines]
        )
        if joined.isascii() or not _TO_LEFT.search(joined):
            words = [word for line in lines for part in line for word in part]
            return self._put_apart(words, joined, "\n\n")
        starts = [
            self.put_words(part, GAP if n else "\n" if number else "\n\n")
            for number, line in enumerate(lines)
            for n, part in enumerate(line)
        ]
        return starts[0]

    def _put_apart(self, words: Sequence[Piece], joined: str, gap: str) -> int:
        """Words that are apart by one sign each."""
        at = start = self.line(joined, gap)
        for word in words:
            self._starts.append(at)
            at += len(word[0]) + 1
        self._pieces += words if self.seen is None else self.seen(words)
        return start

    def page(
        self, number: int, *, sheet: str | None = None, width: float = 0.0, height: float = 0.0
    ) -> Page:
        page = super().page(number, sheet=sheet, width=width, height=height)
        if not self._pieces:
            return page
        texts, x0, y0, x1, y1, _bold = zip(*self._pieces, strict=True)
        return replace(page, words=Packed.of(texts, self._starts, (x0, y0, x1, y1), Word))
