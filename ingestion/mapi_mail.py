"""An item of Outlook as a mail: its head, its text, its files."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_string, policy
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, quote
from typing import Any

from core.documents import Attachment, Document, Page
from core.errors import Unfinishable
from ingestion import html, rtf
from ingestion.code_pages import codec
from ingestion.eml import facts, head_page, joined, plain_page
from ingestion.html import decoded
from ingestion.limits import Limits
from ingestion.mail_parts import HEADER_ERRORS, Parts
from ingestion.mapi import (
    BODY,
    CLASS,
    FILE_DATA,
    FILE_METHOD,
    HTML,
    RTF,
    SUBJECT,
    UNICODE,
    Bag,
    File,
    Item,
    address,
)
from ingestion.names import Distinct, plain
from ingestion.page_text import PageText, one_line
from ingestion.rtf_packed import unpacked

_LINKS = (2, 3, 4, 7)  # kinds of attachment that are a path or an address alone
_OLE_OBJECT = 6
_RECEIVERS = {1: "To", 2: "Cc", 3: "Bcc"}
_SHOWN_NAMES = {"To": 0x0E04, "Cc": 0x0E03, "Bcc": 0x0E02}
_IDS = {"Message-ID": 0x1035, "In-Reply-To": 0x1042, "References": 0x1039}
_HEADERS = 0x007D
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|bmp|emf|wmz)$", re.IGNORECASE)
_BYTES_OF_LINE = 2_000
_RECEIVERS_MAX = 200
_MARKS = frozenset('",;:<>()@[]\\.')  # a name with one of them stands in quotes
# What stands in items that are no mails: what it is called, its long id or number.
_DATES = (("Start", 0x820D, 0x60), ("End", 0x820E, 0x61), ("Start", 0x8104, 0), ("Due", 0x8105, 0))
_TEXTS = (
    ("Location", 0x8208, 0), ("Name", 0, 0x3001), ("Company", 0, 0x3A16), ("Job", 0, 0x3A17),
    ("E-mail", 0x8083, 0), ("Telephone", 0, 0x3A08), ("Mobile", 0, 0x3A1C), ("Home", 0, 0x3A09),
    ("Fax", 0, 0x3A24), ("Address", 0x801B, 0x3A15),
)  # fmt: skip


def document(format: str, item: Item, limits: Limits) -> Document:
    """One page, as `eml.read` gives it."""
    item.told_encoding()
    parts = Parts()
    head = _head(item)
    page = joined(head_page(head), _fields(item.bag))
    page = joined(page, body(item.bag, parts, limits))
    files = attachments(item, parts, limits, Distinct())
    metadata = facts(head) | _about(item.bag)
    if files:
        metadata["attachments"] = [one.filename for one in files]
    if parts.signed:
        metadata["signed"] = parts.signed  # said, not verified
    if not page.text and not files:
        raise Unfinishable("The message says nothing.", code="empty")
    return Document(
        format, (page,), title=metadata.get("subject"), document_type="email",
        metadata=metadata, attachments=files, warnings=tuple(dict.fromkeys(parts.warnings)),
    )  # fmt: skip


def _head(item: Item) -> Message:
    """What Outlook keeps in its own words, else the headers as they came over the net."""
    bag = item.bag
    came = message_from_string(bag.text(_HEADERS)[:1_000_000], policy=policy.compat32)
    head = Message()
    for name, value in _told(item):
        if value:
            head[name] = value
    for name in ("From", "To", "Cc", "Date", "Reply-To", "List-Id", *_IDS):
        told = str(head[name] or "")
        known = came[name]
        if known and (not told or (name == "From" and "@" not in told)):
            del head[name]
            head[name] = str(known)
    if head["Date"] is None and (moment := bag.moment(0x0E06, 0x3007)):
        head["Date"] = format_datetime(moment)
    return head


def _told(item: Item) -> list[tuple[str, str]]:
    bag = item.bag
    sent = bag.moment(0x39)
    name = bag.text(0x42, 0x0C1A)
    mail = address(bag, 0x5D02, 0x5D01, 0x65, 0x0C1F, 0x42, 0x0C1A)
    found = [("From", _person(name, mail))]
    for kind, header in _RECEIVERS.items():
        people = [one for one in item.people if (one.number(0x0C15) & 0xF or 1) == kind]
        shown = [_person(p.text(0x3001, 0x5FF6), address(p, 0x39FE, 0x3003, 0x3001))
                 for p in people[:_RECEIVERS_MAX]]  # fmt: skip
        names = bag.text(_SHOWN_NAMES[header]).split(";")
        found.append((header, ", ".join(filter(None, shown or [_person(n, "") for n in names]))))
    found.append(("Date", format_datetime(sent) if sent else ""))
    found.append(("Subject", one_line(bag.text(SUBJECT, 0x0E1D, 0x70))[:_BYTES_OF_LINE]))
    found += [(header, one_line(bag.text(tag))[:_BYTES_OF_LINE]) for header, tag in _IDS.items()]
    return found


def _person(name: str, mail: str) -> str:
    name = one_line(name).strip("'\" ")[:200]
    if not mail:
        return f'"{quote(name)}"' if "@" in name else name
    shown = f'"{quote(name)}"' if set(name) & _MARKS else name
    return f"{shown} <{mail}>" if name and name != mail else mail


def _about(bag: Bag) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kind = bag.text(CLASS)
    if kind and kind.upper() not in ("IPM.NOTE", "IPM"):
        found["message_class"] = kind[:200]
    for name, moment in (("received", bag.moment(0x0E06)), *_moments(bag)):
        if moment is not None:
            found.setdefault(name.lower(), moment.isoformat())
    return found


def _moments(bag: Bag) -> list[tuple[str, datetime | None]]:
    return [(name, bag.moment(*filter(None, (bag.long(own), tag)))) for name, own, tag in _DATES]


def _fields(bag: Bag) -> Page:
    """A meeting's time and place, a contact's numbers."""
    page = PageText()
    if bag.text(CLASS).upper().startswith("IPM.NOTE"):
        return page.page(1)
    told: dict[str, str] = {}
    for name, moment in _moments(bag):
        if moment is not None:
            told.setdefault(name, moment.isoformat())
    for name, own, tag in _TEXTS:
        if value := bag.text(*filter(None, (bag.long(own), tag))):
            told[name] = one_line(value)[:_BYTES_OF_LINE]
    for name, value in told.items():
        page.add("field", f"{name}: {value}", gap="\n")
    return page.page(1)


def body(bag: Bag, parts: Parts, limits: Limits) -> Page:
    """Plain text where it says something, as in other mails; else HTML, else RTF."""
    if text := bag.text(BODY):
        return plain_page(text, parts)
    if markup := _markup(bag):
        return html.page_from_text(markup, 1)
    packed = bag.data(RTF)
    if not packed:
        return Page(1, "")
    try:
        data = unpacked(packed, limits)
        markup = rtf.html_in(data, limits)
        return html.page_from_text(markup, 1) if markup else rtf.read(data, limits).pages[0]
    except Unfinishable as error:
        parts.warnings.append(f"The message's text was not read: {error.detail}")
        return Page(1, "")


def _markup(bag: Bag) -> str:
    kind, data = bag.raw.get(HTML, (0, b""))
    if kind == UNICODE or not data.strip(b"\x00 "):
        return bag.text(HTML)
    return decoded(data, codec(bag.number(0x3FDE), "") if bag.number(0x3FDE) else "")


def attachments(
    item: Item, parts: Parts, limits: Limits, names: Distinct
) -> tuple[Attachment, ...]:
    left = limits.output_bytes * 7 // 10  # they travel as base64
    found: list[Attachment] = []
    for number, file in enumerate(item.files[: limits.parts], 1):
        if _in_the_text(file):
            continue
        name = plain(_name(file)) or f"part-{number}"
        if file.inner is not None:
            kind, data = "message/rfc822", mail_of(file.inner, limits).as_bytes()
            name = f"{name.removesuffix('.msg').removesuffix('.eml')}.eml"
        else:
            kind, data = file.bag.text(0x370E)[:200], file.bag.data(FILE_DATA)
            if kind == "multipart/signed":  # a mail as it came, with its signature
                parts.signed, kind, name = "S/MIME", "message/rfc822", "signed.eml"
            elif name.lower() == "smime.p7m":
                parts.sealed = "S/MIME"
                parts.warnings.append("The mail is encrypted (S/MIME): only its head is read.")
                continue
        left -= len(data)
        if why := _not_read(file, data, left):
            parts.warnings.append(f"Attachment {name} was not read: {why}.")
            continue
        kind = kind or "application/octet-stream"
        found.append(Attachment(names.name(name), kind, data))
    if len(item.files) > limits.parts:
        parts.warnings.append(f"Only the first {limits.parts} attachments were read.")
    return tuple(found)


def _in_the_text(file: File) -> bool:
    """A picture of the text itself, as in other mails."""
    shown = file.bag.text(0x370E).startswith("image/") or _PICTURE.search(_name(file))
    return bool(shown and file.bag.text(0x3712))


def _not_read(file: File, data: bytes, left: int) -> str:
    if file.inner is None and not data:
        method = file.bag.number(FILE_METHOD)
        if method in _LINKS:
            return "it is a link to a file elsewhere"
        return "it is an object of another program" if method == _OLE_OBJECT else "it is empty"
    return "the message unpacks to too much" if left < 0 else ""


def _name(file: File) -> str:
    if file.inner is not None:
        return one_line(file.inner.bag.text(SUBJECT) or file.bag.text(0x3001))[:100] or "message"
    return file.bag.text(0x3707, 0x3704, 0x3001)


def mail_of(item: Item, limits: Limits) -> Message:
    """The item as a mail of its own, for the files that lie within."""
    item.told_encoding()
    mail: Message = MIMEMultipart("mixed")
    for name, value in _head(item).items():
        mail[name] = _encoded(name, str(value))
    parts = Parts()
    page = joined(_fields(item.bag), Page(1, ""))
    markup = "" if item.bag.text(BODY) else _markup(item.bag)
    if page.text or not markup:
        told = page.text or ""
        text = item.bag.text(BODY) or body(item.bag, parts, limits).text * (not markup)
        mail.attach(MIMEText("\n\n".join(filter(None, (told, text))), "plain", "utf-8"))
    if markup:
        mail.attach(MIMEText(markup, "html", "utf-8"))
    for file in item.files[: limits.parts]:
        mail.attach(_part(file, limits))
    return mail


def _part(file: File, limits: Limits) -> Message:
    if file.inner is not None:
        return MIMEMessage(mail_of(file.inner, limits))
    main, _, sub = file.bag.text(0x370E).partition("/")
    safe = all(part.replace("-", "").replace(".", "").isalnum() for part in (main, sub))
    plain_kind = safe and main.lower() not in ("multipart", "message")
    part = MIMEBase(*((main, sub) if plain_kind else ("application", "octet-stream")))
    part.set_payload(file.bag.data(FILE_DATA))
    encode_base64(part)
    name = plain(_name(file)) or "part"
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    return part


def _encoded(name: str, value: str) -> str:
    """ASCII, and one header always."""
    value = one_line(value)
    if value.isascii():
        return value
    try:
        return Header(value, "utf-8", maxlinelen=10_000).encode(linesep=" ")
    except HEADER_ERRORS:
        return value.encode("ascii", "replace").decode()
