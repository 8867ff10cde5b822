"""IMAP as a source needs it, on a socket that was made by `Net`: RFC 3501, IDLE (RFC 2177), MOVE
(RFC 6851), UIDPLUS (RFC 4315)."""

from __future__ import annotations

import contextlib
import imaplib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput, Unavailable, Unfinishable
from ingestion.sources.mail import Head, head
from ingestion.sources.mail_sign_in import READ, Proof
from ingestion.sources.wire import BYTES, Wire, quoted

_FETCH_SECONDS = 100.0  # of one mail, less than the claim of a pull
_SLACK = 65_536
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
_NEWS = re.compile(rb"\* \d+ (EXISTS|RECENT)\b", re.IGNORECASE)
_LISTED = re.compile(rb'\(.*?\) (?:"(?:[^"\\]|\\.)*"|NIL) (.*)')
_LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


@dataclass(frozen=True, slots=True)
class About:
    """A mail before it is fetched; `top` has its sender and subject only."""

    size: int
    top: Head


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder: its UIDVALIDITY, the UID that the next mail gets (0: unknown), how many it has."""

    validity: int
    following: int
    mails: int


class Client(imaplib.IMAP4):
    """The library's grammar on our own `Wire`, which bounds every answer."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        super().__init__()

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        del timeout
        self.host, self.port = host, port

    def read(self, size: int) -> bytes:
        return self.wire.read(size)

    def readline(self) -> bytes:
        return self.wire.readline()

    def send(self, data: Any) -> None:
        self.wire.sendall(bytes(data))

    def shutdown(self) -> None:
        self.wire.close()

    def secure(self) -> None:
        """Raises `Unfinishable` where the server does not."""
        if "STARTTLS" not in self.capabilities or self.xatom("STARTTLS")[0] != "OK":
            raise Unfinishable(
                f"{self.wire.place} offers no STARTTLS. Set `security` to tls, with the port for "
                "it (993).",
                code="no_tls",
            )
        self.wire.secure()
        self.learn()

    def learn(self) -> None:
        """What it offers from here on: more than before the sign-in."""
        told = self.capability()[1]
        self.capabilities = tuple(str(told[-1] or b"", "ascii", "replace").upper().split())

    def sign_in(self, who: Proof) -> None:
        """Raises `Unfinishable` with the server's words, `Unavailable` for one who is busy."""
        try:
            self._by_token(who) if who.token else self._by_password(who)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            words = who.hidden(error.args[0] if error.args else "")
            if any(code in words.upper() for code in _LATER):
                raise Unavailable(
                    f"{self.wire.place} cannot take {who.user} in now: {words}", code="busy"
                ) from error
            raise who.refused(self.wire.place, words) from error
        self.learn()

    def _by_password(self, who: Proof) -> None:
        if "LOGINDISABLED" in self.capabilities:
            raise Unfinishable(
                f"{self.wire.place} takes no password without TLS. Set `security` to starttls.",
                code="no_tls",
            )
        both = who.user + who.password
        if "AUTH=PLAIN" in self.capabilities:
            plain = f"\0{who.user}\0{who.password}".encode()
            self.authenticate("PLAIN", lambda _: plain)
        elif both.isascii() and both.isprintable():
            self.login(who.user, who.password)
        else:
            raise Unfinishable(
                f"{self.wire.place} takes plain ASCII passwords only.", code="sign_in_refused"
            )

    def _by_token(self, who: Proof) -> None:
        """A refusal comes as a challenge, whose answer is that it was read; then it is said."""
        offered = [one.removeprefix("AUTH=") for one in self.capabilities]
        mechanism, answer = who.spoken(offered, self.wire.place)
        self.authenticate(mechanism, lambda refusal: READ[mechanism] if refusal else answer)

    def enter(self, folder: str, *, readonly: bool) -> Opened:
        """Raises `InvalidInput`."""
        self.wire.begin()
        try:
            answer, told = self.select(named(folder), readonly)
        except imaplib.IMAP4.readonly as error:
            raise InvalidInput(
                f"{folder} may only be read. Set `on_taken` to nothing.",
                code="read_only", field="config.on_taken",
            ) from error  # fmt: skip
        if answer != "OK":
            raise InvalidInput(
                f"There is no folder {folder!r} that {self.wire.place} opens. "
                f"There are: {', '.join(self.folders())}.",
                code="no_folder", field="config.folders",
            )  # fmt: skip
        validity, following = (self.response(name)[1][-1] for name in ("UIDVALIDITY", "UIDNEXT"))
        return Opened(_number(validity), _number(following), _number(told[-1]))

    def folders(self) -> list[str]:
        from imap_tools.imap_utf7 import utf7_decode

        self.wire.begin()
        found = []
        for line in self.list()[1][:50]:
            match = _LISTED.match(line) if isinstance(line, bytes) else None
            if match:
                name = match[1].strip().removeprefix(b'"').removesuffix(b'"')
                with contextlib.suppress(ValueError):
                    found.append(quoted(utf7_decode(name)))
        return sorted(found)[:20]

    def there(self, folder: str) -> bool:
        self.wire.begin()
        return self.status(named(folder), "(MESSAGES)")[0] == "OK"

    def found(self, *criteria: str) -> list[int]:
        """UIDs in the open folder, ascending."""
        self.wire.begin(60.0, 16 * 2**20)
        lines = self._asked("SEARCH", *criteria)
        numbers = b" ".join(line for line in lines if isinstance(line, bytes)).split()
        return sorted({int(one) for one in numbers if one.isdigit() and len(one) <= 10})

    def about(self, uids: Sequence[int]) -> dict[int, About]:
        self.wire.begin(60.0, 16 * 2**20)
        wanted = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])"
        made = {}
        for text, literal in _answers(self._asked("FETCH", span(uids), wanted)):
            uid, size = _UID.search(text), _SIZE.search(text)
            if uid and size:
                made[int(uid[1])] = About(int(size[1]), head(literal))
        return made

    def mails(self, uids: Sequence[int], bytes_max: int) -> dict[int, bytes]:
        """At most one byte more than `bytes_max` of each, and not much more of all; without those
        that are gone."""
        self.wire.begin(_FETCH_SECONDS, max(bytes_max, 2 * BYTES) + _SLACK)
        asked, found = f"(UID BODY.PEEK[]<0.{bytes_max + 1}>)", {}
        for text, literal in _answers(self._asked("FETCH", span(uids), asked)):
            uid = _UID.search(text)
            if uid and int(uid[1]) in uids and b"BODY[" in text.upper():
                found[int(uid[1])] = literal
        return found

    def mark_seen(self, uids: Sequence[int]) -> None:
        self.wire.begin()
        self._asked("STORE", span(uids), "+FLAGS.SILENT", r"(\Seen)")

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Nothing but these is ever expunged: where the server cannot say which, they stay with
        the mark of a deleted mail. Raises `InvalidInput` for a folder that is not there."""
        if not self.there(folder):
            raise no_target(folder)
        self.wire.begin()
        if "MOVE" in self.capabilities:
            self._asked("MOVE", span(uids), named(folder))
            return
        self._asked("COPY", span(uids), named(folder))
        self._asked("STORE", span(uids), "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self.capabilities:
            self._asked("EXPUNGE", span(uids))

    def idle(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        """Whether something came. A look at `stopped` each second."""
        until = time.monotonic() + seconds
        self.wire.begin()
        self.wire.sendall(b"idle IDLE\r\n")
        told, line = False, b""
        while not line.startswith(b"+"):
            line = self.wire.readline()
            told = told or bool(_NEWS.match(line))
            if line.startswith(b"idle "):
                raise Unfinishable(
                    f"{self.wire.place} offers no IDLE. Set `watch` to false and a schedule.",
                    code="no_idle",
                )
        while not told and time.monotonic() < until and not stopped():
            got = self.wire.patient(1.0) or b""
            told = bool(_NEWS.match(got))
            if got.upper().startswith(b"* BYE"):
                raise Unavailable(f"{self.wire.place} ended the watch.", code="broken_off")
        self.wire.begin()
        self.wire.sendall(b"DONE\r\n")
        while not line.startswith(b"idle "):
            line = self.wire.readline()
            told = told or bool(_NEWS.match(line))
        return told

    def _asked(self, command: str, *arguments: str) -> list[Any]:
        answer, told = self.uid(command, *arguments)
        if answer != "OK":
            raise Unfinishable(
                f"{self.wire.place} refuses {command}: {quoted(told[-1] if told else '')}",
                code="refused",
            )
        return list(told)


def no_target(folder: str) -> InvalidInput:
    return InvalidInput(
        f"There is no folder {folder!r} to move mails into. Make it in the mail box.",
        code="no_folder", field="config.move_to",
    )  # fmt: skip


def named(folder: str) -> str:
    """As IMAP writes a folder's name (RFC 3501 5.1.3), in quotes."""
    from imap_tools.imap_utf7 import utf7_encode

    text = utf7_encode(folder).decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def span(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def _answers(told: Sequence[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Each mail's line, and the literal in it; items may stand before and after the literal."""
    text, literal = b"", b""
    for part in told:
        if isinstance(part, tuple):
            if literal or text:
                yield text, literal
            text, literal = part[0], part[1]
        elif isinstance(part, bytes):
            if literal or text:
                yield text + b" " + part, literal
                text, literal = b"", b""
            else:
                yield part, b""
    if literal or text:
        yield text, literal


def _number(told: Any) -> int:
    return int(told) if isinstance(told, bytes) and told.isdigit() else 0


def opened(wire: Wire, security: str) -> Client:
    """After the greeting, with TLS where it is asked for; closed again on failure."""
    try:
        if security == "tls":
            wire.secure()
        client = Client(wire)
        if security == "starttls":
            client.secure()
    except BaseException:
        wire.close()
        raise
    return client


def closed(client: Client) -> None:
    """Polite where that costs nothing."""
    client.wire.begin(2.0, BYTES)
    with contextlib.suppress(Exception):
        client.logout()
    client.wire.close()
