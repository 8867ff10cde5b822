"""What pdfium knows of a page: words with boxes, by the way they are turned. Points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from operator import gt, le, mul, ne, sub
from typing import Any, NamedTuple

from ingestion.pdf_chars import angles, boxes, heavy, text_of

# A hyphen at a line's end ends its word: pdfium writes the next line's part right behind it.
_CUT_WORD = re.compile(r"[^\s\x02\ufffe]+[\x02\ufffe]?|[\x02\ufffe]")
_WORD = re.compile(r"\S+")  # where there is none, in a third of the time
_BLANK = str.maketrans({"\uffff": " ", "\x00": " "})
_MARKS = str.maketrans({"\x02": "-", "\ufffe": "-", "\u00ad": "-"})
_MARKED = re.compile("[\x00\x02\u00ad\ufffe\uffff]")
_STRANGE = re.compile("[\x00\x01\x03-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\uffff]")
_BLANKS = str.maketrans(dict.fromkeys(" \t\r\n"))
SLANTED = 4  # a quarter that no page has: stamps and watermarks
Box = tuple[float, float, float, float]


class Piece(NamedTuple):
    """A word, its box with the origin top left."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    bold: bool = False

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


class Line(NamedTuple):
    """A ruling line: at `at`, from `low` to `high` along the other axis."""

    at: float
    low: float
    high: float


@dataclass(slots=True)
class PageGlyphs:
    """The words of one direction, as a reader sees them who turns the page for it."""

    width: float
    height: float
    words: list[Piece] = field(default_factory=list)
    across: list[Line] = field(default_factory=list)  # horizontal, `at` is y
    down: list[Line] = field(default_factory=list)  # vertical, `at` is x
    seen: Callable[[Sequence[Piece]], Sequence[Piece]] | None = None  # on the page as it lies
    quarter: int = 0  # turned clockwise so often from page space; SLANTED


class Directions(NamedTuple):
    """A page's words by direction, the most used first and slanted ones last."""

    found: list[PageGlyphs]
    lies: Turn
    unknown: float  # share of characters that the fonts give no meaning


