"""Web pages saved as one file (MHT, MHTML): the page and its frames; pictures, styles and scripts
that were saved with it are left out. Source: RFC 2557."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import html
from ingestion.eml import check_nesting
from ingestion.limits import Limits
from ingestion.mail_parts import bytes_of, header, leaves, parameter, text_of
from ingestion.page_text import one_line

_PAGES = frozenset(("text/html", "application/xhtml+xml"))


def read(data: bytes, limits: Limits) -> Document:
    """The page that the file begins with first, then its frames as far as they have text."""
    check_nesting(data, limits)
    message = message_from_bytes(data, policy=policy.default)
    found = [part for part in leaves(message, limits) if part.get_content_type() in _PAGES]
    if not found:
        raise Unfinishable("The file holds no web page.", code="corrupted")
    found = _root_first(message, found)
    texts = [html.opened(_text(part)) for part in found]
    pages = [html.page_from_text(text, 1) for text in texts]
    shown = [pages[0], *(page for page in pages[1:] if page.text.strip())][: limits.pages]
    title = html.title_of(texts[0]) or header(message, "Subject")
    address = _address(message) or _address(found[0])
    return Document(
        "mht", tuple(_numbered(page, n) for n, page in enumerate(shown, 1)),
        title=one_line(title)[:300] or None, metadata={"url": address} if address else {},
    )  # fmt: skip


def _text(part: Message) -> str:
    """Browsers leave the encoding to the page itself."""
    return text_of(part) if part.get_content_charset() else html.decoded(bytes_of(part))


def _root_first(message: Message, found: list[Message]) -> list[Message]:
    """`start` names the page by its Content-ID; else it is the first."""
    start = parameter(message, "start").strip("<> ")
    named = [p for p in found if start and header(p, "Content-ID").strip("<> ").lower() == start]
    return [*named[:1], *(part for part in found if part not in named[:1])]


def _address(part: Message) -> str:
    told = header(part, "Snapshot-Content-Location") or header(part, "Content-Location")
    return told[:2000] if told.startswith(("http://", "https://")) else ""


def _numbered(page: Page, number: int) -> Page:
    tables = tuple(replace(table, page=number) for table in page.tables)
    return replace(page, number=number, tables=tables)
