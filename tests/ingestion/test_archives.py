"""Archives and mail boxes: every member a file of its own, and no member's claims believed."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

import pytest

from core.documents import Attachment
from core.errors import Unfinishable
from ingestion import Limits, mbox, parse, zip_
from ingestion.limits import MIB
from ingestion.names import Distinct, plain
from ingestion.paging import Held
from tests.ingestion import builders


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return target.getvalue()


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_members_become_files_and_a_list() -> None:
    document = zip_.read(_zip(("letters/a.txt", b"one"), ("b.csv", b"x,y\n1,2\n")), Limits())
    assert [(a.filename, a.data) for a in document.attachments] == [
        ("a.txt", b"one"), ("b.csv", b"x,y\n1,2\n"),
    ]  # fmt: skip
    (table,) = document.pages[0].tables
    assert [cell.value for cell in table.rows[1]][:2] == ["letters/a.txt", 3]


def test_names_are_shown_and_lead_nowhere() -> None:
    members = [("../../etc/passwd", b"1"), ("C:\\temp\\x.txt", b"2"), ("/abs/x.txt", b"3"),
               ("a\u202efdp.exe", b"4"), ("...", b"5"), ("x" * 300 + ".pdf", b"6")]  # fmt: skip
    names = [one.filename for one in zip_.read(_zip(*members), Limits()).attachments]
    assert names[:5] == ["passwd", "x.txt", "x (2).txt", "a_fdp.exe", "member-5"]
    assert names[5].endswith(".pdf")
    assert len(names[5]) == 200


def test_names_without_the_mark_for_utf_8_are_read_as_people_wrote_them() -> None:
    data = _zip(("Gruesse.txt", b"x")).replace(b"Gruesse", "Grüße".encode())
    assert zip_.read(data, Limits()).attachments[0].filename == "Grüße.txt"


def test_links_folders_and_shadows_are_no_members() -> None:
    data = _zip((_link("evil"), b"/etc/passwd"), ("folder/", b""), ("__MACOSX/._a.txt", b"x"),
                ("a.txt", b"x"), ("none.txt", b""))  # fmt: skip
    document = zip_.read(data, Limits())
    assert [one.filename for one in document.attachments] == ["a.txt"]
    assert document.warnings == (
        "member evil was skipped: it is a link, not a file.",
        "member none.txt was skipped: it is empty.",
    )  # fmt: skip


def test_bytes_are_counted_and_not_believed() -> None:
    small = Limits(unpacked_bytes=4 * MIB, output_bytes=4 * MIB)
    bomb = ("bomb.bin", bytes(40 * MIB))
    document = zip_.read(_zip(("a.txt", b"honest"), bomb, ("b.txt", b"late")), small)
    assert [one.filename for one in document.attachments] == ["a.txt", "b.txt"]
    assert "member bomb.bin was skipped: it unpacks to too much." in document.warnings
    with pytest.raises(Unfinishable) as caught:
        zip_.read(_zip(bomb), small)
    assert caught.value.slug == "limit_memory"


def test_a_lying_size_is_damage() -> None:
    data = bytearray(_zip(("a.txt", b"a" * 1000), ("b.txt", b"good")))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    document = zip_.read(bytes(data), Limits())
    assert [one.filename for one in document.attachments] == ["b.txt"]


def test_more_members_than_allowed_are_named() -> None:
    data = _zip(*((f"{n}.txt", b"x") for n in range(40)))
    document = zip_.read(data, Limits(parts=10))
    assert len(document.attachments) == 10
    assert document.warnings == (
        "30 more members were not read: there are too many in one archive.",
    )


def test_what_cannot_be_read_is_named_as_far_as_anybody_reads_on() -> None:
    document = zip_.read(_zip(*((f"{n}.txt", b"") for n in range(40)), ("a.txt", b"x")), Limits())
    assert document.warnings[:2] == (
        "member 0.txt was skipped: it is empty.", "member 1.txt was skipped: it is empty.",
    )  # fmt: skip
    assert document.warnings[-1] == "20 more members were skipped."


def test_damage_without_end_is_not_inflated_without_end() -> None:
    """Of members that all lie on the same bytes each is damaged after it was inflated."""
    data = bytearray(_zip(*((f"{n}.txt", bytes(3 * MIB)) for n in range(9)), ("a.txt", b"x")))
    at = 0
    for _ in range(9):
        at = data.index(b"PK\x01\x02", at + 1)
        data[at + 16] ^= 1  # its checksum
    document = zip_.read(bytes(data), Limits(unpacked_bytes=30 * MIB))
    assert [one.filename for one in document.attachments] == ["a.txt"]
    with pytest.raises(Unfinishable) as caught:
        zip_.read(bytes(data), Limits(unpacked_bytes=10 * MIB))
    assert caught.value.slug == "corrupted"


# Two members in the traditional encryption, made with a password by Info-ZIP's own rule.
def _encrypted(password: bytes, content: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = _crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc(keys[2], keys[1] >> 24)

    def sealed(data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            mask = (keys[2] | 2) & 0xFFFF
            out.append(byte ^ (((mask * (mask ^ 1)) >> 8) & 0xFF))
            update(byte)
        return bytes(out)

    for byte in password:
        update(byte)
    crc = zlib.crc32(content)
    body = sealed(bytes(11) + bytes([crc >> 24]) + content)
    name = b"secret.txt"
    shape = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0, 33, crc, len(body), len(content), len(name), 0)
    local = b"PK\x03\x04" + shape + name + body
    central = b"PK\x01\x02\x14\x00" + shape + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + b"PK\x05\x06" + end


def _crc(crc: int, byte: int) -> int:
    crc ^= byte
    crc &= 0xFFFFFFFF
    table = crc & 0xFF
    for _ in range(8):
        table = (table >> 1) ^ 0xEDB88320 if table & 1 else table >> 1
    return (crc >> 8) ^ table


def test_an_encrypted_archive_wants_its_password() -> None:
    data = _encrypted(b"opensesame", b"the secret")
    with pytest.raises(Unfinishable) as caught:
        zip_.read(data, Limits())
    assert caught.value.slug == "encrypted"
    with pytest.raises(Unfinishable) as caught:
        zip_.read(data, Limits(), "wrong")
    assert caught.value.slug == "encrypted"
    assert zip_.read(data, Limits(), "opensesame").attachments[0].data == b"the secret"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04" + bytes(60), "corrupted"),
        (_zip(("a.txt", b"x" * 500))[:-30], "corrupted"),
        (_zip(), "empty"),
        (_zip(("folder/", b"")), "empty"),
    ],
)
def test_what_holds_nothing_says_why(data: bytes, code: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        zip_.read(data, Limits())
    assert caught.value.slug == code


def _box(count: int, text: str = "Hello") -> bytes:
    mails = [
        builders.mail(text, From=f"p{n}@a.example", To="b@b.example", Subject=f"Note {n % 3}",
                      Date="Mon, 05 Oct 2026 10:00:00 +0200").as_bytes()
        for n in range(count)
    ]  # fmt: skip
    begin = b"From p@a.example Mon Oct  5 10:00:00 2026\n"
    return b"".join(begin + mail.replace(b"\nFrom ", b"\n>From ") + b"\n" for mail in mails)


def test_each_mail_of_a_box_is_a_file() -> None:
    document = mbox.read(_box(4, "See you.\nFrom here on it rains at 10:00 2026\n"), Limits())
    names = [one.filename for one in document.attachments]
    assert names == ["Note 0.eml", "Note 1.eml", "Note 2.eml", "Note 0 (2).eml"]
    assert b"\nFrom here on it rains" in document.attachments[0].data
    (table,) = document.pages[0].tables
    assert [cell.text for cell in table.rows[2]] == [
        "2026-10-05T08:00:00+00:00", "p1@a.example", "b@b.example", "Note 1",
    ]  # fmt: skip


def test_a_box_with_windows_line_ends_and_its_limit() -> None:
    document = mbox.read(_box(12).replace(b"\n", b"\r\n"), Limits(parts=10))
    assert len(document.attachments) == 10
    assert document.warnings == ("Only the first 10 of 12 mails were read.",)


def test_a_box_without_mails_is_damaged() -> None:
    with pytest.raises(Unfinishable) as caught:
        mbox.read(b"From nowhere\n\nwords\n", Limits())
    assert caught.value.slug == "corrupted"


def test_plain_names_keep_what_a_person_reads() -> None:
    assert plain("a/b\\Rechnung Nr. 1.pdf ") == "Rechnung Nr. 1.pdf"
    names = Distinct()
    assert [names.name(n) for n in ("a.txt", "A.txt", "a", "a", ".env", ".env")] == [
        "a.txt", "A (2).txt", "a", "a (2)", ".env", ".env (2)",
    ]  # fmt: skip


def _drawers(member: bytes = b"", at: int = -1) -> bytes:
    """Five members; the one `at` a place is `member`."""
    return _zip(*((f"{n}.txt", member if n == at else f"file {n}".encode()) for n in range(5)))


def test_files_go_out_one_by_one_and_are_not_held() -> None:
    kept: dict[int, bytes] = {}

    def keep(place: int, file: Attachment) -> None:
        kept[place] = file.data

    document = parse(_drawers(), "a.zip", "zip", keep=keep)
    assert kept == {n: f"file {n}".encode() for n in range(5)}
    assert [(one.filename, one.data) for one in document.attachments] == [
        (f"{n}.txt", b"") for n in range(5)
    ]  # fmt: skip
    assert [cell.text for cell in document.pages[0].tables[0].rows[2]][:2] == ["1.txt", "6"]
    assert document.metadata["members"] == 5


def test_a_member_that_is_too_much_costs_itself_alone() -> None:
    limits = Limits(memory_bytes=150 * MIB)
    document = parse(_drawers(bytes(60 * MIB), 2), "a.zip", "zip", limits=limits)
    assert [one.filename for one in document.attachments] == ["0.txt", "1.txt", "3.txt", "4.txt"]
    assert [row[0].text for row in document.pages[0].tables[0].rows] == [
        "member", "0.txt", "1.txt", "3.txt", "4.txt",
    ]  # fmt: skip
    assert document.warnings[0].startswith("member 2.txt was skipped: ")


def test_an_attachment_of_a_mail_is_kept_as_it_comes() -> None:
    kept: list[bytes] = []
    message = builders.mail("See file", From="a@b.example", Subject="x")
    message.add_attachment(b"\x00\xff", maintype="application", subtype="x-y", filename="a.bin")
    found = parse(message.as_bytes(), "a.eml", "eml", keep=lambda _, file: kept.append(file.data))
    assert kept == [b"\x00\xff"]
    assert [(one.filename, one.data) for one in found.attachments] == [("a.bin", b"")]


def test_a_box_goes_on_behind_a_mail() -> None:
    reading = mbox.pages(_box(5), Limits(), first=4)
    steps = list(reading)
    assert [step.number for step in steps if isinstance(step, Held)] == [4, 5]
