"""Outlook's own files: messages, meetings, what lies within them, `winmail.dat`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, eml, msg, sniff, tnef
from ingestion.rtf_packed import unpacked
from tests.ingestion.compound import (
    Values,
    message,
    packed_rtf,
    properties,
    tnef_properties,
    within,
)
from tests.ingestion.compound import compound as compound_of
from tests.ingestion.compound import msg as made_msg
from tests.ingestion.compound import tnef as made_tnef

SENT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
HEAD: Values = {
    0x37: "Rechnung für Öl", 0x42: "Ada Müller", 0x5D02: "ada@a.example", 0x39: SENT,
    0x1A: "IPM.Note", 0x1035: "<1@a.example>",
}  # fmt: skip
PEOPLE: tuple[Values, ...] = (
    {0x3001: "Bob, Jr.", 0x39FE: "bob@b.example", 0x0C15: 1},
    {0x3001: "Eve", 0x3003: "/o=org/cn=eve", 0x0C15: 2},
)
PDF: Values = {0x3707: "Rechnung 1.pdf", 0x3704: "RECHNU~1.PDF", 0x370E: "application/pdf",
               0x3701: b"%PDF-1.7 x", 0x3705: 1}  # fmt: skip


def _read(values: Values, *, files: tuple[Values, ...] = ()) -> Document:
    return msg.read(made_msg(message(HEAD | values, PEOPLE, files)), Limits())


def _said(document: Document) -> str:
    """What stands below the head."""
    return document.pages[0].text.partition("Subject: Rechnung für Öl\n\n")[2]


def _end(read: Callable[[bytes, Limits], Document], data: bytes) -> str:
    try:
        read(data, Limits())
    except Unfinishable as error:
        return error.slug
    return "ready"


def test_a_message_tells_who_when_and_what() -> None:
    document = _read({0x1000: "Guten Tag,\r\n\r\nanbei.\r\n"}, files=(PDF,))
    assert document.title == "Rechnung für Öl"
    assert document.document_type == "email"
    assert document.metadata == {
        "from": "Ada Müller <ada@a.example>", "to": '"Bob, Jr." <bob@b.example>', "cc": "Eve",
        "subject": "Rechnung für Öl", "message_id": "<1@a.example>",
        "date": "2026-10-05T08:00:00+00:00", "attachments": ["Rechnung 1.pdf"],
    }  # fmt: skip
    assert _said(document) == "Guten Tag,\n\nanbei."
    (file,) = document.attachments
    assert (file.filename, file.content_type, file.data) == (
        "Rechnung 1.pdf", "application/pdf", b"%PDF-1.7 x",
    )  # fmt: skip


def test_it_is_known_by_its_content() -> None:
    data = made_msg(message(HEAD))
    assert [sniff(data, name) for name in ("a.msg", "noname")] == ["msg", "msg"]
    assert sniff(made_tnef((0x28004, b"x")), "winmail.dat") == "tnef"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({0x1013: b"<p>One <b>word</b></p><table><tr><td>a<td>b</table>"}, "One word\n\na | b"),
        ({0x1013: "Grüße".encode("cp1251", "ignore") + b"\xe0\xe2", 0x3FDE: 1251}, "Greав"),
        ({0x1000: " \r\n", 0x1013: b"<p>markup</p>"}, "markup"),
        ({0x1009: packed_rtf(rb"{\rtf1\ansi Gr\'fc\'dfe\par zwei}")}, "Grüße\n\nzwei"),
        ({0x1009: packed_rtf(rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Gr"
                             rb"\'fc\'dfe\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}"
                             rb"{\*\htmltag <ul><li>}eins{\*\htmltag </ul>}}")}, "Grüße\n\neins"),
    ],
)  # fmt: skip
def test_the_text_is_taken_from_where_it_is(body: Values, said: str) -> None:
    if said.startswith("Gre"):
        body = {**body, 0x1013: b"Gre" + b"\xe0\xe2"}
    assert _said(_read(body)) == said


def test_strings_of_a_code_page() -> None:
    values: Values = {0x37: "Тема", 0x1000: "Слова", 0x3FFD: 1251, 0x1A: "IPM.Note"}
    document = msg.read(made_msg(message(values, unicode="cp1251")), Limits())
    assert (document.title, document.pages[0].text) == ("Тема", "Subject: Тема\n\nСлова")


def test_a_code_page_that_is_not_true() -> None:
    values: Values = {0x37: "Grüße", 0x1000: "x", 0x3FFD: 65001, 0x3FF1: 1031}
    assert msg.read(made_msg(message(values, unicode="cp1252")), Limits()).title == "Grüße"


def test_messages_within_are_mails_of_their_own() -> None:
    inner: Values = {0x37: "Älter: no 1", 0x1000: "Ältere Worte", 0x42: "Bob, Jr.",
                     0x5D02: "bob@b.example", 0x39: SENT, 0x1A: "IPM.Note"}  # fmt: skip
    deepest: Values = {0x37: "deep", 0x1013: "<p>unten</p>".encode("utf-16-le"), 0x1A: "IPM.Note"}
    held = message(inner, files=(PDF, within(message(deepest, head=24))), head=24)
    document = msg.read(made_msg(message(HEAD, files=(within(held),))), Limits())
    (file,) = document.attachments
    assert (file.filename, file.content_type) == ("Älter_ no 1.eml", "message/rfc822")
    mail = eml.read(file.data, Limits())
    assert mail.metadata["from"] == '"Bob, Jr." <bob@b.example>'
    assert mail.metadata["date"] == "2026-10-05T08:00:00+00:00"
    assert (mail.title, mail.pages[0].text[-12:]) == ("Älter: no 1", "Ältere Worte")
    assert [one.filename for one in mail.attachments] == ["Rechnung 1.pdf", "deep.eml"]
    assert mail.attachments[0].data == b"%PDF-1.7 x"
    assert eml.read(mail.attachments[1].data, Limits()).pages[0].text.endswith("unten")


def test_a_meeting_says_when_and_where() -> None:
    values: Values = {0x1A: "IPM.Appointment", 0x8001: SENT, 0x8003: "Room 4", 0x1000: "Bring pens"}
    names = struct.pack("<IHHIHHIHHIHH", 0x820D, 0, 1, 0x820E, 0, 2, 0x8208, 0, 3, 0x9999, 1, 3)
    tree = {**message(HEAD | values), "__nameid_version1.0": {"__substg1.0_00030102": names}}
    document = msg.read(compound_of(tree), Limits())
    assert _said(document) == "Start: 2026-10-05T08:00:00+00:00\nLocation: Room 4\n\nBring pens"
    assert document.metadata["start"] == "2026-10-05T08:00:00+00:00"


def test_a_draft_without_a_date_and_dates_that_mean_none() -> None:
    never = datetime(4501, 1, 1, tzinfo=UTC)
    document = msg.read(made_msg(message({0x37: "x", 0x39: never, 0x1000: "y"})), Limits())
    assert "date" not in document.metadata


def test_the_headers_that_came_along_fill_what_is_missing() -> None:
    came = "From: Real <real@a.example>\r\nList-Id: <l.a.example>\r\nReferences: <0@x>\r\n"
    values: Values = {0x37: "x", 0x42: "Real", 0x7D: came, 0x1000: "y"}
    told = msg.read(made_msg(message(values)), Limits()).metadata
    assert (told["from"], told["list_id"], told["references"]) == (
        "Real <real@a.example>", "<l.a.example>", "<0@x>",
    )  # fmt: skip


def test_what_is_no_file_is_said() -> None:
    link: Values = {0x3707: "plan.xlsx", 0x3705: 2}
    picture: Values = {0x3707: "logo.png", 0x3712: "logo@a", 0x3701: b"\x89PNG", 0x3705: 1}
    sealed: Values = {0x3707: "smime.p7m", 0x3701: b"MII", 0x3705: 1}
    document = _read({0x1000: "x"}, files=(link, picture, sealed))
    assert document.attachments == ()
    assert document.warnings == (
        "Attachment plan.xlsx was not read: it is a link to a file elsewhere.",
        "The mail is encrypted (S/MIME): only its head is read.",
    )


def test_line_breaks_make_no_headers() -> None:
    inner = message({0x37: "Hi\r\nBcc: z@y.example", 0x42: "a\nb", 0x1000: "x"}, head=24)
    document = msg.read(made_msg(message(HEAD, files=(within(inner),))), Limits())
    lines = document.attachments[0].data.split(b"\n\n")[0].splitlines()
    assert not any(line.lower().startswith(b"bcc") for line in lines)


def test_messages_in_messages_end_somewhere() -> None:
    tree = message({0x37: "bottom", 0x1000: "x"}, head=24)
    for _ in range(40):
        tree = message({0x37: "x", 0x1000: "x"}, files=(within(tree),), head=24)
    data = made_msg(message(HEAD | {0x1000: "top"}, files=(within(tree),)))
    with pytest.raises(Unfinishable) as caught:
        msg.read(data, Limits())
    assert caught.value.slug == "too_many_parts"


def test_many_streams_of_the_same_sectors_are_counted() -> None:
    """A small file whose hundred attachments are all the same bytes."""
    files: list[Values] = [
        {0x3707: f"{n}.bin", 0x3701: bytes([n]) * (4096 if n else 100_000)} for n in range(100)
    ]
    data = bytearray(made_msg(message(HEAD, files=tuple(files))))
    name = "__substg1.0_37010102".encode("utf-16-le")
    first = data.find(name)
    at = first
    while (at := data.find(name, at + 1)) > 0:
        data[at + 116 : at + 124] = data[first + 116 : first + 124]
    with pytest.raises(Unfinishable) as caught:
        msg.read(bytes(data), Limits(unpacked_bytes=4_000_000))
    assert caught.value.slug == "limit_memory"


@pytest.mark.parametrize("length", [8, 76, 511, 512, 600, 1500, 3000])
def test_a_cut_off_message_is_damaged_or_short(length: int) -> None:
    data = made_msg(message(HEAD | {0x1000: "words " * 2000}, PEOPLE, (PDF,)))
    assert _end(msg.read, data[:length]) in ("ready", "corrupted", "empty")


PACKED = made_tnef(
    (0x69007, struct.pack("<II", 1252, 0)),
    (0x18004, "Grüße\0".encode("cp1252")),
    (0x69003, tnef_properties({0x39: SENT, 0x1009: packed_rtf(rb"{\rtf1 The words}")})),
    (0x69002, bytes(14)), (0x18010, b"LONG~1.PDF\0"), (0x6800F, b"%PDF-1.7 y"),
    (0x69005, tnef_properties({0x3707: "long name.pdf", 0x370E: "application/pdf"})),
)  # fmt: skip


def test_winmail_alone_is_a_message() -> None:
    document = tnef.read(PACKED, Limits())
    assert document.title == "Grüße"
    assert document.metadata["date"] == "2026-10-05T08:00:00+00:00"
    assert document.pages[0].text.endswith("\n\nThe words")
    assert [(one.filename, one.data) for one in document.attachments] == [
        ("long name.pdf", b"%PDF-1.7 y")
    ]


def _mail(text: str, data: bytes, name: str = "winmail.dat", kind: str = "ms-tnef") -> Document:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@a.example", "Hello"
    mail.set_content(text)
    mail.add_attachment(data, maintype="application", subtype=kind, filename=name)
    return eml.read(mail.as_bytes(), Limits())


def test_winmail_in_a_mail_gives_its_files_and_missing_words() -> None:
    document = _mail("\n", PACKED)
    assert document.pages[0].text.endswith("Subject: Hello\n\nThe words")
    assert [one.filename for one in document.attachments] == ["long name.pdf"]
    document = _mail("Told already.\n", PACKED, "att0001.dat", "octet-stream")
    assert document.pages[0].text.endswith("Subject: Hello\n\nTold already.")
    assert [one.filename for one in document.attachments] == ["long name.pdf"]


def test_a_damaged_winmail_is_said_and_the_mail_is_read() -> None:
    document = _mail("Told already.\n", b"\x78\x9f\x3e\x22garbage and more of it" * 9)
    assert document.attachments == ()
    document = _mail("Told already.\n", b"nothing")
    assert "winmail.dat was not read" in document.warnings[0]
    assert document.pages[0].text.endswith("Told already.")


@pytest.mark.parametrize("length", range(4, len(PACKED), 23))
def test_a_cut_off_winmail_is_damaged_or_short(length: int) -> None:
    assert _end(tnef.read, PACKED[:length]) in ("ready", "corrupted", "empty")


def test_a_count_that_lies_takes_no_memory() -> None:
    lies = struct.pack("<IHHII", 2**32 - 1, 0x1F, 0x37, 2**32 - 1, 2**31)
    with pytest.raises(Unfinishable) as caught:
        tnef.read(made_tnef((0x69003, lies)), Limits())
    assert caught.value.slug == "corrupted"


def test_packed_text_with_repetitions() -> None:
    """The example of [MS-OXRTFCP], 3.2.1 and 3.2.2."""
    data = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d"
        "0a800fa0"
    )
    assert unpacked(data, Limits()) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    data = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert unpacked(data, Limits()) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_people_and_files_keep_their_strings() -> None:
    tree = message({0x37: "x", 0x1000: "y", 0x3FFD: 1251}, unicode="cp1251")
    tree["__recip_version1.0_#00000000"] = properties(
        {0x3001: "Ольга", 0x39FE: "o@a.example", 0x0C15: 1}, 8, "cp1251"
    )
    told = msg.read(made_msg(tree), Limits()).metadata
    assert told["to"] == "Ольга <o@a.example>"


def test_a_workbook_within_does_not_make_a_message_one() -> None:
    book = compound_of({"Workbook": b"x" * 5000})
    file: Values = {0x3707: "a.xls", 0x3701: book, 0x3705: 1}
    assert sniff(made_msg(message(HEAD, files=(file,))), "a.msg") == "msg"
    assert sniff(book, "a.xls") == "xls"
