"""Which parts of a mail are its text, which are files, and what is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage, Message

from core.documents import Attachment
from core.errors import Unfinishable
from ingestion.decoding import decode
from ingestion.limits import Limits
from ingestion.names import Distinct, plain
from ingestion.page_text import one_line, tidy

# Python's header parser raises these on hostile headers.
HEADER_ERRORS = (ValueError, IndexError, AttributeError, TypeError, KeyError, LookupError)
_HEADER_MAX = 4_000
_PEOPLE = frozenset(("From", "To", "Cc", "Bcc"))
_TEXTS = ("text/plain", "text/html")
_SIGNATURES = frozenset((
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
))  # fmt: skip
_SEALED = {
    "application/pkcs7-mime": "S/MIME", "application/x-pkcs7-mime": "S/MIME",
    "application/pgp-encrypted": "PGP",
}  # fmt: skip
_TNEF = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_TNEF_MARK = b"\x78\x9f\x3e\x22"
# Source headers go out as they came in: folding them anew would undo the encoding of line breaks.
_AS_SENT = policy.default.clone(refold_source="none")


@dataclass
class Parts:
    """A mail's parts, told apart."""

    texts: list[Message] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    packed: list[bytes] = field(default_factory=list)  # Outlook's `winmail.dat`
    warnings: list[str] = field(default_factory=list)
    sealed: str = ""
    signed: str = ""


def header(message: Message, name: str) -> str:
    """One line always: an encoded line break must not become another header."""
    raw = next((v for n, v in message.raw_items() if n.lower() == name.lower()), None)
    if raw is None:
        return ""
    if name in _PEOPLE and "@" not in str(raw) and "=?" not in str(raw):
        return one_line(tidy(str(raw)[:_HEADER_MAX]))  # the parser would put names into quotes
    try:
        # Python's parser takes quadratic time: long lists of addresses are cut before it.
        parsed = policy.default.header_fetch_parse(name, str(raw)[:_HEADER_MAX])
        return one_line(tidy(str(parsed)))
    except HEADER_ERRORS:
        return ""


def parts_of(message: Message, limits: Limits) -> Parts:
    found = Parts()
    for part in leaves(message, limits):
        _sort(part, found)
    if found.sealed:
        found.warnings.append(f"The mail is encrypted ({found.sealed}): only its headers are read.")
    return found


def leaves(message: Message, limits: Limits) -> Iterator[Message]:
    """Parts that hold content, of alternatives the one to read; a mail within is one part."""
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
            if part.get_content_type() == "multipart/alternative":
                inner = _chosen(inner)
            stack += [(item, depth + 1) for item in reversed(inner)]
        else:
            yield part


def _chosen(alternatives: list[Message]) -> list[Message]:
    """Plain text that says something goes before HTML; files among them stay."""
    plain_text = next(
        (p for p in alternatives if p.get_content_type() == "text/plain" and text_of(p).strip()),
        None,
    )
    if plain_text is None:
        return alternatives
    return [
        part for part in alternatives
        if part is plain_text
        or not (part.get_content_type() in _TEXTS or part.get_content_maintype() == "multipart")
        or _holds_files(part)
    ]  # fmt: skip


def _holds_files(part: Message) -> bool:
    return part.is_multipart() and any(
        disposition(inner) == "attachment" for inner in part.get_payload()
        if isinstance(inner, Message)
    )  # fmt: skip


def _sort(part: Message, found: Parts) -> None:
    kind = part.get_content_type()
    named = disposition(part) == "attachment" or _filename(part)
    if kind in _SIGNATURES:
        found.signed = "PGP" if "pgp" in kind else "S/MIME"
    elif kind in _SEALED:
        found.sealed = _SEALED[kind]
    elif found.sealed == "PGP" and kind == "application/octet-stream":
        return  # the sealed text itself
    elif kind in _TNEF or (named and bytes_of(part)[:4] == _TNEF_MARK):
        found.packed.append(bytes_of(part))
    elif kind in _TEXTS and not named:
        found.texts.append(part)
    elif kind.startswith("image/") and (part.get("Content-ID") or not named):
        return  # a picture in the text
    elif named or kind not in ("text/calendar", "message/delivery-status"):
        found.files.append(part)


def disposition(part: Message) -> str:
    try:
        return part.get_content_disposition() or ""
    except HEADER_ERRORS:
        return ""


def _filename(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except HEADER_ERRORS:
        return ""


def text_of(part: Message) -> str:
    data = bytes_of(part)
    try:
        text = data.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError, *HEADER_ERRORS):
        text = decode(data)
    flowed = part.get_content_type() == "text/plain" and parameter(part, "format") == "flowed"
    return _unflowed(tidy(text)) if flowed else tidy(text)


def bytes_of(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def parameter(part: Message, name: str) -> str:
    """Of the content type, in lower case."""
    try:
        return str(part.get_param(name) or "").lower()
    except HEADER_ERRORS:
        return ""


def _unflowed(text: str) -> str:
    """RFC 3676: a line that ends with a blank goes on in the next, within one depth of quoting."""
    done: list[str] = []
    open_line = False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        body = line[depth:].removeprefix(" ")
        same = bool(done) and len(done[-1]) - len(done[-1].lstrip(">")) == depth
        if open_line and same and body != "-- ":
            done[-1] += body
        else:
            done.append(f"{'>' * depth} {body}" if depth else body)
        open_line = body.endswith(" ") and body != "-- "
    return "\n".join(done)


def attachments(files: list[Message], names: Distinct) -> tuple[Attachment, ...]:
    return tuple(_attachment(part, number, names) for number, part in enumerate(files, 1))


def _attachment(part: Message, number: int, names: Distinct) -> Attachment:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        mail = first if isinstance(first, Message) else EmailMessage()
        name = plain(header(mail, "Subject")[:100]) or f"mail-{number}"
        return Attachment(names.name(f"{name}.eml"), kind, mail.as_bytes(policy=_AS_SENT))
    data = bytes_of(part)
    return Attachment(names.name(plain(_filename(part)) or f"part-{number}"), kind, data)
