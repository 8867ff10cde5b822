"""The fields of a PDF's form with what was filled in, each as a block `name: value`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from core.documents import Block, Page
from ingestion.page_text import one_line, tidy

_FIELDS_MAX = 2_000  # on one page
_TEXT_MAX = 8_000  # characters of a value


def with_fields(page: Page, held: Any, form: Any) -> Page:
    """`page` with its fields below the text; one without a value stays away."""
    import pypdfium2.raw as raw

    text, blocks = page.text, list(page.blocks)
    told: set[str] = set()
    for name, value in _fields(raw, held, form):
        line = f"{name}: {value}"
        if line in told:
            continue
        told.add(line)
        text += "\n\n" if text else ""
        blocks.append(Block("field", len(text), len(text) + len(line)))
        text += line
    return replace(page, text=text, blocks=tuple(blocks)) if told else page


def _fields(raw: Any, held: Any, form: Any) -> Iterator[tuple[str, str]]:
    for number in range(min(raw.FPDFPage_GetAnnotCount(held.raw), _FIELDS_MAX)):
        annotation = raw.FPDFPage_GetAnnot(held.raw, number)
        if not annotation:
            continue
        try:
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
                yield from _field(raw, form, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(raw: Any, form: Any, annotation: Any) -> Iterator[tuple[str, str]]:
    def told(function: Any) -> str:
        return one_line(tidy(_string(lambda *rest: function(form, annotation, *rest))))

    name = told(raw.FPDFAnnot_GetFormFieldName)
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE) or not name:
        return
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        if raw.FPDFAnnot_IsChecked(form, annotation):
            said = told(raw.FPDFAnnot_GetFormFieldExportValue)
            yield name, "yes" if said.lower() in ("", "on", "yes", "1", "true") else said
        elif kind == raw.FPDF_FORMFIELD_CHECKBOX:
            yield name, "no"
        return
    value = told(raw.FPDFAnnot_GetFormFieldValue)[:_TEXT_MAX]
    if value:
        yield name, value


def _string(ask: Callable[..., int]) -> str:
    """UTF-16 that pdfium writes into a buffer of the size that it names; bytes."""
    size = ask(None, 0)
    if not 2 < size <= 4 * _TEXT_MAX:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    ask(buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")
