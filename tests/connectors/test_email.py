"""Mail goes to whom it names and to nobody else, at most once; doubt is said aloud."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest

from connectors import connectors
from connectors.email import Email, Server, message_id
from core.breaker import Breaker
from core.clock import FakeClock
from core.errors import InDoubt, InvalidInput, Unavailable, Unfinishable, WeftError
from core.ports import EffectCall
from core.settings import Settings
from tests.fakes.sink import MailSink

GOOD: dict[str, Any] = {
    "to": "ap@clearpay.example",
    "subject": "2 exceptions",
    "body": "Look:\n.hidden dot\nÄ",
}


def mailer(url: str, timeout: float = 5.0) -> Email:
    clock = FakeClock(1_795_000_000_000)
    settings = Settings(smtp_url=url, smtp_sender="weft@clearpay.example", _env_file=None)
    return Email(settings, clock, Breaker(clock), timeout)


def call(config: Any = None, **changes: Any) -> EffectCall:
    return EffectCall("effect-7", {**GOOD, **changes}, config or {})


def test_a_mail_arrives_with_its_text_and_a_message_id_of_its_key(tmp_path: Path) -> None:
    pdf = {"filename": "Prüfung.pdf", "content_type": "application/pdf",
           "base64": base64.b64encode(b"%PDF-1.7").decode()}  # fmt: skip
    with MailSink(tmp_path / "m") as sink:
        sender = mailer(sink.url)
        answer = sender.send(call(to=["a@x.example", "b@x.example"], attachments=[pdf]))
        (got,) = sink.deliveries()
    mail = message_from_bytes(got["raw"].encode(), policy=modern)
    body = mail.get_body()
    assert body is not None
    assert body.get_content().splitlines() == GOOD["body"].splitlines()
    assert got["to"] == ["a@x.example", "b@x.example"]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Prüfung.pdf"]
    assert got["id"] == answer["message_id"] == message_id("effect-7", "weft@clearpay.example")


@pytest.mark.parametrize("field", ["subject", "to"])
@pytest.mark.parametrize("evil", ["\r\nBcc: evil@x.example", "\nBcc: evil@x.example", "\rX: y",
                                  "\u2028Bcc: a@b.example", "\x00"])  # fmt: skip
def test_a_header_cannot_smuggle_another(tmp_path: Path, field: str, evil: str) -> None:
    with MailSink(tmp_path / "m") as sink:
        request = call(**{field: str(GOOD[field]) + evil})
        with pytest.raises(InvalidInput):
            mailer(sink.url).check(request)
        with pytest.raises(Unfinishable):
            mailer(sink.url).send(request)
        assert sink.deliveries() == []


@pytest.mark.parametrize("to", ["", [], "nobody", "a@b", "a b@x.example", "a@x.example,b@x.example",
                                "<a@x.example>", "a@x.example>\r\nRCPT TO:<b@x.example",
                                ["ok@x.example", "bad"], "a@x..example", None, [None],
                                [f"u{n}@x.example" for n in range(21)]])  # fmt: skip
def test_a_bad_recipient_is_refused(to: Any) -> None:
    with pytest.raises(InvalidInput):
        mailer("smtp://127.0.0.1:1").check(call(to=to))


def test_a_tenants_list_of_recipients_is_kept() -> None:
    config = {"email_recipients": ["boss@other.example", "@clearpay.example"]}
    sender = mailer("smtp://127.0.0.1:1")
    for allowed in ("ap@clearpay.example", "Boss@Other.example"):
        sender.check(call(config, to=allowed))
    for refused in ("ap@evil.example", "x@sub.clearpay.example", "other@other.example"):
        with pytest.raises(InvalidInput, match="not on this tenant's list"):
            sender.check(call(config, to=refused))


@pytest.mark.parametrize(("answer", "error"), [
    ("451", Unavailable), ("451-rcpt", Unavailable), ("drop", Unavailable),
    ("554", Unfinishable), ("550-rcpt", Unfinishable), ("drop-after-data", InDoubt),
    ("hang-after-data", InDoubt),
])  # fmt: skip
def test_a_failure_says_whether_it_may_be_repeated(
    tmp_path: Path, answer: str, error: type[WeftError]
) -> None:
    with MailSink(tmp_path / "m", [answer]) as sink, pytest.raises(error):
        mailer(sink.url, timeout=0.5).send(call())


def test_one_refused_recipient_stops_the_mail_for_all(tmp_path: Path) -> None:
    with MailSink(tmp_path / "m", ["550-rcpt"]) as sink:
        with pytest.raises(Unfinishable, match="no such mailbox"):
            mailer(sink.url).send(call(to=["a@x.example", "b@x.example"]))
        assert not [d for d in sink.deliveries() if d["committed"]]


def test_recipients_that_are_put_off_do_not_stop_the_others(tmp_path: Path) -> None:
    with MailSink(tmp_path / "m", [*["451-rcpt"] * 6, "250"]) as sink:
        sender = mailer(sink.url)
        for _ in range(6):
            with pytest.raises(Unavailable, match="did not accept"):
                sender.send(call())
        assert sender.send(call())["recipients"] == [GOOD["to"]]


def test_a_dead_server_rests_after_five_tries() -> None:
    sender = mailer("smtp://127.0.0.1:1")
    for _ in range(5):
        with pytest.raises(Unavailable, match="took nothing"):
            sender.send(call())
    with pytest.raises(Unavailable, match="rests"):
        sender.send(call())


def test_no_server_is_a_clear_failure_that_may_be_retried() -> None:
    with pytest.raises(Unavailable, match="WEFT_SMTP_URL"):
        mailer("smtp://127.0.0.1:1").send(call())


def test_a_password_is_not_sent_without_tls(tmp_path: Path) -> None:
    with MailSink(tmp_path / "m") as sink:
        url = sink.url.replace("smtp://", "smtp://user:secret@")
        with pytest.raises(Unavailable, match="SMTPNotSupportedError"):
            mailer(url).send(call())
        assert sink.deliveries() == []


def test_without_a_server_mails_are_files_written_once(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    sender = mailer(f"file:{outbox}")
    assert sender.effect_class == "keyed"
    assert sender.send(call()) == sender.send(call())
    (path,) = outbox.iterdir()
    mail = message_from_bytes(path.read_bytes(), policy=modern)
    assert (path.name, mail["To"], mail["Subject"]) == (
        "effect-7.eml", GOOD["to"], "2 exceptions",
    )  # fmt: skip


def test_a_key_is_never_a_path(tmp_path: Path) -> None:
    sender = mailer(f"file:{tmp_path / 'outbox'}")
    sender.send(EffectCall("../../evil", GOOD))
    assert [path.parent.name for path in tmp_path.rglob("*.eml")] == ["outbox"]


@pytest.mark.parametrize(("url", "port", "tls"), [
    ("smtp://mail.example", 587, "offer"), ("smtp://u:p@mail.example", 587, "require"),
    ("smtps://mail.example", 465, "implicit"), ("smtp://mail.example:25?tls=none", 25, "none"),
])  # fmt: skip
def test_the_url_says_how_the_server_is_spoken_to(url: str, port: int, tls: str) -> None:
    server = Server.from_url(url)
    assert (server.port, server.tls) == (port, tls)


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "smtp://m.example?tls=maybe"])
def test_a_bad_server_url_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="WEFT_SMTP_URL"):
        Server.from_url(url)


def test_the_room_opens_its_connectors_without_a_server(tmp_path: Path) -> None:
    opened = connectors(Settings(data_dir=tmp_path, _env_file=None), FakeClock())
    assert {name: c.effect_class for name, c in opened.items()} == {
        "api": "blind", "email": "keyed", "webhook": "keyed",
    }  # fmt: skip
    opened["email"].send(call())
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
