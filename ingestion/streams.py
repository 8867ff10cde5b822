"""Every reader as one that hands over pages; runs in the parser's child only."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from core.documents import Document, Page
from ingestion import readers
from ingestion.kinds import document_type, language
from ingestion.limits import Limits
from ingestion.paging import Kind, Opened, Reading

# Modules with `pages(data, limits, password, first)`; the others read a file in one go.
_BY_PAGE = {
    "pdf": "pdf", "png": "images", "jpeg": "images", "tiff": "images", "webp": "images",
    "bmp": "images", "gif": "images", "heic": "images",
}  # fmt: skip
_SHOWING = 5  # pages that show what a document is


def stream(
    data: bytes, filename: str, format: str, password: str | None, limits: Limits, first: int = 1
) -> Reading:
    """From page `first` on. Raises what the reader raises."""
    if format not in _BY_PAGE:
        document = readers.read(data, filename, format, password, limits)
        yield from document.pages
        return replace(document, pages=())
    module = import_module(f"ingestion.{_BY_PAGE[format]}")
    return (yield from _with_kind(module.pages(data, limits, password, first), filename))


def _with_kind(reading: Reading, filename: str) -> Reading:
    """The kind is said as soon as it can be, so that it outlives a later page."""
    about = Document("pdf", ())
    shown: list[Page] = []
    words = None
    told = False
    while True:
        try:
            step = reading.send(words)
        except StopIteration as end:
            document: Document = end.value
            if not told:
                yield kind(replace(document, pages=tuple(shown)), filename)
            return document
        words = yield step
        if isinstance(step, Opened):
            about = step.about
        elif isinstance(step, Page) and not told:
            shown.append(step)
            if len(shown) == _SHOWING:
                told = True
                yield kind(replace(about, pages=tuple(shown)), filename)


def kind(document: Document, filename: str) -> Kind:
    """By the first pages."""
    pages = document.pages
    sample = "\n".join(page.text[: 1000 if n else 4000] for n, page in enumerate(pages[:5]))
    known = document.document_type
    return Kind(
        document.language or language(sample),
        known if known != "other" or not pages else document_type(document, filename, sample),
    )
