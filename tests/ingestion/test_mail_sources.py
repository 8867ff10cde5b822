"""Mail boxes: each mail once, whatever its server does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from ingestion.sources import Access, At, Dead, Item
from ingestion.sources.imap import SOURCE, ImapConfig
from ingestion.sources.kinds import checked
from ingestion.sources.mail import head, identity
from ingestion.sources.mail import item as mail_item
from tests.fakes.imap import PASSWORD, USER, FakeImap, mail


@pytest.fixture
def box() -> Iterator[FakeImap]:
    with FakeImap() as made:
        yield made


class Reader:
    """Who keeps what a source gives, as the platform does: known after its `yield`."""

    def __init__(self, box: FakeImap, **config: Any) -> None:
        self.box, self.config = box, config
        self.cursor: Mapping[str, Any] = {}
        self.secrets = {"password": PASSWORD}
        self.refused: set[str] = set()  # keys that are dead letters here, whatever they hold
        self.places = [box.place]
        self.kept: dict[str, Item] = {}
        self.dead: dict[str, Dead] = {}

    def access(self) -> Access:
        net = Egress(",".join(self.places))
        given = {"host": "127.0.0.1", "port": self.box.port, "security": "none", "user": USER}
        made = checked("imap", {**given, **self.config}, net)
        return Access(
            ImapConfig.model_validate(made), self.secrets, self.cursor, net,
            SystemClock(), self._known, frozenset, lambda: False, 1_000_000, Path("/nowhere"),
            taken=lambda key: key in self.kept and key not in self.refused,
            keep=self.secrets.update,
        )  # fmt: skip

    def _known(self, key: str, version: str) -> bool:
        del version
        return key in self.kept or key in self.dead

    def pull(self, die_after: int | None = None) -> list[str]:
        """Subjects of what is new; it dies before it can keep the item after `die_after`."""
        found: list[str] = []
        for one in SOURCE.pull(self.access()):
            if isinstance(one, Item):
                if len(found) == die_after:
                    break
                self.kept[one.key] = one
                found.append(str(one.metadata["subject"]))
            elif isinstance(one, Dead):
                self.dead[one.key] = one
            self.cursor = one.cursor or self.cursor
            assert isinstance(one, Item | Dead | At)
        return found

    def documents(self) -> int:
        return len({one.identity for one in self.kept.values()})


def test_each_mail_comes_once_with_what_is_told_of_it(box: FakeImap) -> None:
    reader = Reader(box)
    box.put(mail(1, Subject="=?utf-8?q?Rechnung_f=C3=BCr_M=C3=A4rz?="), mail(2))
    assert reader.pull() == ["Rechnung für März", "Invoice 2"]
    assert reader.pull() == []
    box.put(mail(3))
    assert (reader.pull(), box.fetched) == (["Invoice 3"], [1, 2, 3])
    first = reader.kept["INBOX/7/1"]
    assert (first.filename, first.content_type) == ("Rechnung für März.eml", "message/rfc822")
    assert first.metadata == {
        "from": "Sender 1 <s@acme.example>", "to": USER, "subject": "Rechnung für März",
        "message_id": "<1@acme.example>", "date": "2026-11-02T08:00:00+00:00", "folder": "INBOX",
    }  # fmt: skip


def test_a_server_that_numbers_anew_doubles_nothing(box: FakeImap) -> None:
    reader = Reader(box)
    box.put(mail(1), mail(2))
    reader.pull()
    box.renumber()
    box.put(mail(3))
    assert reader.pull() == ["Invoice 1", "Invoice 2", "Invoice 3"]
    assert reader.documents() == 3
    assert reader.pull() == []


def test_the_same_mail_is_the_same_and_a_forged_one_is_not() -> None:
    one = mail(1)
    assert identity(one) == identity(mail(1, Received="from elsewhere by mx9"))
    assert identity(one) == identity(one.replace(b"\r\n", b"\n"))
    for other in (mail(1, "Pay into another account."), mail(1, Subject="Other"),
                  mail(1, From="x@evil.example"), mail(1, **{"Content-Type": "text/html"}),
                  mail(1, **{"Message-ID": "<2@acme.example>"})):  # fmt: skip
        assert identity(one) != identity(other)


def test_only_what_the_rule_wants_is_fetched(box: FakeImap) -> None:
    reader = Reader(box, subject_contains=["RECHNUNG", "invoice"], from_contains=["@acme"])
    box.put(mail(1), mail(2, Subject="Lunch?"), mail(3, From="invoice@evil.example"), mail(4))
    assert (reader.pull(), box.fetched) == (["Invoice 1", "Invoice 4"], [1, 4])
    assert (reader.pull(), box.fetched) == ([], [1, 4])


def test_what_was_read_before_is_passed_over_when_that_is_asked_for(box: FakeImap) -> None:
    reader = Reader(box, unseen_only=True)
    box.put(mail(1), mail(2))
    box.flags["INBOX", 1] = {"\\Seen"}
    assert reader.pull() == ["Invoice 2"]
    box.flags.clear()
    assert reader.pull() == []


def test_a_mail_that_is_too_large_is_a_dead_letter_and_not_fetched(box: FakeImap) -> None:
    reader = Reader(box, mail_bytes_max=2_000)
    box.put(mail(1, "x" * 3_000), mail(2))
    assert (reader.pull(), box.fetched) == (["Invoice 2"], [2])
    assert [one.code for one in reader.dead.values()] == ["too_large"]


@pytest.mark.parametrize("how", ["mark_seen", "move", "copy"])
def test_what_was_kept_is_marked_or_moved_also_after_a_death(box: FakeImap, how: str) -> None:
    target = {} if how == "mark_seen" else {"move_to": "Done"}
    reader = Reader(box, on_taken="move" if target else how, **target)
    if how == "copy":
        box.capabilities = box.capabilities.replace(" MOVE", "")
    box.folders["Done"] = {}
    box.put(*(mail(n) for n in range(1, 6)))
    assert reader.pull(die_after=2) == ["Invoice 1", "Invoice 2"]

    def acted() -> set[int]:
        seen = {uid for (_, uid), flags in box.flags.items() if "\\Seen" in flags}
        return set(box.folders["Done"]) if target else seen

    assert acted() == set(), "nothing was marked before it died"
    assert reader.pull() == ["Invoice 3", "Invoice 4", "Invoice 5"]
    assert acted() == {1, 2, 3, 4, 5}
    assert bool(box.folders["INBOX"]) is (how == "mark_seen")


@pytest.mark.parametrize("how", ["mark_seen", "move"])
def test_a_dead_letter_stays_where_and_as_it_is(box: FakeImap, how: str) -> None:
    """Too large for the source, or refused by the platform; also after a death. Who keeps the mail
    box finds it; tried again and taken it goes the way of the others."""
    target = {"move_to": "Done"} if how == "move" else {}
    reader = Reader(box, on_taken=how, mail_bytes_max=2_000, **target)
    box.folders["Done"] = {}
    box.put(mail(1), mail(2, "x" * 3_000), mail(3), mail(4))
    reader.refused = {"INBOX/7/3"}

    def acted() -> set[int]:
        seen = {uid for (_, uid), flags in box.flags.items() if "\\Seen" in flags}
        return set(box.folders["Done"]) if target else seen

    assert reader.pull(die_after=2) == ["Invoice 1", "Invoice 3"]
    assert acted() == set()
    assert reader.pull() == ["Invoice 4"]
    assert acted() == {1, 4}
    del reader.kept["INBOX/7/3"]
    reader.refused.clear()
    reader.cursor = {}
    assert reader.pull() == ["Invoice 3"]
    assert 3 in acted()
    assert 2 not in acted()


def test_several_folders_have_places_of_their_own(box: FakeImap) -> None:
    reader = Reader(box, folders=["INBOX", "Invoices"])
    box.folders["Invoices"] = {}
    box.put(mail(1))
    box.put(mail(2), folder="Invoices")
    assert reader.pull() == ["Invoice 1", "Invoice 2"]
    box.put(mail(3))
    assert reader.pull() == ["Invoice 3"]


def test_a_test_says_what_is_there(box: FakeImap) -> None:
    reader = Reader(box)
    box.put(mail(1), mail(2))
    reader.pull()
    box.put(mail(3))
    assert SOURCE.test(reader.access()) == f"Signed in as {USER}; INBOX has 3 messages, 1 new."


@pytest.mark.parametrize(("change", "error", "code", "words"), [
    ({"password": "wrong"}, Unfinishable, "sign_in_refused", "Authentication failed"),
    ({"refuse": "[CONTACTADMIN] Account locked."}, Unfinishable, "sign_in_refused", "locked"),
    ({"refuse": f"you said {PASSWORD}"}, Unfinishable, "sign_in_refused", r"\*\*\*"),
    ({"refuse": "[UNAVAILABLE] later"}, Unavailable, "busy", "later"),
    ({"greeting": "* BYE too many connections"}, Unavailable, "broken_off", "too many"),
    ({"greeting": "220 ftp.acme.example"}, Unavailable, "broken_off", "ftp.acme"),
    ({"capabilities": "IMAP4rev1 LOGINDISABLED"}, Unfinishable, "no_tls", "without TLS"),
    ({"config": {"folders": ["Nope"]}}, InvalidInput, "no_folder", "There are: INBOX"),
    ({"config": {"on_taken": "move", "move_to": "Nope"}}, InvalidInput, "no_folder", "Make it"),
    ({"config": {"security": "starttls"}}, Unfinishable, "no_tls", "offers no STARTTLS"),
    ({"config": {"security": "tls"}}, Unfinishable, "no_tls", "not with TLS"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_words(
    box: FakeImap, change: dict[str, Any], error: type[WeftError], code: str, words: str
) -> None:
    reader = Reader(box, **change.pop("config", {}))
    reader.secrets = {"password": change.pop("password", PASSWORD)}
    for name, value in change.items():
        setattr(box, name, value)
    with pytest.raises(error, match=words) as told:
        SOURCE.test(reader.access())
    assert told.value.slug == code
    assert PASSWORD not in told.value.detail


@pytest.mark.parametrize(("fault", "code"), [
    ("endless", "protocol"), ("line", "protocol"), ("cut", "broken_off"),
])  # fmt: skip
def test_a_server_that_breaks_off_or_never_ends_costs_one_error(
    box: FakeImap, fault: str, code: str
) -> None:
    reader = Reader(box)
    box.put(mail(1), mail(2))
    box.fault = fault
    with pytest.raises(WeftError) as told:
        reader.pull()
    assert (told.value.slug, reader.kept) == (code, {})
    assert reader.pull() == ["Invoice 1", "Invoice 2"]


def test_a_server_that_drips_is_left_at_the_deadline(box: FakeImap) -> None:
    from ingestion.sources.wire import Wire

    wire = Wire(Egress(box.place), "127.0.0.1", box.port)
    wire.readline()
    box.put(mail(1))
    box.fault = "drip"
    wire.sendall(b"a UID FETCH 1 (UID BODY.PEEK[])\r\n")
    wire.begin(0.3)
    with pytest.raises(Unavailable, match="did not answer in time"):
        wire.readline()
    wire.close()


def test_a_mail_that_is_gone_when_it_is_fetched_is_passed_over(box: FakeImap) -> None:
    reader = Reader(box)
    box.put(mail(1), mail(2))
    box.fault = "vanish"
    assert reader.pull() == ["Invoice 2"]


def test_without_tls_only_where_the_operator_allows_it() -> None:
    given = {"host": "mail.acme.example", "security": "none", "user": USER}
    with pytest.raises(InvalidInput, match=r"WEFT_EGRESS_ALLOW=mail.acme.example:143") as told:
        checked("imap", given, Egress())
    assert told.value.extra["field"] == "config.security"
    checked("imap", given, Egress("mail.acme.example:143"))
    checked("imap", {**given, "security": "tls"}, Egress())
    with pytest.raises(InvalidInput) as told:
        checked("imap", {**given, "host": "127.0.0.1", "security": "tls"}, Egress())
    assert told.value.extra["field"] == "config.host"


def test_idle_tells_of_a_mail_at_once_and_of_those_before(box: FakeImap) -> None:
    reader = Reader(box, watch=True)
    box.put(mail(1))
    assert SOURCE.wait(reader.access(), 5)
    reader.pull()

    def later() -> None:
        box.idling.wait(5)
        box.put(mail(2))

    late = threading.Thread(target=later)
    late.start()
    assert SOURCE.wait(reader.access(), 20)
    late.join(5)
    reader.pull()
    assert not SOURCE.wait(reader.access(), 0.1)
    over = replace(reader.access(), stopped=lambda: True)
    assert not SOURCE.wait(over, 60)


def test_a_server_without_idle_is_named_by_the_test(box: FakeImap) -> None:
    box.capabilities = "IMAP4rev1"
    with pytest.raises(InvalidInput) as told:
        SOURCE.test(Reader(box, watch=True).access())
    assert told.value.extra["field"] == "config.watch"
    with pytest.raises(Unfinishable, match="no IDLE"):
        SOURCE.wait(Reader(box).access(), 5)


@pytest.mark.parametrize("data", [
    b"", b"\n\n", b"Subject: =?utf-8?b?////?=\r\n\r\n", b"Subject: =?nope?q?x?=\r\n\r\n",
    b"Date: yesterday\r\n\r\nx", b"From: \xff\xfe\r\n\r\n", b"x" * 500_000,
    b"Subject: " + b"=?utf-8?q?" * 50_000, b"Subject:" + b"\r\n a" * 90_000,
    b"Subject: a\x00\x1b[31mb\r\nDate: Mon, 02 Nov 99999999999 09:00:00 +9999\r\n\r\n",
])  # fmt: skip
def test_any_bytes_make_an_item(data: bytes) -> None:
    one = mail_item("k", data, "INBOX", None)
    assert len(one.identity) == 64
    assert all(len(str(value)) <= 1_000 for value in one.metadata.values())
    assert all(str(value).isprintable() for value in one.metadata.values())
    assert head(data).size <= len(data)
