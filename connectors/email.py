"""Mail by SMTP (RFC 5321), or as files in an outbox folder when no server is set."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from core.breaker import Breaker
from core.clock import Clock
from core.errors import InDoubt, InvalidInput, Unavailable, Unfinishable
from core.ports import EffectCall, EffectClass
from core.settings import Settings

MAIL = SMTP.clone(cte_type="7bit")  # a server need not know 8BITMIME
RECIPIENTS_MAX = 20
ATTACHMENT_BYTES_MAX = 10_000_000
# One recipient that is put off (greylisting, say) must not stop the mail of everybody else.
ALIVE = frozenset({"mail_deferred"})
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:localhost|(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,62})"
)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Server:
    """`tls`: `implicit` (smtps), `require`, `offer` (STARTTLS when the server has it) or `none`."""

    host: str
    port: int
    user: str
    password: str
    tls: str

    @classmethod
    def from_url(cls, url: str) -> Server:
        """`smtp://user:password@host:587?tls=require` or `smtps://…`. A password never travels
        without TLS unless the URL says `tls=none` or `tls=offer`."""
        parts = urlsplit(url)
        secure = parts.scheme == "smtps"
        user = unquote(parts.username or "")
        usual = "implicit" if secure else "require" if user else "offer"
        tls = parse_qs(parts.query).get("tls", [usual])[0]
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(f"WEFT_SMTP_URL must look like smtp://host:587, not {url!r}")
        if tls not in ("implicit", "require", "offer", "none"):
            raise ValueError(f"tls in WEFT_SMTP_URL is require, offer or none, not {tls!r}")
        port = parts.port or (465 if secure else 587)
        return cls(parts.hostname, port, user, unquote(parts.password or ""), tls)


class Email:
    """Request: `{to, subject, body, attachments?}`; `to` is one address or a list. Config:
    `email_recipients`, the tenant's allow-list of addresses and `@domains` (empty: no limit).

    By SMTP it is blind: repeated only when the server surely did not take it. Into the outbox it
    is keyed: a file named by the effect's key appears whole or not at all.
    """

    def __init__(
        self, settings: Settings, clock: Clock, breaker: Breaker, timeout_seconds: float = 20.0
    ) -> None:
        url = settings.smtp_url or f"file:{settings.data_dir / 'outbox'}"
        self._outbox = Path(url.removeprefix("file:")) if url.startswith("file:") else None
        self._server = None if self._outbox else Server.from_url(url)
        self._sender, self._clock, self._breaker = settings.smtp_sender, clock, breaker
        self._timeout = timeout_seconds

    @property
    def effect_class(self) -> EffectClass:
        return "keyed" if self._outbox else "blind"

    def check(self, call: EffectCall) -> None:
        """Raises `InvalidInput` for a bad recipient, a line break in a header, a bad attachment."""
        self._message(call)

    def send(self, call: EffectCall) -> dict[str, Any]:
        """Gives `{message_id, recipients}`. Raises `Unavailable` (surely not taken),
        `Unfinishable` (refused for good) or `InDoubt`."""
        try:
            mail = self._message(call)
        except InvalidInput as error:
            raise Unfinishable(error.detail, code=error.slug) from error
        to = recipients(call)
        if self._outbox:
            _drop(self._outbox, call.key, mail.as_bytes(policy=MAIL))
        elif self._server:
            with self._breaker.guard(f"{self._server.host}:{self._server.port}", ALIVE):
                self._deliver(self._server, mail, to)
        return {"message_id": str(mail["Message-ID"]), "recipients": to}

    def lookup(self, call: EffectCall) -> dict[str, Any] | None:
        """Mail cannot be looked up."""
        return None

    def _message(self, call: EffectCall) -> EmailMessage:
        to, now = recipients(call), datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC)
        mail = EmailMessage(policy=MAIL)
        mail["From"] = self._sender
        mail["To"] = ", ".join(to)
        mail["Subject"] = _line(call.request.get("subject"), "subject")
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = message_id(call.key, self._sender)
        mail["Auto-Submitted"] = "auto-generated"
        body = call.request.get("body")
        if not isinstance(body, str) or len(body) > 1_000_000:
            raise InvalidInput("A mail's body is a text of at most 1 MB.", code="bad_body")
        mail.set_content(body.replace("\0", ""))
        _attach(mail, call.request.get("attachments") or ())
        return mail

    def _deliver(self, server: Server, mail: EmailMessage, to: list[str]) -> None:
        try:
            smtp = self._connect(server)
        except (OSError, smtplib.SMTPException) as error:
            raise _not_sent(server, error) from error
        try:
            self._envelope(smtp, server, to)
            _data(smtp, server, mail.as_bytes(policy=MAIL))
        finally:
            # The answer is known by now: a failure to say goodbye changes nothing.
            smtp.close()

    def _connect(self, server: Server) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if server.tls == "implicit":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout, context=context
            )
        smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            smtp.ehlo_or_helo_if_needed()
            if server.tls != "none" and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
            elif server.tls == "require":
                raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
        except (OSError, smtplib.SMTPException):
            smtp.close()
            raise
        return smtp

    def _envelope(self, smtp: smtplib.SMTP, server: Server, to: list[str]) -> None:
        try:
            smtp.ehlo_or_helo_if_needed()
            if server.user:
                smtp.login(server.user, server.password)
            answers = [("the sender", *smtp.mail(self._sender))]
            answers += [(address, *smtp.rcpt(address)) for address in to]
        except (OSError, smtplib.SMTPException) as error:
            raise _not_sent(server, error) from error
        for who, status, text in answers:
            if not 200 <= status < 300:
                raise _refused(server, f"{who}: {status} {_shown(text)}", status)


def _data(smtp: smtplib.SMTP, server: Server, message: bytes) -> None:
    try:
        status, text = smtp.docmd("DATA")
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(server, error) from error
    if status != 354:
        raise _refused(server, f"DATA: {status} {_shown(text)}", status)
    stuffed = re.sub(rb"(?m)^\.", b"..", message)  # RFC 5321 §4.5.2
    try:
        smtp.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        status, text = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise _in_doubt(server) from error
    if status < 200:
        raise _in_doubt(server)
    if status >= 300:
        raise _refused(server, f"the mail: {status} {_shown(text)}", status)


def _in_doubt(server: Server) -> InDoubt:
    return InDoubt(
        f"{server.host} was given the mail and did not confirm it. Look whether it arrived "
        "before you send it again.",
        code="mail_in_doubt",
    )


def _not_sent(server: Server, error: Exception) -> Unavailable:
    return Unavailable(
        f"The mail server {server.host}:{server.port} took nothing ({type(error).__name__}). "
        "The operator checks WEFT_SMTP_URL.",
        code="mail_unavailable",
    )


def _refused(server: Server, what: str, status: int) -> Unavailable | Unfinishable:
    detail = f"{server.host} did not accept {what}"
    if status >= 500:
        return Unfinishable(detail, code="mail_refused")
    return Unavailable(detail, code="mail_deferred")


def _shown(text: bytes) -> str:
    return text.decode("ascii", "replace")[:200]


def recipients(call: EffectCall) -> list[str]:
    """The addresses in `to`, each plain and on the tenant's allow-list."""
    given = call.request.get("to")
    to = [given] if isinstance(given, str) else list(given or ())
    if not 1 <= len(to) <= RECIPIENTS_MAX:
        raise InvalidInput(f"A mail has 1 to {RECIPIENTS_MAX} recipients.", code="bad_recipient")
    allow = {str(entry).lower() for entry in call.config.get("email_recipients") or ()}
    for address in to:
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address) or len(address) > 254:
            raise InvalidInput(f"{address!r} is not a mail address.", code="bad_recipient")
        domain = "@" + address.rpartition("@")[2].lower()
        if allow and address.lower() not in allow and domain not in allow:
            raise InvalidInput(
                f"{address} is not on this tenant's list of recipients (config.email_recipients).",
                code="recipient_not_allowed",
            )
    return list(dict.fromkeys(to))


