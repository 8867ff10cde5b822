"""What pdfium knows of a page: words with boxes, ruling lines. Points, origin top left."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_WORD = re.compile(r"\S+")
_MARKS = str.maketrans({"\x02": "-", "\ufffe": "-", "\u00ad": "-", "\uffff": None, "\x00": None})
_THIN = 2.6
_PATHS_MAX = 20_000


class Piece(NamedTuple):
    """A word; `index` is its first character's number in pdfium, for asking about its font."""

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
    width: float
    height: float
    words: list[Piece] = field(default_factory=list)
    across: list[Line] = field(default_factory=list)  # horizontal, `at` is y
    down: list[Line] = field(default_factory=list)  # vertical, `at` is x


def glyphs(page: Any) -> PageGlyphs:
    import pypdfium2.raw as raw

    width, height = page.get_size()
    found = PageGlyphs(width, height)
    turn = _Turn(page)
    text_page = raw.FPDFText_LoadPage(page.raw)
    if not text_page:
        raise ValueError("the page has no readable text layer")
    try:
        found.words = _words(raw, text_page, turn)
    finally:
        raw.FPDFText_ClosePage(text_page)
    if found.words:
        _rules(raw, page.raw, turn, found)
    return found


class _Turn:
    """Page space (origin bottom left, unrotated) to what a reader sees."""

    def __init__(self, page: Any) -> None:
        left, bottom, right, top = page.get_bbox()
        self.left, self.bottom, self.right, self.top = left, bottom, right, top
        self.quarter = page.get_rotation() // 90 % 4

    def box(self, l: float, b: float, r: float, t: float) -> tuple[float, float, float, float]:  # noqa: E741
        if self.quarter == 0:
            return l - self.left, self.top - t, r - self.left, self.top - b
        if self.quarter == 1:
            return b - self.bottom, l - self.left, t - self.bottom, r - self.left
        if self.quarter == 2:
            return self.right - r, b - self.bottom, self.right - l, t - self.bottom
        return self.top - t, self.right - r, self.top - b, self.right - l


def _text(raw: Any, text_page: Any) -> str:
    """One character per pdfium character, so that indexes agree."""
    count = raw.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = (raw.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(" " if 0xD800 <= code < 0xE000 else chr(code) if code else " " for code in codes)


def _words(raw: Any, text_page: Any, turn: _Turn) -> list[Piece]:
    rect = raw.FS_RECTF()
    place = ctypes.byref(rect)
    box_of, weight_of = raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetFontWeight
    words = []
    text = _text(raw, text_page)
    marked = any(mark in text for mark in "\x02\ufffe\u00ad\uffff\x00")
    upright = turn.quarter == 0
    for line in _lines(text):
        bold = bool(line) and weight_of(text_page, line[0].start()) >= 600
        for match in line:
            if not box_of(text_page, match.start(), place):
                continue
            l, b, r, t = rect.left, rect.bottom, rect.right, rect.top  # noqa: E741
            if match.end() - match.start() > 1 and box_of(text_page, match.end() - 1, place):
                l, b = min(l, rect.left), min(b, rect.bottom)  # noqa: E741
                r, t = max(r, rect.right), max(t, rect.top)
            told = match[0].translate(_MARKS) if marked else match[0]
            if not told:
                continue
            if upright:
                words.append(
                    Piece(told, l - turn.left, turn.top - t, r - turn.left, turn.top - b, bold)
                )
            else:
                words.append(Piece(told, *turn.box(l, b, r, t), bold))
    return words


def _lines(text: str) -> list[list[re.Match[str]]]:
    """pdfium's own lines, only to ask for the font once in each."""
    lines: list[list[re.Match[str]]] = [[]]
    last = 0
    for match in _WORD.finditer(text):
        if "\n" in text[last : match.start()]:
            lines.append([])
        lines[-1].append(match)
        last = match.end()
    return lines


def _rules(raw: Any, page: Any, turn: _Turn, found: PageGlyphs) -> None:
    edges = [ctypes.c_float() for _ in range(4)]
    places = [ctypes.byref(edge) for edge in edges]
    for number in range(min(raw.FPDFPage_CountObjects(page), _PATHS_MAX)):
        item = raw.FPDFPage_GetObject(page, number)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_PATH:
            continue
        if raw.FPDFPageObj_GetBounds(item, *places):
            box = turn.box(*(edge.value for edge in edges))
            _rule(raw, item, box, turn, found)


def _rule(raw: Any, item: Any, box: tuple[float, ...], turn: _Turn, found: PageGlyphs) -> None:
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    if high <= _THIN < wide:
        found.across.append(Line((y0 + y1) / 2, x0, x1))
    elif wide <= _THIN < high:
        found.down.append(Line((x0 + x1) / 2, y0, y1))
    elif wide > _THIN and not (wide > 0.97 * found.width and high > 0.9 * found.height):
        _segments(raw, item, turn, found)


def _segments(raw: Any, item: Any, turn: _Turn, found: PageGlyphs) -> None:
    """The straight sides of a path: a rectangle's, or a grid's drawn in one go."""
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(item, ctypes.byref(matrix))
    x, y = ctypes.c_float(), ctypes.c_float()
    last = first = (0.0, 0.0)
    for number in range(min(raw.FPDFPath_CountSegments(item), 2_000)):
        segment = raw.FPDFPath_GetPathSegment(item, number)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        px = matrix.a * x.value + matrix.c * y.value + matrix.e
        py = matrix.b * x.value + matrix.d * y.value + matrix.f
        point = turn.box(px, py, px, py)[:2]
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            _side(found, last, point)
        if raw.FPDFPathSegment_GetClose(segment):
            _side(found, point, first)
        last = point


def _side(found: PageGlyphs, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    if abs(y0 - y1) < 1 < abs(x0 - x1):
        found.across.append(Line((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
    elif abs(x0 - x1) < 1 < abs(y0 - y1):
        found.down.append(Line((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
