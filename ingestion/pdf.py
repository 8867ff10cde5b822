"""PDF by pdfium: text with its geometry, ruled and unruled tables, bad pages skipped and named."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from core.documents import Block, Document, Page
from core.errors import Unfinishable
from ingestion.formats import shows_pages
from ingestion.limits import Limits
from ingestion.pdf_glyphs import PageGlyphs, glyphs
from ingestion.pdf_layout import page_of

_ENCRYPTED, _BAD_SECURITY = 4, 5
_PAGE_TREE = re.compile(rb"/Type\s*/Pages\b")
_WORDS_PAGES = 200  # boxes of words serve the fields of business papers, not books
_NOTHING = ("untitled", "unspecified", "anonymous", "(anonymous)", "unknown")
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


def load() -> None:
    """Starts pdfium, so that a forked child finds it running."""
    import pypdfium2  # noqa: F401


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(data, error.err_code, password) from error
    if len(pdf) == 0:
        raise Unfinishable("The PDF has no pages.", code="no_pages")
    pages, warnings = _pages(pdf, limits)
    if not pages:
        raise Unfinishable("No page of the PDF can be read.", code="corrupted")
    pages = _mark_running_lines(pages)
    metadata = _metadata(pdf)
    return Document(
        "pdf", tuple(pages), title=metadata.pop("title", None) or _title(pages[0]),
        metadata={**metadata, "pages": len(pdf)}, warnings=tuple(warnings),
    )  # fmt: skip


def _unreadable(data: bytes, code: int | None, password: str | None) -> Unfinishable:
    # pdfium keeps the code of an earlier failure where the present one sets none.
    if code in (_ENCRYPTED, _BAD_SECURITY) and b"/Encrypt" in data:
        told = "The password does not open it." if password else "Send it again with its password."
        return Unfinishable(f"The PDF is encrypted. {told}", code="encrypted")
    if _PAGE_TREE.search(data) and not shows_pages(data):
        return Unfinishable("The PDF has no pages.", code="no_pages")
    return Unfinishable("The PDF is damaged and cannot be opened.", code="corrupted")


def _pages(pdf: Any, limits: Limits) -> tuple[list[Page], list[str]]:
    import pypdfium2

    pages: list[Page] = []
    bad: list[int] = []
    misses = 0
    warnings = []
    for number in range(1, len(pdf) + 1):
        if len(pages) >= limits.pages:
            warnings.append(f"Only the first {limits.pages} of {len(pdf)} pages were read.")
            break
        try:
            page = page_of(_glyphs(pdf, number), number)
            pages.append(page if number <= _WORDS_PAGES else replace(page, words=()))
            misses = 0
        except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, IndexError):
            bad.append(number)
            misses += 1
        if misses >= 100:
            warnings.append(f"Reading stopped at page {number}: 100 bad pages in a row.")
            break
    if bad:
        shown = ", ".join(map(str, bad[:20])) + (" and more" if len(bad) > 20 else "")
        warnings.insert(0, f"Skipped damaged pages: {shown}.")
    empty = [page.number for page in pages if not page.text]
    if empty and len(empty) < len(pages):
        shown = ", ".join(map(str, empty[:20])) + (" and more" if len(empty) > 20 else "")
        warnings.append(f"Pages without text (perhaps pictures): {shown}.")
    return pages, warnings


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


def _mark_running_lines(pages: list[Page]) -> list[Page]:
    """Lines that come back at the same end of most pages are headers and footers."""
    if len(pages) < 3:
        return pages
    tops = Counter(_shape(page, 0) for page in pages)
    ends = Counter(_shape(page, -1) for page in pages)
    enough = max(3, len(pages) * 2 // 3)
    return [
        _mark(
            page,
            header=tops[_shape(page, 0)] >= enough and bool(_shape(page, 0)),
            footer=ends[_shape(page, -1)] >= enough and bool(_shape(page, -1)),
        )
        for page in pages
    ]


def _shape(page: Page, at: int) -> str:
    if len(page.blocks) < 2 or page.blocks[at].kind == "table":
        return ""
    block = page.blocks[at]
    text = page.text[block.start : block.end]
    return re.sub(r"\d+", "#", text) if len(text) < 200 else ""


def _mark(page: Page, *, header: bool, footer: bool) -> Page:
    blocks: list[Block] = list(page.blocks)
    if header:
        blocks[0] = replace(blocks[0], kind="header", level=0)
    if footer:
        blocks[-1] = replace(blocks[-1], kind="footer", level=0)
    return replace(page, blocks=tuple(blocks))
