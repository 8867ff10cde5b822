"""Every reader as one that hands over its parts; runs in the parser's child only."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from core.documents import Document, Page
from ingestion import readers
from ingestion.kinds import document_type, language
from ingestion.limits import Limits
from ingestion.paging import Facts, Held, Kind, Opened, Reading

# Modules with `pages(data, limits, password, first)`; the others read a file in one go.
_BY_PART = {
    "pdf": "pdf", "png": "images", "jpeg": "images", "tiff": "images", "webp": "images",
    "bmp": "images", "gif": "images", "heic": "images", "avif": "images",
    "zip": "zip_", "tar": "tar_", "gz": "tar_", "mbox": "mbox", "pptx": "pptx",
    "xlsx": "xlsx", "ods": "ods", "xls": "xls", "epub": "epub", "7z": "seven",
}  # fmt: skip
_SHOWING = 5  # parts that show what a document is


def stream(
    data: bytes, filename: str, format: str, password: str | None, limits: Limits, first: int = 1
) -> Reading:
    """From part `first` on. Raises what the reader raises."""
    if format in _BY_PART:
        module = import_module(f"ingestion.{_BY_PART[format]}")
        reading = module.pages(data, limits, password, first)
        document = yield from _with_kind(reading, filename)
    else:
        document = readers.read(data, filename, format, password, limits)
        yield from document.pages
    yield from (Held(0, file) for file in document.attachments)
    return replace(document, pages=(), attachments=())


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
                title = document.title or about.title
                yield kind(replace(document, pages=tuple(shown), title=title), filename)
            return document
        words = yield step
        if isinstance(step, Opened):
            about = step.about
        elif isinstance(step, Facts):
            about = replace(about, title=about.title or step.title)
        elif isinstance(step, (Page, Held)) and not told:
            shown.append(step if isinstance(step, Page) else _line(step))
            if len(shown) == _SHOWING:
                told = True
                yield kind(replace(about, pages=tuple(shown)), filename)


def _line(one: Held) -> Page:
    """As the list of files will show it."""
    return Page(one.number, " | ".join(cell.text for cell in one.row))


def kind(document: Document, filename: str) -> Kind:
    """By the first pages."""
    pages = document.pages
    sample = "\n".join(page.text[: 1000 if n else 4000] for n, page in enumerate(pages[:5]))
    known = document.document_type
    return Kind(
        document.language or language(sample),
        known if known != "other" or not pages else document_type(document, filename, sample),
    )
