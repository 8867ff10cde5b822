"""Notes that readers wrote on a PDF's page: each a block `Note: …` below the text.

Comments (Text) and what was written on the page (FreeText) are told; marks without words are not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.documents import Block, Page
from ingestion.page_text import one_line, tidy

_NOTES_MAX = 500  # on one page
_TEXT_MAX = 8_000  # characters of a note
_HIDDEN = 0b100010  # hidden, not viewed


def with_notes(page: Page, held: Any) -> Page:
    """`page` with its notes; words that its text has already are not told again."""
    import pypdfium2.raw as raw

    if not raw.FPDFPage_GetAnnotCount(held.raw):
        return page
    text, blocks = page.text, list(page.blocks)
    known = one_line(text)
    for said in dict.fromkeys(_notes(raw, held)):
        if said in known:
            continue
        line = f"Note: {said}"
        text += "\n\n" if text else ""
        blocks.append(Block("quote", len(text), len(text) + len(line)))
        text += line
    return replace(page, text=text, blocks=tuple(blocks))


def _notes(raw: Any, held: Any) -> Iterator[str]:
    for number in range(min(raw.FPDFPage_GetAnnotCount(held.raw), _NOTES_MAX)):
        annotation = raw.FPDFPage_GetAnnot(held.raw, number)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            hidden = raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN
            if kind in (raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_FREETEXT) and not hidden:
                said = one_line(tidy(_contents(raw, annotation)))
                if said:
                    yield said
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _contents(raw: Any, annotation: Any) -> str:
    size = raw.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0)
    if not 2 < size <= 4 * _TEXT_MAX:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    raw.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")
