"""A mail box that is opened by OAuth 2: by IMAP and by POP3, with tokens that are used up."""

from __future__ import annotations

import base64
import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from ingestion.sources import Access, Item
from ingestion.sources.kinds import check_secrets, checked, source
from tests.fakes.imap import USER, FakeImap, mail
from tests.fakes.oauth import REFRESH, SECRET, FakeOAuth

BOTH = "XOAUTH2 OAUTHBEARER"


@pytest.fixture
def provider() -> Iterator[FakeOAuth]:
    with FakeOAuth(USER) as made:
        yield made


@pytest.fixture
def box(provider: FakeOAuth) -> Iterator[FakeImap]:
    with FakeImap() as made:
        made.token = lambda: provider.access
        made.capabilities = "IMAP4rev1 IDLE AUTH=XOAUTH2 LOGINDISABLED"
        made.put(mail(1))
        yield made


class _Pop3(socketserver.StreamRequestHandler):
    """One mail, for whoever shows the token."""

    offered, token = "", staticmethod(str)

    def handle(self) -> None:
        lists = {"UIDL": "1 one\r\n.", "LIST": "1 200\r\n.", "QUIT": "",
                 "CAPA": f"SASL PLAIN {self.offered}\r\n.",
                 "RETR": mail(1).decode() + "."}  # fmt: skip
        self.say("+OK ready")
        with contextlib.suppress(OSError):
            while line := self.rfile.readline().decode().strip():
                command, _, rest = line.partition(" ")
                if command == "AUTH":
                    self.say(self.signed_in(rest))
                else:
                    self.say(f"+OK\r\n{lists[command]}".rstrip("\r\n"))

    def signed_in(self, mechanism: str) -> str:
        self.say("+ ")
        given = base64.b64decode(self.rfile.readline()).decode()
        if given.endswith(f"\1auth=Bearer {self.token()}\1\1") and USER in given:
            return "+OK in"
        self.say("+ " + base64.b64encode(b'{"status":"400"}').decode())
        read = base64.b64decode(self.rfile.readline())
        assert read == {"XOAUTH2": b"", "OAUTHBEARER": b"\1"}[mechanism]
        return "-ERR [AUTH] no."

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextlib.contextmanager
def pop3(provider: FakeOAuth, offered: str) -> Iterator[int]:
    own = {"offered": offered, "token": staticmethod(lambda: provider.access)}
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("H", (_Pop3,), own)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join(5)


class Reader:
    def __init__(self, kind: str, port: int, provider: FakeOAuth, **auth: str) -> None:
        self.kind, self.secrets = kind, {"refresh_token": REFRESH, "client_secret": SECRET}
        self.kept: list[str] = []
        net = Egress(f"127.0.0.1:{port},{provider.place}")
        made = checked(kind, {
            "host": "127.0.0.1", "port": port, "security": "none", "user": USER,
            "auth": provider.config(**auth),
        }, net)  # fmt: skip
        self.access = Access(
            source(kind).config.model_validate(made), self.secrets, {}, net, SystemClock(),
            lambda _key, _version: False, frozenset, lambda: False, 1_000_000, Path("/nowhere"),
            keep=self.keep,
        )  # fmt: skip

    def keep(self, changed: Any) -> None:
        self.secrets.update(changed)
        self.kept += changed.values()

    def pull(self) -> list[str]:
        found = source(self.kind).pull(self.access)
        return [str(one.metadata["subject"]) for one in found if isinstance(one, Item)]


@pytest.mark.parametrize("mechanism", BOTH.split())
def test_imap_is_opened_by_a_token_and_a_new_refresh_token_is_kept(
    box: FakeImap, provider: FakeOAuth, mechanism: str
) -> None:
    box.capabilities = f"IMAP4rev1 AUTH={mechanism} LOGINDISABLED"
    provider.rotates = True
    reader = Reader("imap", box.port, provider)
    assert (reader.pull(), reader.kept) == (["Invoice 1"], ["refresh-1"])
    assert (reader.pull(), reader.kept) == (["Invoice 1"], ["refresh-1", "refresh-2"])
    assert provider.asked[1] == {
        "grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": "client-7",
        "client_secret": SECRET, "scope": "mail offline_access",
    }  # fmt: skip


