"""Words seen on a picture as a page: the layout is the one of printed text, places in points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import atan2, cos, sin
from statistics import median

from core.documents import Page, Word
from ingestion.paging import Look, Raster, Seen
from ingestion.pdf_glyphs import PageGlyphs, Piece
from ingestion.pdf_layout import page_of

_SLOPED = 0.002  # radians: over an A4 line, a tenth of its height

_AIR = 0.12  # of a line's letters, above and below: what a font's own box has more than they


def page_seen(raster: Raster, look: Look) -> Page:
    """The page as it was turned to be read, in points by the raster's resolution.

    The layout is told by the lines as if they lay straight and were of one height; the words keep
    the places where they were seen."""
    point = 72 / raster.dpi
    wide, high = raster.width * point, raster.height * point
    if look.quarters % 2:
        wide, high = high, wide
    pieces = _straight(look.words, point)
    page = page_of(PageGlyphs(wide, high, pieces), raster.number)
    seen = {_key(piece): word for piece, word in zip(pieces, look.words, strict=True)}
    words = tuple(_lying(word, seen.get(_key(word)), point) for word in page.words)
    return replace(page, layer="ocr", words=words)


def _key(word: Piece | Word) -> tuple[str, int, int]:
    """Places are kept to a tenth of a point, cut off."""
    return word.text, int(word.x0 * 10 + 0.01), int(word.y0 * 10 + 0.01)


def _lying(word: Word, seen: Seen | None, point: float) -> Word:
    if seen is None:
        return replace(word, confidence=0.5)
    x0, y0, x1, y1 = (
        int(value * point * 10) / 10 for value in (seen.x0, seen.y0, seen.x1, seen.y1)
    )
    return Word(word.text, word.start, x0, y0, x1, y1, round(seen.confidence, 3))


def _straight(words: Sequence[Seen], point: float) -> list[Piece]:
    """Turned back by the slope of the lines; words of a line get its top and bottom."""
    lines: dict[int, list[int]] = defaultdict(list)
    for at, word in enumerate(words):
        lines[word.line].append(at)
    angle = _slope([[words[at] for at in line] for line in lines.values()])
    boxes = [_turned(word, angle) for word in words]
    pieces: list[Piece] = [Piece(word.text, *box) for word, box in zip(words, boxes, strict=True)]
    for line in lines.values():
        tall = max(boxes[at][3] - boxes[at][1] for at in line)
        top, bottom = min(boxes[at][1] for at in line), max(boxes[at][3] for at in line)
        one_height = bottom - top < 1.6 * tall
        for at in line:
            x0, y0, x1, y1 = boxes[at]
            if one_height:
                y0, y1 = top - _AIR * tall, bottom + _AIR * tall
            pieces[at] = Piece(words[at].text, x0 * point, y0 * point, x1 * point, y1 * point)
    return pieces


def _slope(lines: list[list[Seen]]) -> float:
    """Of most long lines, in radians; 0 where the page lies straight."""
    slopes = []
    for line in lines:
        if len(line) < 3:
            continue
        first, last = line[0], line[-1]
        wide = last.x1 + last.x0 - first.x1 - first.x0
        if wide > 8 * (first.y1 - first.y0):
            slopes.append(atan2(last.y0 + last.y1 - first.y0 - first.y1, wide))
    angle = median(slopes) if len(slopes) >= 3 else 0.0
    return angle if abs(angle) > _SLOPED else 0.0


def _turned(word: Seen, angle: float) -> tuple[float, float, float, float]:
    if not angle:
        return word.x0, word.y0, word.x1, word.y1
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    c, s = cos(angle), sin(angle)
    x, y = x * c + y * s, y * c - x * s
    half_wide, half_high = (word.x1 - word.x0) / 2, (word.y1 - word.y0) / 2
    return x - half_wide, y - half_high, x + half_wide, y + half_high
