"""Gmail by its API: each mail once, and what Google refuses is said in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from ingestion.sources import Access, Dead, Item
from ingestion.sources.gmail import SOURCE, GmailConfig
from ingestion.sources.kinds import checked
from tests.fakes.gmail import CLIENT, REFRESH, SECRET, FakeGmail
from tests.fakes.imap import mail


@pytest.fixture
def google() -> Iterator[FakeGmail]:
    with FakeGmail() as made:
        yield made


class Reader:
    def __init__(self, google: FakeGmail, **config: Any) -> None:
        urls = {"api_url": google.url, "token_url": f"{google.url}/token", "client_id": CLIENT}
        self.net = Egress(google.place)
        made = checked("gmail", {**urls, **config}, self.net)
        self.config = GmailConfig.model_validate(made)
        self.secrets = {"client_secret": SECRET, "refresh_token": REFRESH}
        self.cursor: Mapping[str, Any] = {}
        self.kept: dict[str, Item | Dead] = {}

    def access(self) -> Access:
        return Access(
            self.config, self.secrets, self.cursor, self.net, SystemClock(),
            lambda key, _: key in self.kept, lambda: frozenset(self.kept), lambda: False,
            1_000_000, Path("/nowhere"),
        )  # fmt: skip

    def pull(self, most: int = 1_000) -> list[str]:
        found: list[str] = []
        for one in SOURCE.pull(self.access()):
            self.cursor = getattr(one, "cursor", None) or self.cursor
            if isinstance(one, Item | Dead):
                self.kept[one.key] = one
            if isinstance(one, Item):
                found.append(str(one.metadata["subject"]))
            if len(found) == most:
                break
        return found


def test_all_comes_first_and_then_what_is_new(google: FakeGmail) -> None:
    reader = Reader(google)
    google.put(mail(1), mail(2), mail(3))
    google.put(mail(9), labels=("SENT",))
    assert reader.pull() == ["Invoice 1", "Invoice 2", "Invoice 3"]
    google.asked.clear()
    google.put(mail(4), mail(5), mail(6))
    google.put(mail(9), labels=("SENT",))
    assert reader.pull() == ["Invoice 4", "Invoice 5", "Invoice 6"]
    assert "messages" not in google.asked, "it lists everything again"
    assert reader.pull() == []


def test_a_pull_that_ended_in_the_middle_goes_on_and_fetches_nothing_twice(
    google: FakeGmail,
) -> None:
    reader = Reader(google)
    google.put(*(mail(n) for n in range(1, 6)))
    assert reader.pull(most=2) == ["Invoice 1", "Invoice 2"]
    google.asked.clear()
    assert reader.pull() == ["Invoice 3", "Invoice 4", "Invoice 5"]
    assert len([one for one in google.asked if one.startswith("messages/")]) == 3


def test_a_history_that_google_forgot_is_made_up_for(google: FakeGmail) -> None:
    reader = Reader(google)
    google.put(mail(1))
    reader.pull()
    google.put(mail(2))
    google.forgotten = google.history_id
    assert reader.pull() == ["Invoice 2"]


def test_an_access_token_that_is_over_is_made_anew(google: FakeGmail) -> None:
    reader = Reader(google)
    google.put(mail(1))
    google.answers.append((401, "authError"))
    assert reader.pull() == ["Invoice 1"]


def test_the_rule_and_the_size_hold(google: FakeGmail) -> None:
    reader = Reader(google, subject_contains=["invoice"], unseen_only=True, mail_bytes_max=2_000)
    google.put(mail(1), mail(2, Subject="Lunch?"), mail(3, "x" * 3_000))
    google.put(mail(4), labels=("INBOX",))
    assert reader.pull() == ["Invoice 1"]
    assert [one.code for one in reader.kept.values() if isinstance(one, Dead)] == ["too_large"]


def test_a_mail_may_be_larger_than_other_answers(google: FakeGmail) -> None:
    reader = Reader(google, mail_bytes_max=30_000)
    reader.net = Egress(google.place, bytes_max=10_000)
    google.put(mail(1, "x" * 20_000), mail(2, "x" * 31_000), mail(3, "x" * 600_000), mail(4))
    assert reader.pull() == ["Invoice 1", "Invoice 4"]
    dead = [one for one in reader.kept.values() if isinstance(one, Dead)]
    assert [(one.key, one.code) for one in dead] == [
        ("INBOX/m0001", "too_large"), ("INBOX/m0002", "too_large"),
    ]  # fmt: skip


def test_a_mail_is_the_same_one_by_imap(google: FakeGmail) -> None:
    from ingestion.sources.mail import identity

    reader = Reader(google)
    google.put(mail(1))
    reader.pull()
    [one] = reader.kept.values()
    assert isinstance(one, Item)
    assert one.identity == identity(mail(1, Received="by another way"))


def test_a_test_says_what_is_there(google: FakeGmail) -> None:
    reader = Reader(google)
    google.put(mail(1), mail(2))
    said = "Signed in as ap@acme.example; INBOX has 2 messages, "
    assert SOURCE.test(reader.access()) == f"{said}2 new."
    reader.pull()
    assert SOURCE.test(reader.access()) == f"{said}0 new."


@pytest.mark.parametrize(("secrets", "answer", "error", "words"), [
    ({"refresh_token": "old"}, None, Unfinishable, "sign in at Google again"),
    ({"client_secret": "wrong"}, None, Unfinishable, "Correct `client_id`"),
    ({}, (403, "accessNotConfigured"), Unfinishable, "Switch the Gmail API on"),
    ({}, (403, "insufficientPermissions"), Unfinishable, "gmail.readonly"),
    ({}, (403, "userRateLimitExceeded"), Unavailable, "asks to wait"),
    ({}, (429, "rateLimitExceeded"), Unavailable, "asks to wait"),
    ({}, (503, "backendError"), Unavailable, "asks to wait"),
])  # fmt: skip
def test_what_google_refuses_is_said_in_words(
    google: FakeGmail, secrets: dict[str, str], answer: tuple[int, str] | None,
    error: type[WeftError], words: str,
) -> None:  # fmt: skip
    reader = Reader(google)
    reader.secrets |= secrets
    if answer:
        google.answers.append(answer)
    with pytest.raises(error, match=words) as told:
        reader.pull()
    assert (told.value.extra.get("retry_after") == 30) is (answer is not None and answer[0] == 429)
    assert REFRESH not in told.value.detail
    assert SECRET not in told.value.detail


@pytest.mark.parametrize("url", [
    "http://gmail.example", "ftp://gmail.example", "gmail.example", "https://x?y", "http://[",
])  # fmt: skip
def test_tokens_go_by_https_alone(url: str) -> None:
    with pytest.raises(InvalidInput) as told:
        checked("gmail", {"client_id": CLIENT, "token_url": url}, Egress())
    assert told.value.extra["field"] == "config.token_url"
