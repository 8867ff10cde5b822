"""What lies over the cells of an XLSX sheet: text boxes, SmartArt, titles of charts. A chart's
figures stand in cells and are not told again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.errors import Unfinishable
from ingestion.embedded import Within
from ingestion.limits import Limits
from ingestion.paging import TOO_MUCH
from ingestion.parts import Parts, relations
from ingestion.pptx_shapes import FALLBACK, paragraphs

_BODY = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}txBody"
_FRAME = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}graphicFrame"
_TEXTS_MAX = 2_000  # of one sheet


def texts(parts: Parts, sheet: str, limits: Limits) -> tuple[list[str], tuple[str, ...]]:
    """In the drawing's order, and warnings for what is damaged."""
    found: list[str] = []
    try:
        for one in relations(parts, sheet).values():
            if one.kind == "drawing" and one.target in parts.names:
                within = Within(parts, relations(parts, one.target), limits)
                found += _drawn(parts.tree(one.target), within)
    except Unfinishable as error:
        if error.slug in TOO_MUCH:
            raise
        return found, (f"A drawing over the cells was not read: {error.detail}",)
    return found[:_TEXTS_MAX], ()


def _drawn(node: Any, within: Within) -> Iterator[str]:
    for inner in node:
        if inner.tag == _BODY:
            yield "\n".join(text for text, _level, _listed in paragraphs(inner))
        elif inner.tag == _FRAME:
            for one in within.named(inner):
                title, _rows, words = within.figure(one, 1)
                yield from (title, *words)
        elif inner.tag != FALLBACK:
            yield from _drawn(inner, within)
