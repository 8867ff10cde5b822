"""PDF by pdfium, page by page: text with its geometry, tables, forms, bookmarks, attached files."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import pdf_scan, running_lines
from ingestion.formats import shows_pages
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.paging import Facts, Held, Opened, Reading, Skipped
from ingestion.pdf_files import files
from ingestion.pdf_forms import with_fields
from ingestion.pdf_glyphs import glyphs
from ingestion.pdf_layout import page_of_all
from ingestion.pdf_notes import with_notes
from ingestion.pdf_outline import Bookmark, bookmarks, with_headings
from ingestion.pdf_rules import rules
from ingestion.pdf_trust import layer

_ENCRYPTED, _BAD_SECURITY = 4, 5
_PAGE_TREE = re.compile(rb"/Type\s*/Pages\b")
_WORDS_PAGES = 200  # boxes of words serve the fields of business papers, not books
_BAD_IN_A_ROW = 100
_NOTHING = ("untitled", "unspecified", "anonymous", "(anonymous)", "unknown")
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")
_BOOKMARKS_SHOWN = 200


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    """The whole document at once; pictures of pages are left to those who can look at them."""
    document = collect(pages(data, limits, password))
    if not document.pages:
        raise Unfinishable("No page of the PDF can be read.", code="corrupted")
    return replace(document, pages=tuple(running_lines.marked(list(document.pages))))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """From page `first` on. Raises `Unfinishable` when the file as a whole cannot be opened."""
    import pypdfium2

    try:
        pdf = _opened(data, password)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(data, error.err_code, password) from error
    if len(pdf) == 0:
        raise Unfinishable("The PDF has no pages.", code="no_pages")
    outline = bookmarks(pdf)
    marks: dict[int, list[Bookmark]] = {}
    for mark in outline:
        marks.setdefault(mark.page, []).append(mark)
    held = _Book(pdf, _form(pdf), marks)
    about = _about(pdf, outline)
    total = min(len(pdf), limits.pages)
    yield Opened(total, about)
    return (yield from _all(held, about, range(first, total + 1), limits))


@dataclass(frozen=True, slots=True)
class _Book:
    pdf: Any
    form: Any
    marks: dict[int, list[Bookmark]]  # by page


def _form(pdf: Any) -> Any:
    """The form's handle; None without one. Scripts are not run: this pdfium has no engine."""
    import pypdfium2

    try:
        pdf.init_forms()
    except pypdfium2.PdfiumError:
        return None
    return pdf.formenv.raw if pdf.formenv else None


def _all(held: _Book, about: Document, numbers: range, limits: Limits) -> Reading:
    import pypdfium2

    warnings: list[str] = []
    misses = 0
    for number in numbers:
        try:
            step = yield from _page(held, number, limits)
        except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, IndexError) as error:
            yield Skipped(number, f"it is damaged ({str(error)[:80] or type(error).__name__}).")
            misses += 1
            if misses >= _BAD_IN_A_ROW:
                warnings.append(f"Reading stopped at page {number}: {misses} bad pages in a row.")
                break
            continue
        misses = 0
        if isinstance(step, Page):
            if number == 1 and about.title is None and (title := _title(step)):
                yield Facts(title=title)
            step = step if number <= _WORDS_PAGES else replace(step, words=())
        yield step
    if len(held.pdf) > limits.pages:
        warnings.append(f"Only the first {limits.pages} of {len(held.pdf)} pages were read.")
    yield from (Held(0, file) for file in files(held.pdf, limits, warnings))
    return replace(about, warnings=tuple(warnings))


def _page(held: _Book, number: int, limits: Limits) -> Generator[Any, Any, Page | Skipped]:
    page: Page | Skipped = _printed(held, number)
    if isinstance(page, Page) and page.layer != "text":
        page = yield from pdf_scan.seen(held.pdf, page, limits)
    if not isinstance(page, Page):
        return page
    if held.form:
        page = _with_form(held, page)
    marks = held.marks.get(number)
    return with_headings(page, marks) if marks else page


def _with_form(held: _Book, page: Page) -> Page:
    """Also where a picture lies below the fields."""
    lying = held.pdf[page.number - 1]
    try:
        return with_fields(page, lying, held.form)
    finally:
        lying.close()


def _printed(held: _Book, number: int) -> Page:
    """The page's text layer."""
    lying = held.pdf[number - 1]
    try:
        read = glyphs(lying)
        first = read.found[0]
        if first.words:
            rules(lying, read.lies.turned(first.quarter % 4), first)
        page = page_of_all(read, number)
        page = replace(page, layer=layer(page.text, read.unknown))
        return with_notes(page, lying) if page.layer == "text" else page
    finally:
        lying.close()


def _opened(data: bytes, password: str | None) -> Any:
    """A file that opens without a password opens with any: it was sent for another's sake."""
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError:
        if password:
            with suppress(pypdfium2.PdfiumError):
                return pypdfium2.PdfDocument(data)
        raise


def _unreadable(data: bytes, code: int | None, password: str | None) -> Unfinishable:
    # pdfium keeps the code of an earlier failure where the present one sets none.
    if code in (_ENCRYPTED, _BAD_SECURITY) and b"/Encrypt" in data:
        told = "The password does not open it." if password else "Send it again with its password."
        return Unfinishable(f"The PDF is encrypted. {told}", code="encrypted")
    if _PAGE_TREE.search(data) and not shows_pages(data):
        return Unfinishable("The PDF has no pages.", code="no_pages")
    return Unfinishable("The PDF is damaged and cannot be opened.", code="corrupted")


def _about(pdf: Any, outline: list[Bookmark]) -> Document:
    metadata = _metadata(pdf)
    title = metadata.pop("title", None)
    if outline:
        metadata["bookmarks"] = [
            {"title": mark.title, "level": mark.level, "page": mark.page}
            for mark in outline[:_BOOKMARKS_SHOWN]
        ]
    return Document("pdf", (), title=title, metadata={**metadata, "pages": len(pdf)})


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
