"""A PDF's page as a picture, for those whose text is missing or cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.documents import Page
from ingestion.limits import Limits
from ingestion.paging import PageReading, Raster
from ingestion.seen import page_seen

DPI = 300.0


def seen(pdf: Any, page: Page, limits: Limits) -> PageReading:
    """`page` as it was seen; itself, marked, where it is blank or nobody looks."""
    held = pdf[page.number - 1]
    try:
        if page.layer != "broken" and not _shows_something(held):
            return replace(page, layer="empty")
        raster = _raster(held, page.number, limits)
    finally:
        held.close()
    words = yield raster
    if words is None:
        return replace(page, layer="broken" if page.layer == "broken" else "empty")
    return page_seen(raster, words)


def _shows_something(held: Any) -> bool:
    """Pictures, shadings and forms; letters drawn as lines are many paths."""
    import pypdfium2.raw as raw

    paths = 0
    for number in range(min(raw.FPDFPage_CountObjects(held.raw), 2_000)):
        kind = raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(held.raw, number))
        if kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_FORM):
            return True
        paths += kind == raw.FPDF_PAGEOBJ_PATH
    return paths > 50


def _raster(held: Any, number: int, limits: Limits) -> Raster:
    if limits.ocr_seconds <= 0:
        return Raster(number, 0, 0, DPI, b"")  # nobody looks: only that there is something
    wide, high = held.get_size()
    most = (limits.raster_pixels / max(1.0, wide * high)) ** 0.5 * 0.99
    scale = min(DPI / 72, most)
    bitmap = held.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        rows = bytes(bitmap.buffer)
    finally:
        bitmap.close()
    if stride != width:
        rows = b"".join(rows[at : at + width] for at in range(0, stride * height, stride))
    return Raster(number, width, height, scale * 72, rows)
