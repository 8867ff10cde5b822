"""One door to all formats; runs in the parser's child only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from core.documents import Document
from core.errors import Unfinishable
from ingestion import csv_, docx, eml, html, json_, logs, markdown, mbox, pdf, text, xlsx, zip_
from ingestion.kinds import document_type, language
from ingestion.limits import Limits

_READERS: dict[str, Callable[[bytes, Limits], Document]] = {
    "csv": csv_.read,
    "tsv": lambda data, limits: csv_.read(data, limits, "tsv"),
    "docx": docx.read,
    "eml": eml.read,
    "html": html.read,
    "json": json_.read,
    "log": logs.read,
    "mbox": mbox.read,
    "md": markdown.read,
    "txt": text.read,
    "xlsx": xlsx.read,
}
# Loaded when the first such file comes: their libraries are heavy or seldom asked for.
_LAZY = {
    "avif": "images", "heic": "images", "jpeg": "images", "png": "images", "tiff": "images",
    "webp": "images",
    "bmp": "images", "gif": "images", "ods": "ods", "odt": "odt", "pptx": "pptx", "xls": "xls",
    "doc": "doc_", "msg": "msg", "odp": "odp", "ppt": "ppt", "rtf": "rtf", "gz": "tar_",
    "srt": "subtitles", "tar": "tar_", "tnef": "tnef", "vtt": "subtitles", "xml": "xml_",
    "epub": "epub", "mht": "mht", "7z": "seven",
    "webpage": "web_page", "sitemap": "web_sitemap",  # asked for by the crawler alone
}  # fmt: skip


def read(data: bytes, filename: str, format: str, password: str | None, limits: Limits) -> Document:
    """Raises `Unfinishable` with one of the room's codes; other errors are a damaged file."""
    if format == "pdf":
        document = pdf.read(data, limits, password)
    elif format == "zip":
        document = zip_.read(data, limits, password)
    else:
        document = _reader(format)(data, limits)
    if not document.pages:
        raise Unfinishable("The file has no pages.", code="no_pages")
    if not document.attachments and not any(page.text.strip() for page in document.pages):
        raise Unfinishable(_no_text(format), code="empty")
    sample = (
        document.pages[0].text[:4000] + "\n" + "\n".join(p.text[:1000] for p in document.pages[1:5])
    )
    kind = document.document_type
    return replace(
        document,
        language=document.language or language(sample),
        document_type=kind if kind != "other" else document_type(document, filename, sample),
    )


def _reader(format: str) -> Callable[[bytes, Limits], Document]:
    if format in _READERS:
        return _READERS[format]
    name = f"ingestion.{_LAZY[format]}"
    try:
        return import_module(name).read  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Unfinishable(
            f"{format.upper()} files are not read here yet.", code="unsupported_format"
        ) from error


def _no_text(format: str) -> str:
    if format == "pdf":
        return "The PDF has no text, only pictures. Scans are not read yet."
    return "The file has no text."
