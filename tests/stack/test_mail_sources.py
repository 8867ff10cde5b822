"""Mail boxes on a real Dovecot: each mail is one document, also when the platform dies."""

from __future__ import annotations

import hashlib
import imaplib
import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import Unfinishable
from ingestion.sources import Access, Item
from ingestion.sources.imap_wire import named
from ingestion.sources.kinds import checked, source
from tests.fakes.imap import mail
from tests.fakes.oauth import CLIENT, REFRESH, FakeOAuth
from tests.flows.person import Person
from tests.flows.platform import Platform, pause
from tests.flows.test_kill import QUICK
from tests.stack.servers import Servers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
# A worker that waits long for a busy core has not died: a step bears five deaths.
CALM = {**QUICK, "WEFT_LEASE_SECONDS": "4"}
IMAP, POP3, IMAPS, OAUTH = 0, 1, 2, 4  # after the first one, as the stack lays them out


@dataclass
class Box:
    """A mail box of its own on the real server."""

    port: int
    password: str
    certificate: Path
    user: str = field(default_factory=lambda: f"{secrets.token_hex(6)}@example.test")

    @classmethod
    def on(cls, servers: Servers) -> Box:
        servers.up("dovecot")
        state = Path(servers.environment["WEFT_STACK_DIR"])
        mark = hashlib.sha256(str(state).encode()).hexdigest()[:12]  # as the stack names its own
        own = Path("/var/lib/weft-stack") / mark if os.geteuid() == 0 else state
        certificate = own / "dovecot" / "certificate.pem"
        return cls(servers.port("dovecot"), servers.secret("dovecot"), certificate)

    def put(self, *mails: bytes, folder: str = "INBOX", new: bool = False) -> None:
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login(self.user, self.password)
            if new:
                client.delete(named(folder))
                client.create(named(folder))
            for one in mails:
                assert client.append(named(folder), "", "", one)[0] == "OK"

    def count(self, folder: str) -> int:
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login(self.user, self.password)
            return int(client.select(named(folder), readonly=True)[1][0] or b"0")

    def config(self, **more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "user": self.user,
                **more}  # fmt: skip

    @property
    def allowed(self) -> str:
        hosts = ("127.0.0.1", "localhost")
        return ",".join(f"{h}:{self.port + n}" for h in hosts for n in (IMAP, POP3, IMAPS, OAUTH))


@pytest.fixture
def box(servers: Servers) -> Box:
    return Box.on(servers)


def pulled(
    box: Box,
    kind: str,
    cursor: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    **config: Any,
) -> tuple[list[Item], Mapping[str, Any], str]:
    """By the craft alone, over a network that trusts the server's certificate."""
    net = Egress(box.allowed, tls=ssl.create_default_context(cafile=box.certificate))
    own = source(kind)
    made = own.config.model_validate(checked(kind, box.config(**config), net))
    access = Access(made, secrets or {"password": box.password}, cursor, net, SystemClock(),
                    lambda _key, _version: False, frozenset, lambda: False, 1_000_000,
                    Path("/nowhere"))  # fmt: skip
    told, found = own.test(access), list(own.pull(access))
    last = next((one.cursor for one in reversed(found) if getattr(one, "cursor", None)), cursor)
    return [one for one in found if isinstance(one, Item)], last or {}, told


@pytest.mark.parametrize(("kind", "security", "port"), [
    ("imap", "none", IMAP), ("imap", "starttls", IMAP), ("imap", "tls", IMAPS),
    ("pop3", "none", POP3), ("pop3", "starttls", POP3),
])  # fmt: skip
def test_each_mail_comes_once_by_each_way(box: Box, kind: str, security: str, port: int) -> None:
    box.put(mail(1), mail(2))
    how: dict[str, Any] = {"host": "localhost", "security": security, "port": box.port + port}
    items, cursor, told = pulled(box, kind, {}, **how)
    assert [one.metadata["subject"] for one in items] == ["Invoice 1", "Invoice 2"]
    assert "2 messages, 2 new" in told
    box.put(mail(3))
    again, cursor, told = pulled(box, kind, cursor, **how)
    assert [one.metadata["subject"] for one in again] == ["Invoice 3"]
    assert "3 messages, 1 new" in told
    assert pulled(box, kind, cursor, **how)[0] == []


@pytest.mark.parametrize(("kind", "port"), [("imap", IMAP), ("pop3", POP3)])
def test_a_box_is_opened_by_oauth(box: Box, kind: str, port: int) -> None:
    box.put(mail(1))
    how: dict[str, Any] = {"host": "localhost", "security": "starttls", "port": box.port + port}
    with FakeOAuth(box.user, port=box.port + OAUTH) as provider:
        auth = provider.config()
        items, _, told = pulled(box, kind, {}, {"refresh_token": REFRESH}, auth=auth, **how)
        assert ([one.metadata["subject"] for one in items], "1 new" in told) == (
            ["Invoice 1"],
            True,
        )
        provider.user = "somebody.else@example.test"  # the token is another's
        with pytest.raises(Unfinishable) as refused:
            pulled(box, kind, {}, {"refresh_token": REFRESH}, auth=auth, **how)
        assert refused.value.slug == "sign_in_refused"
        assert {one["client_id"] for one in provider.asked} == {CLIENT}


def test_a_folder_that_was_made_anew_gives_the_same_mails(box: Box) -> None:
    box.put(mail(1), mail(2), folder="Rechnungen & Belege", new=True)
    first, cursor, _ = pulled(box, "imap", {}, folders=["Rechnungen & Belege"])
    pause(1.1)  # the server's number of a folder is the second it was made in
    box.put(mail(1), mail(2), mail(3), folder="Rechnungen & Belege", new=True)
    second, _, _ = pulled(box, "imap", cursor, folders=["Rechnungen & Belege"])
    assert [one.identity for one in second[:2]] == [one.identity for one in first]
    assert len(second) == 3
    assert not {one.key for one in first} & {one.key for one in second}


