"""Mail: headers, the readable part, quoted text marked, attachments as files of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import Any

from core.documents import Attachment, Block, Document, Page
from core.errors import Unfinishable
from ingestion import html
from ingestion.decoding import decode
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line, tidy

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_NESTED = re.compile(rb"content-type:\s*(?:multipart/|message/rfc822)", re.IGNORECASE)
_WROTE = re.compile(
    r"(?:On .{4,120} wrote:|Am .{4,120} schrieb .{0,80}:|Le .{4,120} a écrit\s?:|"
    r"El .{4,120} escribió:|Op .{4,120} schreef .{0,80}:|"
    r"-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Forwarded message).*)$",
    re.IGNORECASE,
)  # fmt: skip
_HEADER_MAX = 4_000
# Python's header parser raises these on hostile headers.
_HEADER_ERRORS = (ValueError, IndexError, AttributeError, TypeError, KeyError, LookupError)


def read(data: bytes, limits: Limits) -> Document:
    if len(_NESTED.findall(data)) > limits.depth * 8 or data.count(b"\n--") > limits.parts * 20:
        raise Unfinishable("The mail has too many parts.", code="too_many_parts")
    message = message_from_bytes(data, policy=policy.default)
    if not message.keys():
        raise Unfinishable("The file has no mail headers.", code="corrupted")
    leaves = list(_leaves(message, limits))
    body = _body(leaves)
    metadata = _headers(message)
    pages = [_page(message, body)]
    attachments = tuple(
        _attachment(part, n) for n, part in enumerate(leaves, 1) if _attached(part, body)
    )
    if attachments:
        metadata["attachments"] = [item.filename for item in attachments]
    return Document(
        "eml", tuple(pages), title=metadata.get("subject"), document_type="email",
        metadata=metadata, attachments=attachments,
    )  # fmt: skip


def _leaves(message: Message, limits: Limits) -> Iterator[Message]:
    """Parts that hold content; a mail within the mail is one part."""
    stack: list[tuple[Message, int]] = [(message, 0)]
    count = 0
    while stack:
        part, depth = stack.pop()
        count += 1
        if count > limits.parts or depth > limits.depth:
            raise Unfinishable("The mail has too many parts.", code="too_many_parts")
        if part.get_content_type() == "message/rfc822" and depth:
            yield part
        elif part.is_multipart():
            inner = [item for item in part.get_payload() if isinstance(item, Message)]
            stack += [(item, depth + 1) for item in reversed(inner)]
        else:
            yield part


def header(message: Message, name: str) -> str:
    """One line always: an encoded line break must not become another header."""
    raw = next((v for n, v in message.raw_items() if n.lower() == name.lower()), None)
    if raw is None:
        return ""
    try:
        # Python's parser takes quadratic time: long lists of addresses are cut before it.
        parsed = policy.default.header_fetch_parse(name, str(raw)[:_HEADER_MAX])
        return one_line(tidy(str(parsed)))
    except _HEADER_ERRORS:
        return ""


def _headers(message: Message) -> dict[str, Any]:
    names = {
        "from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "message_id": "Message-ID",
        "in_reply_to": "In-Reply-To", "reply_to": "Reply-To",
    }  # fmt: skip
    found: dict[str, Any] = {key: header(message, name)[:2000] for key, name in names.items()}
    try:
        moment = parsedate_to_datetime(header(message, "Date"))
        found["date"] = moment.astimezone(UTC).isoformat() if moment.tzinfo else moment.isoformat()
    except _HEADER_ERRORS:
        pass
    return {key: value for key, value in found.items() if value}


def _disposition(part: Message) -> str:
    try:
        return part.get_content_disposition() or ""
    except _HEADER_ERRORS:
        return ""


def _body(leaves: list[Message]) -> Message | None:
    texts = [part for part in leaves if _disposition(part) != "attachment"]
    for kind in ("text/plain", "text/html"):
        for part in texts:
            if part.get_content_type() == kind and (kind == "text/html" or _text(part).strip()):
                return part
    return None


def _attached(part: Message, body: Message | None) -> bool:
    if part is body:
        return False
    kind = part.get_content_type()
    if _disposition(part) == "attachment" or part.get_filename():
        return not (kind.startswith("image/") and part.get("Content-ID"))
    return kind not in ("text/plain", "text/html") and not kind.startswith("image/")


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError, *_HEADER_ERRORS):
        return decode(data)


def _attachment(part: Message, number: int) -> Attachment:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        mail = first if isinstance(first, Message) else EmailMessage()
        name = one_line(header(mail, "Subject"))[:100] or f"mail-{number}"
        return Attachment(f"{_plain(name)}.eml", kind, mail.as_bytes())
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        name = part.get_filename() or ""
    except _HEADER_ERRORS:
        name = ""
    return Attachment(_plain(name) or f"part-{number}", kind, data)


def _plain(name: str) -> str:
    """The last part of a path, one line, without marks that mean something to a file system."""
    name = one_line(tidy(name)).replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r'[\x00-\x1f<>:"|?*]', "_", name)[:200].strip(". ")


def _page(message: Message, body: Message | None) -> Page:
    page = PageText()
    for name in _SHOWN:
        value = header(message, name)
        if value:
            page.add("field", f"{name}: {value[:2000]}", gap="\n")
    if body is None:
        return page.page(1)
    if body.get_content_type() == "text/html":
        return _joined(page.page(1), html.page_from_text(tidy(_text(body)), 1))
    for kind, text in _runs(tidy(_text(body))):
        page.add(kind, text)
    return page.page(1)


def _joined(first: Page, second: Page) -> Page:
    """Two pages as one, the second's places moved."""
    from dataclasses import replace

    if not second.text:
        return first
    by = len(first.text) + 2 if first.text else 0
    blocks = [Block(b.kind, b.start + by, b.end + by, b.level) for b in second.blocks]
    tables = [replace(t, start=t.start + by, end=t.end + by) for t in second.tables]
    text = f"{first.text}\n\n{second.text}" if first.text else second.text
    return replace(first, text=text, blocks=(*first.blocks, *blocks), tables=tuple(tables))


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Paragraphs and quoted stretches; everything below an `original message` line is quoted."""
    below = False
    for group in re.split(r"\n[ \t]*\n", text):
        lines = group.split("\n")
        run: list[str] = []
        kind = ""
        for line in lines:
            below = below or bool(_WROTE.match(line.strip()))
            now = "quote" if below or line.startswith(">") else "paragraph"
            if run and now != kind:
                yield kind, "\n".join(run)
                run = []
            kind = now
            run.append(line.rstrip())
        if run:
            yield kind, "\n".join(run)
