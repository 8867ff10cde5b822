"""What a mail is made of: texts, files, signatures and seals."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from core.documents import Document
from ingestion import Limits, eml
from tests.ingestion import builders

HEADERS = {"From": "ada@a.example", "Subject": "Hello"}


def _read(data: bytes) -> Document:
    return eml.read(data, Limits())


def _parts(kind: str, *parts: str) -> bytes:
    body = "".join(f"--b\n{part}\n" for part in parts)
    return (
        f'From: ada@a.example\nSubject: Hello\nContent-Type: {kind}; boundary="b"\n\n{body}--b--\n'
    ).encode()


def _kinds(document: Document) -> list[tuple[str, str]]:
    page = document.pages[0]
    return [(b.kind, page.text[b.start : b.end]) for b in page.blocks if b.kind != "field"]


def test_all_texts_of_a_mail_are_read_in_order() -> None:
    data = _parts(
        "multipart/mixed", "Content-Type: text/plain\n\nbefore",
        'Content-Type: application/pdf; name="a.pdf"\n\n%PDF-1.7',
        "Content-Type: text/html\n\n<p>after</p>",
    )  # fmt: skip
    document = _read(data)
    assert _kinds(document) == [("paragraph", "before"), ("paragraph", "after")]
    assert [one.filename for one in document.attachments] == ["a.pdf"]


def test_files_beside_the_html_are_not_lost_with_it() -> None:
    inner = (
        'Content-Type: multipart/mixed; boundary="c"\n\n--c\nContent-Type: text/html\n\n<p>x</p>\n'
        "--c\nContent-Type: text/csv\nContent-Disposition: attachment; filename=t.csv\n\na,b\n--c--"
    )
    document = _read(_parts("multipart/alternative", "Content-Type: text/plain\n\nplain", inner))
    assert "plain" in document.pages[0].text
    assert [one.filename for one in document.attachments] == ["t.csv"]


def test_two_files_of_one_name_are_told_apart() -> None:
    part = "Content-Type: text/csv\nContent-Disposition: attachment; filename=t.csv\n\na,b"
    found = _read(_parts("multipart/mixed", part, part)).attachments
    assert [one.filename for one in found] == ["t.csv", "t (2).csv"]


def test_winmail_is_left_out_and_said() -> None:
    part = "Content-Type: application/ms-tnef; name=winmail.dat\n\nx"
    document = _read(_parts("multipart/mixed", "Content-Type: text/plain\n\nhi", part))
    assert document.attachments == ()
    assert "winmail.dat was not read" in document.warnings[0]


@pytest.mark.parametrize(
    ("data", "who"),
    [
        ((b"From: a@a.example\nSubject: Hello\nContent-Type: application/pkcs7-mime; "
         b"smime-type=enveloped-data; name=smime.p7m\n\nMIIB"), "S/MIME"),
        (_parts('multipart/encrypted; protocol="application/pgp-encrypted"',
                "Content-Type: application/pgp-encrypted\n\nVersion: 1",
                "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----"), "PGP"),
        (b"From: a@a.example\nSubject: Hello\n\n-----BEGIN PGP MESSAGE-----\nabc\n", "PGP"),
    ],
)  # fmt: skip
def test_a_sealed_mail_is_read_as_far_as_it_is_open(data: bytes, who: str) -> None:
    document = _read(data)
    assert document.title == "Hello"
    assert document.attachments == ()
    assert who in document.warnings[0]
    assert "PGP MESSAGE" not in document.pages[0].text


def test_signatures_are_no_files() -> None:
    data = _parts(
        'multipart/signed; protocol="application/pkcs7-signature"',
        "Content-Type: text/plain\n\nsigned words",
        "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nMII",
    )
    document = _read(data)
    assert (document.attachments, document.metadata["signed"]) == ((), "S/MIME")
    clear = (
        b"From: a@a.example\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nthe words\n"
        b"- -- \nAda\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    )
    page = _read(clear).pages[0]
    assert page.text.endswith("the words\n--\nAda")


def test_flowed_lines_are_joined() -> None:
    data = (
        b"From: a@a.example\nContent-Type: text/plain; format=flowed\n\n"
        b"one line \nof many \nwords.\n> quoted \n> words\n-- \nAda\n"
    )
    assert _kinds(_read(data)) == [
        ("paragraph", "one line of many words."), ("quote", "> quoted words"),
        ("paragraph", "--\nAda"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "below",
    [
        "-----Original Message-----\nold",
        "From: Bob\nSent: Monday\nTo: Ada\nSubject: x\n\nold",
        "Von: Bob\nGesendet: Montag\nAn: Ada\n\nold",
        "On Mon, 5 Oct 2026 at 10:00, Bob Who Has A Long Name\n<bob@b.example> wrote:\nold",
        "Am 5.10.2026 um 10:00 schrieb Bob:\n\nold",
    ],
)
def test_what_is_below_another_mails_header_is_quoted(below: str) -> None:
    kinds = _kinds(_read(builders.mail(f"new words\n\n{below}\n", **HEADERS).as_bytes()))
    assert kinds[0] == ("paragraph", "new words")
    assert {kind for kind, _ in kinds[1:]} == {"quote"}
    assert kinds[-1][1].endswith("old")


def test_answers_between_the_lines_are_nobody_elses() -> None:
    text = "On Monday Bob wrote:\n> first?\n\nYes.\n\n> second?\n\nNo.\n"
    kinds = _kinds(_read(builders.mail(text, **HEADERS).as_bytes()))
    assert ("paragraph", "Yes.") in kinds
    assert ("quote", "> second?") in kinds


@pytest.mark.parametrize("charset", ["koi8-r", "iso-2022-jp", "windows-1252", "gb18030"])
def test_texts_are_read_in_their_encoding(charset: str) -> None:
    words = {"koi8-r": "Привет", "iso-2022-jp": "こんにちは", "gb18030": "你好"}.get(
        charset, "Grüße"
    )
    message = EmailMessage()
    message["From"], message["Subject"] = "a@a.example", words
    message.set_content(words, charset=charset, cte="base64")
    document = _read(message.as_bytes())
    assert document.title == words
    assert document.pages[0].text.endswith(words)


def test_a_line_break_hidden_in_an_inner_mail_stays_hidden() -> None:
    inner = "From: x@y.example\nSubject: =?utf-8?q?Hi=0D=0ABcc=3A_z=40y.example?=\n\ninside\n"
    document = _read(_parts("multipart/mixed", f"Content-Type: message/rfc822\n\n{inner}"))
    (mail,) = document.attachments
    assert "\n" not in mail.filename
    assert not any(line.startswith(b"Bcc") for line in mail.data.splitlines())
    assert not any(line.startswith("Bcc") for line in _read(mail.data).pages[0].text.splitlines())
