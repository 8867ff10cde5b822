"""The words of a page by line, and the parts of a line that stand apart."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from operator import gt, itemgetter

from ingestion.pdf_glyphs import Piece

Segments = list[list[Piece]]


def text_lines(words: list[Piece]) -> list[list[Piece]]:
    """Words by line from the top, and from the left within a line."""
    if len(words) < 2:
        return [words] if words else []
    levels = [word[2] + word[4] for word in words]  # twice the middles
    if any(map(gt, levels, levels[1:])):
        words = sorted(words, key=_level)
        levels.sort()
    lines: list[list[Piece]] = []
    line: list[Piece] = []
    middle, half = levels[0], -1.0  # of the line's first word, nine tenths of its height
    for word, at in zip(words, levels, strict=True):
        if at - middle <= half and at - middle <= (word[4] - word[2]) * 0.9:
            line.append(word)
        else:
            line = [word]
            lines.append(line)
            middle, half = at, (word[4] - word[2]) * 0.9
    for line in lines:
        line.sort(key=_from_left)
    return lines


_from_left = itemgetter(1)


def _level(word: Piece) -> float:
    return word[2] + word[4]


def segments(line: list[Piece]) -> Segments:
    """A line cut at gaps wider than its letters are high."""
    edge, widest, lowest = line[0].x0, 0.0, inf
    for _text, x0, y0, x1, y1, _bold in line:
        if x0 - edge > widest:
            widest = x0 - edge
        if y1 - y0 < lowest:
            lowest = y1 - y0
        edge = x1
    if widest <= 0.95 * lowest:
        return [line]
    parts: Segments = []
    first = 0
    for at, ((_t, _x, y0, x1, y1, _b), (_t2, x2, y2, _x2, y3, _b2)) in enumerate(pairwise(line), 1):
        gap = x2 - x1
        if gap > 0.95 * (y1 - y0) or gap > 0.95 * (y3 - y2):
            parts.append(line[first:at])
            first = at
    parts.append(line[first:] if first else line)
    return parts
