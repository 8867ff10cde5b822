"""The ruling lines of a page, from its drawn paths."""

from __future__ import annotations

import ctypes
from itertools import repeat
from typing import Any

from ingestion.pdf_chars import bare
from ingestion.pdf_glyphs import Line, PageGlyphs, Turn

_THIN = 2.6
_PATHS_MAX = 20_000


def rules(page: Any, turn: Turn, found: PageGlyphs) -> None:
    """Puts the lines of `page` into `found`, in the direction of its words."""
    import pypdfium2.raw as raw

    edges = [ctypes.c_float() for _ in range(4)]
    places = [ctypes.byref(edge) for edge in edges]
    for item in _paths(page.raw):
        if raw.FPDFPageObj_GetBounds(item, *places):
            box = turn.box(*(edge.value for edge in edges))
            _rule(raw, item, box, turn, found)


def _paths(page: Any) -> list[Any]:
    """Among the page's objects, most of which are texts."""
    import pypdfium2.raw as raw

    count = min(raw.FPDFPage_CountObjects(page), _PATHS_MAX)
    object_of = bare("FPDFPage_GetObject", result=ctypes.c_void_p)
    items = list(map(object_of, repeat(ctypes.byref(page.contents)), range(count)))
    kinds = map(bare("FPDFPageObj_GetType", ctypes.c_void_p), items)
    return [
        ctypes.cast(item, raw.FPDF_PAGEOBJECT)
        for item, kind in zip(items, kinds, strict=True)
        if kind == raw.FPDF_PAGEOBJ_PATH
    ]


def _rule(raw: Any, item: Any, box: tuple[float, ...], turn: Turn, found: PageGlyphs) -> None:
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    if high <= _THIN < wide:
        found.across.append(Line((y0 + y1) / 2, x0, x1))
    elif wide <= _THIN < high:
        found.down.append(Line((x0 + x1) / 2, y0, y1))
    elif wide > _THIN and not (wide > 0.97 * found.width and high > 0.9 * found.height):
        _segments(raw, item, turn, found)


def _segments(raw: Any, item: Any, turn: Turn, found: PageGlyphs) -> None:
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
