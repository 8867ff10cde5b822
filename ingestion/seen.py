"""Words seen on a picture as a page: the layout is the one of printed text, places in points."""

from __future__ import annotations

from dataclasses import replace

from core.documents import Page, Word
from ingestion.paging import Raster, Seen
from ingestion.pdf_glyphs import PageGlyphs, Piece
from ingestion.pdf_layout import page_of


def page_seen(raster: Raster, words: list[Seen], width: float, height: float) -> Page:
    """`width` and `height` are the page's in points; 0 takes them from the raster's resolution."""
    width = width or raster.width * 72 / raster.dpi
    height = height or raster.height * 72 / raster.dpi
    across, down = width / max(1, raster.width), height / max(1, raster.height)
    pieces = [
        Piece(word.text, word.x0 * across, word.y0 * down, word.x1 * across, word.y1 * down)
        for word in words
    ]
    page = page_of(PageGlyphs(width, height, pieces), raster.number)
    sure = {
        (word.text, int(piece.x0 * 10), int(piece.y0 * 10)): word.confidence
        for word, piece in zip(words, pieces, strict=True)
    }
    return replace(page, layer="ocr", words=tuple(_sure(word, sure) for word in page.words))


def _sure(word: Word, sure: dict[tuple[str, int, int], float]) -> Word:
    found = sure.get((word.text, round(word.x0 * 10), round(word.y0 * 10)), 0.5)
    return replace(word, confidence=round(found, 3))
