"""A mail box by POP3: every mail once, as far as the server's own numbers (UIDL) tell."""

from __future__ import annotations

import base64
import contextlib
import poplib
import socket
from collections.abc import Iterator, Mapping
from typing import Any, cast

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net
from ingestion.sources import Access, At, Config, Cursor, Dead, Item, Pulled
from ingestion.sources.mail import (
    VERSION,
    ServerConfig,
    check_server,
    count,
    head,
    item,
    plain,
    too_old,
    wanted,
)
from ingestion.sources.mail_sign_in import READ, SECRETS, Proof, needed, proof
from ingestion.sources.wire import Wire

_PORTS = {"tls": 995, "starttls": 110, "none": 110}
_FETCH_SECONDS = 100.0  # of one mail, less than the claim of a pull
_LISTS_BYTES = 16 * 2**20
_LATER = ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]")
_BOX = "INBOX"  # the only one that POP3 has


class Pop3Config(ServerConfig):
    pass


class _Client(poplib.POP3):
    """The library's grammar on our own `Wire`, which bounds every answer and every line."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        super().__init__(wire.place)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        del timeout
        return cast(socket.socket, self.wire)  # with the few methods that the library uses

    def _getline(self) -> tuple[bytes, int]:
        line = self.wire.readline()
        return line.rstrip(b"\r\n"), len(line)

    def secure(self) -> None:
        try:
            if self._shortcmd("STLS").startswith(b"+OK"):  # type: ignore[attr-defined]
                self.wire.secure()
                return
        except poplib.error_proto:
            pass
        raise Unfinishable(
            f"{self.wire.place} offers no STARTTLS. Set `security` to tls, with the port for it "
            "(995).",
            code="no_tls",
        )

    def sign_in(self, who: Proof) -> None:
        """Raises `Unfinishable` with the server's words, `Unavailable` for one who is busy."""
        if not (who.user + who.password).isprintable():
            raise InvalidInput(
                "POP3 takes no control characters in a password.", code="bad_config",
                field="secrets.password",
            )  # fmt: skip
        try:
            if who.token:
                self._by_token(who)
            else:
                self.user(who.user)
                self.pass_(who.password)
        except poplib.error_proto as error:
            words = who.hidden(error.args[0] if error.args else "").removeprefix("-ERR ")
            if any(code in words.upper() for code in _LATER):
                raise Unavailable(
                    f"{self.wire.place} cannot take {who.user} in now: {words}", code="busy"
                ) from error
            raise who.refused(self.wire.place, words) from error

    def _by_token(self, who: Proof) -> None:
        """In two lines, as Microsoft wants it (RFC 5034). A refusal comes as a challenge first."""
        mechanism, answer = who.spoken(self.capa().get("SASL", []), self.wire.place)
        ask = self._shortcmd  # type: ignore[attr-defined]
        ask(f"AUTH {mechanism}")
        if not ask(base64.b64encode(answer).decode()).startswith(b"+OK"):
            ask(base64.b64encode(READ[mechanism]).decode())
            raise poplib.error_proto("-ERR refused")

    def names(self) -> list[tuple[int, str]]:
        """Number in this session and lasting name of each mail, the oldest first. Raises
        `Unfinishable` for a server that has no lasting names."""
        self.wire.begin(60.0, _LISTS_BYTES)
        try:
            lines = self.uidl()[1]
        except poplib.error_proto as error:
            raise Unfinishable(
                f"{self.wire.place} does not name its mails (UIDL). Use IMAP.", code="no_uidl"
            ) from error
        pairs = [line.split() for line in lines]
        return [
            (int(one[0]), one[1].decode("latin-1"))
            for one in pairs
            if len(one) == 2 and one[0].isdigit() and len(one[0]) < 10 and len(one[1]) <= 70
        ]

    def sizes(self) -> dict[int, int]:
        self.wire.begin(60.0, _LISTS_BYTES)
        pairs = [line.split() for line in self.list()[1]]
        return {
            int(one[0]): int(one[1])
            for one in pairs
            if len(one) == 2 and all(part.isdigit() and len(part) < 13 for part in one)
        }

    def top_of(self, number: int) -> bytes | None:
        """None where the server cannot give the headers alone."""
        self.wire.begin()
        try:
            return _joined(self.top(number, 0)[1])
        except poplib.error_proto:
            return None

    def mail(self, number: int, bytes_max: int) -> bytes | None:
        """At most one byte more than `bytes_max`; None for one that is gone."""
        self.wire.begin(_FETCH_SECONDS, 2 * bytes_max + 65_536)
        try:
            return _joined(self.retr(number)[1])[: bytes_max + 1]
        except poplib.error_proto:
            return None