class Turn:
    """Page space (origin bottom left, unrotated) to what a reader sees."""

    def __init__(self, bounds: Box, quarter: int) -> None:
        self.left, self.bottom, self.right, self.top = bounds
        self.quarter = quarter
        wide, high = self.right - self.left, self.top - self.bottom
        self.width, self.height = (high, wide) if quarter % 2 else (wide, high)

    def turned(self, quarter: int) -> Turn:
        return Turn((self.left, self.bottom, self.right, self.top), quarter)

    def box(self, l: float, b: float, r: float, t: float) -> Box:  # noqa: E741
        if self.quarter == 0:
            return l - self.left, self.top - t, r - self.left, self.top - b
        if self.quarter == 1:
            return b - self.bottom, l - self.left, t - self.bottom, r - self.left
        if self.quarter == 2:
            return self.right - r, b - self.bottom, self.right - l, t - self.bottom
        return self.top - t, self.right - r, self.top - b, self.right - l

    def back(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Left, bottom, right and top in page space."""
        if self.quarter == 0:
            return x0 + self.left, self.top - y1, x1 + self.left, self.top - y0
        if self.quarter == 1:
            return y0 + self.left, x0 + self.bottom, y1 + self.left, x1 + self.bottom
        if self.quarter == 2:
            return self.right - x1, y0 + self.bottom, self.right - x0, y1 + self.bottom
        return self.right - y1, self.top - x1, self.right - y0, self.top - x0


def glyphs(page: Any) -> Directions:
    import pypdfium2.raw as raw

    text_page = raw.FPDFText_LoadPage(page.raw)
    if not text_page:
        raise ValueError("the page has no readable text layer")
    try:
        lies = Turn(page.get_bbox(), page.get_rotation() // 90 % 4)
        text = text_of(text_page)
        return Directions(_directions(text_page, text, lies), lies, _unknown(text))
    finally:
        raw.FPDFText_ClosePage(text_page)


def _unknown(text: str) -> float:
    """No Unicode, a private one, or a control character: what a font without a map leaves."""
    if not _STRANGE.search(text):
        return 0.0
    signs = text.translate(_BLANKS)
    return len(_STRANGE.findall(signs)) / max(1, len(signs))


def _directions(text_page: Any, text: str, lies: Turn) -> list[PageGlyphs]:
    words, turned = _words(text_page, text, lies.turned(0))
    if not turned and not lies.quarter:
        return [PageGlyphs(lies.width, lies.height, words)]
    upright = lies.turned(0)
    groups: dict[int, list[Piece]] = {}
    for at, (told, *box, bold) in enumerate(words):
        quarter = turned.get(at, 0)
        turn = lies if quarter == SLANTED else lies.turned(quarter)
        groups.setdefault(quarter, []).append(Piece(told, *turn.box(*upright.back(*box)), bold))
    order = sorted(groups, key=lambda q: (q == SLANTED, -len(groups[q]), q != lies.quarter))
    return [_group(quarter, groups[quarter], lies) for quarter in order or [lies.quarter]]


def _group(quarter: int, words: list[Piece], lies: Turn) -> PageGlyphs:
    if quarter in (SLANTED, lies.quarter):
        return PageGlyphs(lies.width, lies.height, words, quarter=quarter)
    turn = lies.turned(quarter)

    def seen(pieces: Sequence[Piece]) -> list[Piece]:
        return [Piece(told, *lies.box(*turn.back(*box)), bold) for told, *box, bold in pieces]

    return PageGlyphs(turn.width, turn.height, words, seen=seen, quarter=quarter)


# Left, top, right and bottom of many boxes, in page space.
_Columns = Sequence[Sequence[float]]
_Found = tuple[list[str], list[int], list[int]]  # words, their first and their last characters


def _found(text: str, word: re.Pattern[str]) -> _Found:
    found = list(word.finditer(text))
    starts, ends = [match.start() for match in found], [match.end() - 1 for match in found]
    return [match[0] for match in found], starts, ends


def split(text: str) -> _Found:
    """Words, their first and their last characters, where white space alone tells them apart:
    hardly ever other than these three."""
    words = text.split()
    parts = text.replace("\r", " ").replace("\n", " ").split(" ")
    if list(filter(None, parts)) != words:
        return _found(text, _WORD)
    starts, ends = [], []
    at = 0
    for part in parts:
        if part:
            starts.append(at)
            at += len(part)
            ends.append(at - 1)
        at += 1
    return words, starts, ends


def _words(text_page: Any, text: str, turn: Turn) -> tuple[list[Piece], dict[int, int]]:
    """Words as on an unturned page, and the quarters of those that do not run from the left."""
    marked = _MARKED.search(text)
    if marked:
        text = text.translate(_BLANK)
    texts, starts, ends = _found(text, _CUT_WORD) if marked else split(text)
    if marked:
        texts = [word.translate(_MARKS) for word in texts]
    heaviness = heavy(text_page, text)
    bold = [heaviness[at] for at in starts] if heaviness else [False] * len(starts)
    known, sides = boxes(text_page, [*starts, *ends])
    half = len(sides) // 2
    firsts: _Columns = [sides[at:half:4] for at in range(4)]
    lasts: _Columns = [sides[half + at :: 4] for at in range(4)]
    if not all(known):
        kept = list(map(mul, known, known[len(starts) :]))
        starts, texts = list(compress(starts, kept)), list(compress(texts, kept))
        bold = list(compress(bold, kept))
        firsts, lasts = ([list(compress(side, kept)) for side in box] for box in (firsts, lasts))
    words, odd = _placed(texts, firsts, lasts, bold, turn)
    return words, _turned(text_page, starts) if odd else {}


def _placed(
    texts: list[str], firsts: _Columns, lasts: _Columns, bold: list[bool], turn: Turn
) -> tuple[list[Piece], bool]:
    """Words by the boxes of their first and last characters, and whether some may be turned."""
    left, top = turn.left, turn.top
    x0: Iterable[float] = firsts[0]
    x1: Iterable[float] = lasts[2]
    if left:
        x0, x1 = map(sub, x0, repeat(left)), map(sub, x1, repeat(left))
    y0, y1 = [top - side for side in firsts[1]], [top - side for side in firsts[3]]
    columns = zip(texts, x0, y0, x1, y1, bold)  # noqa: B905 - the others have no length
    words: list[Piece] = list(map(tuple.__new__, repeat(Piece), columns))  # a third of the time
    odd = False
    for at in _uneven(firsts, lasts):
        l, t, r, b = (side[at] for side in firsts)  # noqa: E741
        l2, t2, r2, b2 = (side[at] for side in lasts)
        odd = odd or l2 < l or abs(t2 - t) > 1 + 0.3 * abs(r2 - r)
        box = min(l, l2) - left, top - max(t, t2), max(r, r2) - left, top - min(b, b2)
        words[at] = Piece(texts[at], *box, bold[at])
    return words, odd


def _uneven(firsts: _Columns, lasts: _Columns) -> Iterable[int]:
    """Words whose characters differ in height, or do not run to the right: few."""
    if firsts[1] == lasts[1] and firsts[3] == lasts[3] and all(map(le, firsts[0], lasts[0])):
        return ()
    pairs = (map(ne, firsts[1], lasts[1]), map(ne, firsts[3], lasts[3]))
    either = map(any, zip(*pairs, map(gt, firsts[0], lasts[0]), strict=True))
    return compress(range(len(firsts[0])), either)


def _turned(text_page: Any, starts: list[int]) -> dict[int, int]:
    found = {}
    for at, quarters in enumerate(angles(text_page, starts)):
        nearest = round(quarters)
        if abs(quarters - nearest) > 0.1:
            found[at] = SLANTED
        elif nearest % 4:
            found[at] = -nearest % 4
    return found