def message_id(key: str, sender: str) -> str:
    """The same for every retry of one effect."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2] or 'weft'}>"


def _line(text: Any, name: str) -> str:
    if not isinstance(text, str) or not text or len(text) > 400:
        raise InvalidInput(f"A mail's {name} has 1 to 400 characters.", code=f"bad_{name}")
    if any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" for c in text):
        raise InvalidInput(f"A mail's {name} is one line.", code=f"bad_{name}")
    return text


def _attach(mail: EmailMessage, attachments: Any) -> None:
    left = ATTACHMENT_BYTES_MAX
    for item in attachments:
        name, kind = _line(item.get("filename"), "filename"), item.get("content_type", "")
        if not _TYPE.fullmatch(kind):
            raise InvalidInput(f"{kind!r} is not a content type.", code="bad_attachment")
        try:
            data = base64.b64decode(item.get("base64", ""), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(f"{name} is not base64.", code="bad_attachment") from error
        left -= len(data)
        if left < 0:
            raise InvalidInput("Attachments are at most 10 MB in all.", code="bad_attachment")
        main, _, sub = kind.partition("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)


def _drop(outbox: Path, key: str, data: bytes) -> None:
    """Whole or not at all; a second time changes nothing."""
    outbox.mkdir(parents=True, exist_ok=True)
    plain = re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key)
    name = key if plain else hashlib.sha256(key.encode()).hexdigest()
    path = outbox / f"{name}.eml"
    if path.exists():
        return
    scratch = outbox / f".{name}.{os.getpid()}"
    with scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
