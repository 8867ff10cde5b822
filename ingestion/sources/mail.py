"""What all mail boxes have in common: which mails are wanted, what one is called, and which two are
the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from core.errors import InvalidInput
from core.net import Net
from ingestion.sources import Config, Cursor, Item
from ingestion.sources.mail_sign_in import MailAuth, check_auth

CONTENT_TYPE = "message/rfc822"
VERSION = "1"  # a mail never changes
_HEAD_MAX = 256 * 2**10
_VALUE_MAX, _TOLD_MAX = 4_000, 1_000
_TOLD = ("from", "to", "cc", "subject", "message-id")
# What makes a mail the same one: not the lines that servers add on its way.
_OWN = ("message-id", "date", "from", "subject", "content-type", "content-transfer-encoding")
_ADDRESS = r"^[^\x00-\x1f\x7f]+$"

Word = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=20)]


class MailConfig(Config):
    since: Annotated[
        date | None, Field(description="only mails from this day on, such as 2026-01-31")
    ] = None
    from_contains: Annotated[
        Words, Field(description="mail rule: the sender holds one of these; empty: any")
    ] = ()
    subject_contains: Annotated[
        Words, Field(description="mail rule: the subject holds one of these; empty: any")
    ] = ()
    mail_bytes_max: Annotated[
        int,
        Field(ge=1_000, le=50_000_000, description="a larger mail is a dead letter, bytes"),
    ] = 25_000_000


class ServerConfig(MailConfig):
    host: Annotated[str, Field(min_length=1, max_length=253, description="such as mail.acme.com")]
    port: Annotated[
        int | None, Field(ge=1, le=65535, description="empty: the usual one of `security`")
    ] = None
    security: Annotated[
        Literal["tls", "starttls", "none"],
        Field(description="none only where the operator allows this place (WEFT_EGRESS_ALLOW)"),
    ] = "tls"
    user: Annotated[
        str, Field(min_length=1, max_length=254, pattern=_ADDRESS, description="who signs in")
    ]
    auth: MailAuth = MailAuth()


@dataclass(frozen=True, slots=True)
class Head:
    """The first value of each header, unfolded, by its name in lower case."""

    values: Mapping[str, bytes]
    size: int  # where the body begins

    def told(self, name: str) -> str:
        """For people: decoded, one line, cut."""
        return _decoded(self.values.get(name, b"")[:_VALUE_MAX].decode("utf-8", "replace"))


def head(data: bytes) -> Head:
    found = re.search(rb"\n\r?\n", data[:_HEAD_MAX])
    end = found.end() if found else min(len(data), _HEAD_MAX)
    block = re.sub(rb"\r?\n[ \t]+", b" ", data[:end])
    values: dict[str, bytes] = {}
    for line in block.splitlines():
        name, colon, value = line.partition(b":")
        if colon and len(name) < 80:
            values.setdefault(name.strip().lower().decode("latin-1"), b" ".join(value.split()))
    return Head(values, end)


def identity(data: bytes) -> str:
    """Of what the sender wrote: equal wherever the mail was delivered to and however often, and
    another one for another body under the same Message-ID."""
    top = head(data)
    own = [top.values.get(name, b"").decode("latin-1") for name in _OWN]
    body = data[top.size :].replace(b"\r\n", b"\n").rstrip(b"\n")
    return hashlib.sha256(json.dumps(own).encode() + b"\n" + body).hexdigest()


def item(key: str, data: bytes, folder: str, cursor: Cursor | None) -> Item:
    top = head(data)
    told = {name.replace("-", "_"): top.told(name) for name in _TOLD}
    told |= {"date": _moment(top.told("date")), "folder": folder[:_TOLD_MAX]}
    return Item(
        key, VERSION, _filename(told["subject"]), CONTENT_TYPE, data,
        {name: value for name, value in told.items() if value}, cursor, identity(data),
    )  # fmt: skip


def wanted(config: MailConfig, top: Head) -> bool:
    """The mail rule, whatever the server's own search makes of letters and accents."""
    rules = ((config.from_contains, "from"), (config.subject_contains, "subject"))
    return all(
        any(word.casefold() in top.told(name).casefold() for word in words)
        for words, name in rules
        if words
    )


def too_old(config: MailConfig, top: Head) -> bool:
    """For servers that know no search. A mail without a date is taken."""
    if config.since is None or not (told := _moment(top.told("date"))):
        return False
    return datetime.fromisoformat(told) < datetime.combine(config.since, time(), UTC)


def check_server(config: ServerConfig, port: int, net: Net) -> None:
    """Raises `InvalidInput` for a place that may not be called, or not without TLS."""
    try:
        net.check_place(config.host, port)
    except InvalidInput as error:
        raise InvalidInput(error.detail, code=error.slug, field="config.host") from error
    if config.security == "none" and not net.allowed(config.host, port):
        raise InvalidInput(
            "Without TLS everybody on the way reads the password. Set `security` to tls or "
            f"starttls; the operator can allow it with WEFT_EGRESS_ALLOW={config.host}:{port}",
            code="no_tls", field="config.security",
        )  # fmt: skip
    check_auth(config.auth, net)


def _decoded(value: str) -> str:
    try:
        parts = [
            part if isinstance(part, str) else part.decode(charset or "utf-8", "replace")
            for part, charset in decode_header(value)
        ]
    except (HeaderParseError, LookupError, ValueError):
        parts = [value]
    clean = "".join(c if c.isprintable() else " " for c in "".join(parts))
    return " ".join(clean.split())[:_TOLD_MAX]


def _moment(text: str) -> str:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return ""


def _filename(subject: str) -> str:
    name = re.sub(r'[\\/<>:"|?*]+', "_", subject)[:100].strip(". ")
    return f"{name or 'mail'}.eml"


def count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def plain(value: Any) -> dict[str, Any]:
    """A part of a cursor, which may be of an older version."""
    return dict(value) if isinstance(value, Mapping) else {}
