"""PDF by pdfium: text with its geometry, ruled and unruled tables, bad pages skipped and named."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import pdf_scan
from ingestion.formats import shows_pages
from ingestion.limits import Limits
from ingestion.paging import Opened, Raster, Reading, Skipped, Words, collect
from ingestion.pdf_glyphs import PageGlyphs, glyphs
from ingestion.pdf_layout import page_of
from ingestion.running_lines import marked

_ENCRYPTED, _BAD_SECURITY = 4, 5
_PAGE_TREE = re.compile(rb"/Type\s*/Pages\b")
_WORDS_PAGES = 200  # boxes of words serve the fields of business papers, not books
_MISSES_MAX = 100
_NOTHING = ("untitled", "unspecified", "anonymous", "(anonymous)", "unknown")
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


def load() -> None:
    """Starts pdfium, so that a forked child finds it running."""
    import pypdfium2  # noqa: F401


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    document = collect(pages(data, limits, password))
    if not document.pages:
        raise Unfinishable("No page of the PDF can be read.", code="corrupted")
    return replace(document, pages=tuple(marked(list(document.pages))))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Page by page from `first` on; what has no text to trust is handed out as a picture."""
    pdf = _opened(data, password)
    metadata = _metadata(pdf)
    about = Document(
        "pdf", (), title=metadata.pop("title", None), metadata={**metadata, "pages": len(pdf)}
    )
    total = min(len(pdf), limits.pages)
    yield Opened(total, about)
    warnings = []
    if total < len(pdf):
        warnings.append(f"Only the first {total} of {len(pdf)} pages were read.")
    misses = 0
    for number in range(first, total + 1):
        page = yield from _page(pdf, number, limits)
        yield page
        misses = misses + 1 if isinstance(page, Skipped) else 0
        if misses >= _MISSES_MAX:
            warnings.append(f"Reading stopped at page {number}: {misses} bad pages in a row.")
            break
        if number == 1 and isinstance(page, Page):
            about = replace(about, title=about.title or _title(page))
    return replace(about, warnings=tuple(warnings))


def _opened(data: bytes, password: str | None) -> Any:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(data, error.err_code, password) from error
    if len(pdf) == 0:
        raise Unfinishable("The PDF has no pages.", code="no_pages")
    return pdf


def _unreadable(data: bytes, code: int | None, password: str | None) -> Unfinishable:
    # pdfium keeps the code of an earlier failure where the present one sets none.
    if code in (_ENCRYPTED, _BAD_SECURITY) and b"/Encrypt" in data:
        told = "The password does not open it." if password else "Send it again with its password."
        return Unfinishable(f"The PDF is encrypted. {told}", code="encrypted")
    if _PAGE_TREE.search(data) and not shows_pages(data):
        return Unfinishable("The PDF has no pages.", code="no_pages")
    return Unfinishable("The PDF is damaged and cannot be opened.", code="corrupted")


def _page(pdf: Any, number: int, limits: Limits) -> Generator[Raster, Words, Page | Skipped]:
    import pypdfium2

    try:
        page = page_of(_glyphs(pdf, number), number)
        if page.layer != "text" or not page.text:
            page = yield from pdf_scan.seen(pdf, page, limits)
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, IndexError) as error:
        return Skipped(number, f"it is damaged ({type(error).__name__})")
    return page if number <= _WORDS_PAGES else replace(page, words=())


def _glyphs(pdf: Any, number: int) -> PageGlyphs:
    page = pdf[number - 1]
    try:
        return glyphs(page)
    finally:
        page.close()


def _metadata(pdf: Any) -> dict[str, Any]:
    found = {
        key.lower(): value.strip()
        for key, value in pdf.get_metadata_dict().items()
        if value.strip()
    }
    kept: dict[str, Any] = {
        name: found[name][:500]
        for name in ("title", "author", "subject", "keywords")
        if name in found
    }
    kept = {k: v for k, v in kept.items() if v.lower() not in _NOTHING}
    for key, name in (("creationdate", "created"), ("moddate", "modified")):
        date = _DATE.match(found.get(key, ""))
        if date:
            year, month, day = date[1], date[2] or "01", date[3] or "01"
            kept[name] = f"{year}-{month}-{day}"
    return kept


def _title(page: Page) -> str | None:
    for block in page.blocks[:6]:
        if block.kind == "heading":
            return page.text[block.start : block.end].replace("\n", " ")[:200]
    return None
