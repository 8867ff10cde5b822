"""ODP: a page for each slide with its title, texts, tables and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.documents import Cell, Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.odf import (
    DRAW,
    PRESENTATION,
    STYLE,
    TABLE,
    TEXT,
    check_readable,
    metadata_of_odf,
    whole,
    words,
)  # fmt: skip
from ingestion.page_text import PageText, one_line
from ingestion.parts import Parts
from ingestion.values import typed_cell

_PAGE, _FRAME, _NOTES = f"{DRAW}page", f"{DRAW}frame", f"{PRESENTATION}notes"
_CLASS = f"{PRESENTATION}class"
_P, _H, _LIST, _CELL = f"{TEXT}p", f"{TEXT}h", f"{TEXT}list", f"{TABLE}table-cell"
_LEFT_OUT = ("page-number", "header", "date-time", "page", "handout")
_TITLE_MAX = 300
_COLUMNS = 512
_DEPTH_MAX = 100


def read(data: bytes, limits: Limits) -> Document:
    """Hidden slides are read too and named in `metadata`."""
    parts = Parts(data, limits)
    check_readable(parts)
    root = parts.tree("content.xml")
    slides = list(root.iter(_PAGE))
    if not slides:
        raise Unfinishable("The presentation has no slides.", code="no_pages")
    unseen = _hidden(root)
    deck = _Deck(limits)
    for number, slide in enumerate(slides[: limits.pages], 1):
        deck.slide(number, slide)
    metadata = metadata_of_odf(parts)
    if hidden := [n for n, one in enumerate(slides, 1) if one.get(f"{DRAW}style-name") in unseen]:
        metadata["hidden_slides"] = hidden
    if len(slides) > limits.pages:
        deck.warnings.append(f"Reading stopped after {limits.pages} slides: page limit.")
    return Document(
        "odp", tuple(deck.pages), title=metadata.pop("title", None) or deck.title,
        metadata=metadata, warnings=tuple(deck.warnings),
    )  # fmt: skip


def _hidden(root: Any) -> set[str]:
    return {
        str(style.get(f"{STYLE}name"))
        for style in root.iter(f"{STYLE}style")
        for told in style.iter(f"{STYLE}drawing-page-properties")
        if told.get(f"{PRESENTATION}visibility") == "hidden"
    }


class _Deck:
    def __init__(self, limits: Limits) -> None:
        self.pages: list[Page] = []
        self.warnings: list[str] = []
        self.title: str | None = None
        self._cells = limits.cells
        self._left = limits.output_bytes // 4
        self._now = PageText()

    def slide(self, number: int, element: Any) -> None:
        self._now = PageText()
        shapes = [one for one in element if one.tag != _NOTES]
        for shape in sorted(shapes, key=lambda one: one.get(_CLASS) != "title"):
            if shape.get(_CLASS) not in _LEFT_OUT:
                self._shape(shape)
        notes = [
            words(p)
            for held in element.iterfind(_NOTES)
            for frame in held.iter(_FRAME)
            if frame.get(_CLASS) not in _LEFT_OUT
            for p in frame.iter(_P)
        ]
        if any(note.strip() for note in notes):
            self._put("paragraph", "Notes: " + "\n".join(notes).strip())
        self.pages.append(self._now.page(number))

    def _shape(self, shape: Any) -> None:
        kind = shape.get(_CLASS)
        if kind in ("title", "subtitle"):
            text = one_line(" ".join(words(p) for p in shape.iter(_P)))
            short = len(text) < _TITLE_MAX
            self._put("heading" if short else "paragraph", text, 1 if kind == "title" else 2)
            if kind == "title":
                self.title = self.title or text[:200] or None
            return
        for element in _outer(shape):
            if element.tag == f"{TABLE}table":
                self._table(element)
            elif depth := sum(1 for _ in element.iterancestors(_LIST)):
                last = self._now.blocks[-1].kind if self._now.blocks else ""
                gap = "\n" if last == "list_item" else "\n\n"
                self._put("list_item", words(element), min(depth, _DEPTH_MAX), gap)
            else:
                self._put("paragraph", words(element))

    def _table(self, table: Any) -> None:
        rows: list[list[Cell]] = []
        for row in table.iter(f"{TABLE}table-row"):
            cells: list[Cell] = []
            col = 0
            for cell in row:
                if cell.tag == _CELL and col < _COLUMNS:
                    text = one_line(" ".join(words(p) for p in cell.iter(_P, _H)))
                    cells.append(typed_cell(text, len(rows), col)._replace(
                        rowspan=whole(cell.get(f"{TABLE}number-rows-spanned"), 1, 10_000),
                        colspan=whole(cell.get(f"{TABLE}number-columns-spanned"), 1, _COLUMNS),
                    ))  # fmt: skip
                col += whole(cell.get(f"{TABLE}number-columns-repeated"), 1, _COLUMNS)
            self._cells -= len(cells)
            self._spend(sum(len(cell.text) for cell in cells))
            if cells:
                rows.append(cells)
            if self._cells <= 0:
                self.warnings.append("Reading of tables stopped: cell limit.")
                break
        self._now.add_table(rows)

    def _put(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> None:
        self._spend(len(text))
        self._now.add(kind, text, level, gap)

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise Unfinishable("The presentation has too much content.", code="limit_memory")


def _outer(shape: Any) -> Iterator[Any]:
    """Paragraphs and tables in order; what is in a table belongs to it."""
    for element in shape.iter(_P, _H, f"{TABLE}table"):
        if next(element.iterancestors(f"{TABLE}table"), None) is None:
            yield element
