"""Mail: headers, the readable parts, quoted text marked, attachments as files of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from core.documents import Attachment, Block, Document, Page
from core.errors import Unfinishable
from ingestion import html
from ingestion.limits import Limits
from ingestion.mail_parts import HEADER_ERRORS, Parts, attachments, header, parts_of, text_of
from ingestion.mail_text import is_sealed, runs, unsigned
from ingestion.names import Distinct
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
    check_nesting(data, limits)
    message = message_from_bytes(data, policy=policy.default)
    if not message.keys():
        raise Unfinishable("The file has no mail headers.", code="corrupted")
    parts = parts_of(message, limits)
    page = _page(message, parts)
    metadata = facts(message)
    names = Distinct()
    files = attachments(parts.files, names)
    for packed in parts.packed:
        page, more = _unpacked(packed, page, parts, names, limits)
        files += more
    if files:
        metadata["attachments"] = [item.filename for item in files]
    if parts.signed:
        metadata["signed"] = parts.signed  # said, not verified
    return Document(
        "eml", (page,), title=metadata.get("subject"), document_type="email",
        metadata=metadata, attachments=files, warnings=tuple(dict.fromkeys(parts.warnings)),
    )  # fmt: skip


def check_nesting(data: bytes, limits: Limits) -> None:
    """Before it is parsed, which takes quadratic time."""
    if len(_NESTED.findall(data)) > limits.depth * 8 or data.count(b"\n--") > limits.parts * 20:
        raise Unfinishable("The mail has too many parts.", code="too_many_parts")


def _unpacked(
    data: bytes, page: Page, parts: Parts, names: Distinct, limits: Limits
) -> tuple[Page, tuple[Attachment, ...]]:
    """What Outlook packed into `winmail.dat`: its files, and its text where the mail has none."""
    from ingestion import mapi_mail, tnef  # seldom asked for

    try:
        item = tnef.item_of(data, limits)
        item.told_encoding()
        if not any(text_of(part).strip() for part in parts.texts):
            page = joined(page, mapi_mail.body(item.bag, parts, limits))
        return page, mapi_mail.attachments(item, parts, limits, names)
    except Unfinishable as error:
        parts.warnings.append(f"winmail.dat was not read: {error.detail}")
        return page, ()


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
    done = head_page(message)
    for part in parts.texts:
        text = text_of(part)
        if part.get_content_type() == "text/html":
            done = joined(done, html.page_from_text(text, 1))
        else:
            done = joined(done, plain_page(text, parts))
    return done


def head_page(message: Message) -> Page:
    page = PageText()
    for name in _SHOWN:
        value = header(message, name)
        if value:
            page.add("field", f"{name}: {value[:2000]}", gap="\n")
    return page.page(1)


def plain_page(text: str, parts: Parts) -> Page:
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


def joined(first: Page, second: Page) -> Page:
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
