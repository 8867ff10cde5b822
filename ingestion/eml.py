"""Mail: headers, the readable parts, quoted text marked, attachments as files of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from core.documents import Block, Document, Page
from core.errors import Unfinishable
from ingestion import html
from ingestion.limits import Limits
from ingestion.mail_parts import HEADER_ERRORS, Parts, attachments, header, parts_of, text_of
from ingestion.mail_text import is_sealed, runs, unsigned
from ingestion.page_text import PageText

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_NESTED = re.compile(rb"content-type:\s*(?:multipart/|message/rfc822)", re.IGNORECASE)
_NAMES = {
    "from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "message_id": "Message-ID",
    "in_reply_to": "In-Reply-To", "references": "References", "reply_to": "Reply-To",
    "list_id": "List-Id",
}  # fmt: skip


def read(data: bytes, limits: Limits) -> Document:
    """One page. Raises `Unfinishable` for too many parts, or where no header stands."""
    if len(_NESTED.findall(data)) > limits.depth * 8 or data.count(b"\n--") > limits.parts * 20:
        raise Unfinishable("The mail has too many parts.", code="too_many_parts")
    message = message_from_bytes(data, policy=policy.default)
    if not message.keys():
        raise Unfinishable("The file has no mail headers.", code="corrupted")
    parts = parts_of(message, limits)
    page = _page(message, parts)
    metadata = facts(message)
    files = attachments(parts.files)
    if files:
        metadata["attachments"] = [item.filename for item in files]
    if parts.signed:
        metadata["signed"] = parts.signed  # said, not verified
    return Document(
        "eml", (page,), title=metadata.get("subject"), document_type="email",
        metadata=metadata, attachments=files, warnings=tuple(dict.fromkeys(parts.warnings)),
    )  # fmt: skip


def facts(message: Message) -> dict[str, Any]:
    """The headers that are worth keeping, each one line; the date as ISO 8601 in UTC."""
    found: dict[str, Any] = {key: header(message, name)[:2000] for key, name in _NAMES.items()}
    try:
        moment = parsedate_to_datetime(header(message, "Date"))
        found["date"] = moment.astimezone(UTC).isoformat() if moment.tzinfo else moment.isoformat()
    except (*HEADER_ERRORS, OverflowError):
        pass
    return {key: value for key, value in found.items() if value}


def _page(message: Message, parts: Parts) -> Page:
    page = PageText()
    for name in _SHOWN:
        value = header(message, name)
        if value:
            page.add("field", f"{name}: {value[:2000]}", gap="\n")
    done = page.page(1)
    for part in parts.texts:
        text = text_of(part)
        if part.get_content_type() == "text/html":
            done = _joined(done, html.page_from_text(text, 1))
        else:
            done = _joined(done, _plain(text, parts))
    return done


def _plain(text: str, parts: Parts) -> Page:
    if is_sealed(text):
        parts.warnings.append("The mail's text is encrypted (PGP) and was not read.")
        return Page(1, "")
    text, signed = unsigned(text)
    if signed:
        parts.signed = "PGP"
    page = PageText()
    for kind, run in runs(text):
        page.add(kind, run)
    return page.page(1)


def _joined(first: Page, second: Page) -> Page:
    """Two pages as one, the second's places moved."""
    if not second.text:
        return first
    by = len(first.text) + 2 if first.text else 0
    blocks = [Block(b.kind, b.start + by, b.end + by, b.level) for b in second.blocks]
    tables = [replace(t, start=t.start + by, end=t.end + by) for t in second.tables]
    text = f"{first.text}\n\n{second.text}" if first.text else second.text
    return replace(
        first, text=text, blocks=(*first.blocks, *blocks), tables=(*first.tables, *tables)
    )