def test_a_mail_is_moved_once_it_is_kept(box: Box) -> None:
    done = "Erledigt & für immer"  # IMAP has a spelling of its own for this
    box.put(folder=done, new=True)
    box.put(*(mail(n) for n in range(120)))
    items, _, _ = pulled(box, "imap", {}, on_taken="move", move_to=done)
    assert (len(items), box.count("INBOX"), box.count(done)) == (120, 0, 120)


@pytest.fixture
def platform(tmp_path: Path, box: Box) -> Iterator[Platform]:
    more = {**CALM, "WEFT_EGRESS_ALLOW": box.allowed, "WEFT_LOG_LEVEL": "warning"}
    made = Platform(tmp_path / "data", more)
    made.provision(acme="unlimited")
    yield made
    if made.running:  # the test failed half-way
        made.kill()


def set_up(who: Person, box: Box, **more: Any) -> str:
    body = {"name": "post", "kind": "imap", "secrets": {"password": box.password},
            "config": box.config(), **more}  # fmt: skip
    made: dict[str, Any] = who.post("/integrations", 201, json=body).json()
    return f"/integrations/{made['integration_id']}"


def until(holds: Callable[[], bool], seconds: float, between: float = 0.2) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        pause(between)
    return False


OWN = 800


def test_of_a_thousand_mails_two_hundred_twins_are_no_documents(
    box: Box, platform: Platform
) -> None:
    """Two carry another's Message-ID over another body: they count."""
    forged = [mail(n, f"Forged {n}: pay into account {n}.") for n in (0, 1)]
    own = [*(mail(n, f"Pay {n} EUR.") for n in range(OWN - 2)), *forged]
    twins = [mail(n, f"Pay {n} EUR.", Received=f"again by mx{n}") for n in range(OWN // 4)]
    mixed = [one for n in range(OWN) for one in (own[n], *twins[n : n + 1])]
    box.put(*mixed)
    platform.start()
    who = platform.person("acme")
    url = set_up(who, box, schedule={"every_seconds": 5}, enabled=False)
    count = f"{len(mixed):,}"
    assert who.post(f"{url}/test").json()["detail"].endswith(f"{count} messages, {count} new.")
    who.close()
    assert platform.stop() == 0
    switch_on(platform, url)
    for side, nth in (("after", OWN // 5), ("before", OWN // 16), ("after", 6)):
        platform.start(f"upload.commit:{side}:{nth}=kill")
        assert until(platform.is_dead, 120), "it does not end"
        assert platform.dead() == -9
    platform.start()
    who = platform.person("acme")
    try:
        whole = {"taken": OWN, "duplicate": len(twins)}
        assert until(lambda: who.get(url)["items"] == whole, 300, 1.0), who.get(url)
        assert until(lambda: states(who) == {"ready": OWN}, 300, 2.0), states(who)
        keys = [one["metadata"]["source_key"] for one in who.listing("/documents")]
        assert len(set(keys)) == OWN
        who.post(f"{url}/pull", 202)
        assert until(lambda: who.get(url)["pulled_at"] is not None, 60)
        assert who.get(url)["items"] == whole
    finally:
        who.close()
        assert platform.stop() == 0


def switch_on(platform: Platform, url: str) -> None:
    """While nothing runs: a platform that ran would have pulled most of it before it can die."""
    from database import integrations
    from gateway import provision

    with platform.opened() as rt:
        ctx = provision.tenant_ctx(rt, "acme")
        with rt.db.transaction(ctx) as tx:
            integrations.change(tx, ctx, url.rpartition("/")[2], enabled=True)


def states(who: Person) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in who.listing("/documents"):
        found[one["status"]] = found.get(one["status"], 0) + 1
    return found


def test_a_mail_is_read_as_soon_as_the_server_tells_of_it(box: Box, platform: Platform) -> None:
    platform.start()
    who = platform.person("acme")
    try:
        set_up(who, box, config=box.config(watch=True))
        box.put(mail(1))
        assert until(lambda: states(who) == {"ready": 1}, 60), "what came before the watch"
        pause(3.0)  # it listens again
        box.put(mail(2))
        assert until(lambda: states(who) == {"ready": 2}, 30), "IDLE"
    finally:
        who.close()
        assert platform.stop() == 0


def test_a_server_that_was_away_is_listened_to_again(
    servers: Servers, box: Box, platform: Platform
) -> None:
    platform.start()
    who = platform.person("acme")
    try:
        url = set_up(who, box, config=box.config(watch=True))
        box.put(mail(1))
        assert until(lambda: states(who) == {"ready": 1}, 60)
        servers.stop("dovecot")
        assert until(lambda: who.get(url)["status"] == "failing", 60), who.get(url)
        assert who.get(url)["error"]["code"] in ("broken_off", "unreachable")
        servers.start("dovecot")
        box.put(mail(2))
        assert until(lambda: states(who) == {"ready": 2}, 90)
        assert until(lambda: who.get(url)["status"] == "ok", 90), who.get(url)
    finally:
        who.close()
        assert platform.stop() == 0


def test_another_tenant_sees_nothing_of_the_box(box: Box, platform: Platform) -> None:
    platform.provision(other="unlimited")
    platform.start()
    who, other = platform.person("acme"), platform.person("other")
    try:
        url = set_up(who, box)
        assert box.password not in str(who.get(url))
        for method, path in (("GET", url), ("POST", f"{url}/test"), ("POST", f"{url}/pull")):
            assert other.ask(method, path).status_code == 404
    finally:
        who.close()
        other.close()
        assert platform.stop() == 0