class Pop3:
    kind = "pop3"
    config: type[Config] = Pop3Config
    secrets: Mapping[str, str] = SECRETS

    def lacks(self, config: Mapping[str, Any], secrets: Mapping[str, str]) -> str | None:
        return needed(plain(config.get("auth")), secrets)

    def check(self, config: Pop3Config, net: Net) -> None:
        check_server(config, _port(config), net)

    def test(self, access: Access) -> str:
        with _session(access) as client:
            names = client.names()
        new = len(names) - _after(names, access.cursor)
        return (
            f"Signed in as {access.config.user}; the mail box has "
            f"{count(len(names), 'message')}, {new:,} new."
        )

    def pull(self, access: Access) -> Iterator[Pulled]:
        with _session(access) as client:
            names = client.names()
            fresh = names[_after(names, access.cursor) :]
            sizes = client.sizes() if fresh else {}
            for number, name in fresh:
                if access.stopped():
                    return
                here = {"last": name}
                if not access.known(f"{_BOX}/{name}", VERSION):
                    one = _one(access, client, number, name, sizes.get(number, 0), here)
                    if one is not None:
                        yield one
            if fresh:
                yield At({"last": fresh[-1][1]})


def _one(
    access: Access, client: _Client, number: int, name: str, size: int, cursor: Cursor
) -> Item | Dead | None:
    config: Pop3Config = access.config
    key, cap = f"{_BOX}/{name}", min(config.mail_bytes_max, access.bytes_max)
    if config.since or config.from_contains or config.subject_contains:
        top = client.top_of(number)
        if top is not None and not _fits(config, top):
            return None
    data = None if size > cap else client.mail(number, cap)
    if size > cap or (data is not None and len(data) > cap):
        return Dead(key, VERSION, "too_large", f"The mail is larger than {cap:,} bytes.", cursor)
    return item(key, data, _BOX, cursor) if data is not None and _fits(config, data) else None


def _fits(config: Pop3Config, data: bytes) -> bool:
    top = head(data)
    return wanted(config, top) and not too_old(config, top)


def _after(names: list[tuple[int, str]], cursor: Cursor) -> int:
    """Where the mails begin that came after the last one; all, when that one was deleted."""
    last = cursor.get("last")
    return next((at + 1 for at, (_, name) in enumerate(names) if name == last), 0)


def _joined(lines: list[bytes]) -> bytes:
    return b"\r\n".join(lines) + b"\r\n"


def _port(config: Pop3Config) -> int:
    return config.port or _PORTS[config.security]


@contextlib.contextmanager
def _session(access: Access) -> Iterator[_Client]:
    config: Pop3Config = access.config
    who = proof(access)
    wire = Wire(access.net, config.host, _port(config))
    try:
        if config.security == "tls":
            wire.secure()
        client = _Client(wire)
        if config.security == "starttls":
            client.secure()
        client.sign_in(who)
        yield client
        wire.begin(2.0)
        with contextlib.suppress(poplib.error_proto, Unavailable):
            client._shortcmd("QUIT")  # type: ignore[attr-defined]
    except poplib.error_proto as error:
        words: Any = error.args[0] if error.args else ""
        raise Unavailable(
            f"{wire.place} broke off: {who.hidden(words)}", code="broken_off"
        ) from error
    finally:
        wire.close()


SOURCE = Pop3()