@pytest.mark.parametrize("offered", [*BOTH.split(), BOTH])
def test_pop3_is_opened_by_a_token(provider: FakeOAuth, offered: str) -> None:
    with pop3(provider, offered) as port:
        assert Reader("pop3", port, provider).pull() == ["Invoice 1"]


def test_a_client_signs_in_as_itself_where_there_is_no_refresh_token(
    box: FakeImap, provider: FakeOAuth
) -> None:
    reader = Reader("imap", box.port, provider)
    del reader.secrets["refresh_token"]
    assert (reader.pull(), reader.kept) == (["Invoice 1"], [])
    assert provider.asked[0]["grant_type"] == "client_credentials"


@pytest.mark.parametrize(("refuse", "error", "code", "words"), [
    ((400, "invalid_grant"), Unfinishable, "sign_in_refused", "set the new `refresh_token`"),
    ((401, "invalid_client"), Unfinishable, "sign_in_refused", "`client_secret`"),
    ((400, "invalid_scope"), Unfinishable, "sign_in_refused", "auth.scope"),
    ((400, "what"), Unfinishable, "sign_in_refused", "OAuth client"),
    ((429, "slow_down"), Unavailable, "busy", "asks to wait"),
    ((503, "temporarily_unavailable"), Unavailable, "busy", "asks to wait"),
])  # fmt: skip
def test_what_the_provider_refuses_is_said_in_words(
    box: FakeImap, provider: FakeOAuth, refuse: tuple[int, str], error: type[WeftError],
    code: str, words: str,
) -> None:  # fmt: skip
    provider.refuse = refuse
    with pytest.raises(error, match=words) as told:
        Reader("imap", box.port, provider).pull()
    assert told.value.slug == code
    assert not [one for one in (REFRESH, SECRET) if one in told.value.detail]


@pytest.mark.parametrize("offered", [*BOTH.split(), ""])
def test_a_server_that_refuses_the_token_is_told_so_and_left(
    box: FakeImap, provider: FakeOAuth, offered: str
) -> None:
    box.token = lambda: "another"
    box.capabilities = f"IMAP4rev1 AUTH={offered}"
    code, words = ("sign_in_refused", "right scope") if offered else ("no_oauth", "no OAuth")
    with pytest.raises(Unfinishable, match=words) as told:
        Reader("imap", box.port, provider).pull()
    assert told.value.slug == code
    assert "access-" not in told.value.detail
    with (
        FakeOAuth(USER) as another,
        pop3(another, offered) as port,
        pytest.raises(Unfinishable, match=words) as told,
    ):
        Reader("pop3", port, provider).pull()
    assert told.value.slug == code


@pytest.mark.parametrize(("auth", "secrets", "field"), [
    ({"token_url": ""}, {"refresh_token": "x"}, "config.auth.token_url"),
    ({"client_id": ""}, {"refresh_token": "x"}, "config.auth.client_id"),
    ({"token_url": "http://login.example/token"}, {"refresh_token": "x"}, "config.auth.token_url"),
    ({"token_url": "https://10.0.0.1/token"}, {"refresh_token": "x"}, "config.auth.token_url"),
    ({}, {}, "secrets.refresh_token"),
    ({"style": "password"}, {"refresh_token": "x"}, "secrets.password"),
])  # fmt: skip
def test_what_is_missing_is_named(
    auth: dict[str, str], secrets: dict[str, str], field: str
) -> None:
    usual = {"style": "oauth2", "client_id": "c", "token_url": "https://login.example/token"}
    given = {"host": "mail.example", "user": USER, "auth": {**usual, **auth}}
    with pytest.raises(InvalidInput) as told:
        check_secrets("imap", secrets, checked("imap", given, Egress()))
    assert told.value.extra["field"] == field
