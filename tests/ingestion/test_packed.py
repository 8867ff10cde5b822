"""ZIP under AES, TAR and gzip: members as files, passwords, and archives that lie."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import struct
import tarfile
import zlib

import pytest

from core.counting import counted
from core.errors import Unfinishable
from ingestion import Limits, tar_, zip_
from ingestion.limits import MIB


def aes_zip(
    content: bytes,
    password: bytes,
    *,
    strength: int = 3,
    method: int = 8,
    name: bytes = b"secret.txt",
) -> bytes:
    """As WinZip and 7-Zip write it (AE-2)."""
    size = {1: 16, 2: 24, 3: 32}[strength]
    salt = bytes(range(size // 2))
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1_000, 2 * size + 2)
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = pack.compress(content) + pack.flush() if method == 8 else content
    body = counted(keys[:size], packed)
    proof = hmac.new(keys[size : 2 * size], body, "sha1").digest()[:10]
    body = salt + keys[-2:] + body + proof
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", strength, method)
    shape = struct.pack("<HHHHHIIIHH", 51, 1, 99, 0, 0x5A21, 0, len(body), len(content), len(name),
                        len(extra))  # fmt: skip
    local = b"PK\x03\x04" + shape + name + extra + body
    central = b"PK\x01\x02\x33\x00" + shape + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name + extra
    return local + central + b"PK\x05\x06" + struct.pack(
        "<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0
    )  # fmt: skip


def test_counting_is_that_of_the_standard_with_its_small_end_first() -> None:
    """FIPS 197, C.1: a block under a key; the first block counted is 1."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = bytes(range(16))
    one = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(b"\x01" + bytes(15))
    assert counted(key, bytes(16)) == one
    long = counted(key, bytes(300_000))
    last = (300_000 // 16 - 1).to_bytes(16, "little")
    assert long[-32:-16] == Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(last)


@pytest.mark.parametrize(("strength", "method"), [(1, 8), (2, 8), (3, 8), (3, 0)])
def test_a_member_under_aes_opens_with_its_password(strength: int, method: int) -> None:
    data = aes_zip(b"the secret " * 999, "pässword".encode(), strength=strength, method=method)
    (file,) = zip_.read(data, Limits(), "pässword").attachments
    assert (file.filename, file.data) == ("secret.txt", b"the secret " * 999)


@pytest.mark.parametrize(
    ("password", "told"), [(None, "send the archive's password"), ("wrong", "does not open it")]
)
def test_without_it_says_so(password: str | None, told: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        zip_.read(aes_zip(b"x", b"right"), Limits(), password)
    assert caught.value.slug == "encrypted"
    assert told in caught.value.detail


def test_a_changed_byte_is_damage() -> None:
    data = bytearray(aes_zip(b"the secret " * 99, b"right", method=0))
    data[100] ^= 1
    with pytest.raises(Unfinishable) as caught:
        zip_.read(bytes(data), Limits(), "right")
    assert caught.value.slug == "corrupted"


def test_what_is_sealed_is_counted_too() -> None:
    data = aes_zip(bytes(100 * MIB), b"right")
    with pytest.raises(Unfinishable) as caught:
        zip_.read(data, Limits(), "right")
    assert caught.value.slug == "limit_memory"


def _tar(*members: tuple[str, bytes], mode: str = "w", **more: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as made:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_790_000_000
            made.addfile(info, io.BytesIO(data))
        for name, kind in more.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            made.addfile(info)
    return target.getvalue()


@pytest.mark.parametrize(("mode", "format"), [("w", "tar"), ("w:gz", "gz")])
def test_members_of_a_tar_are_files(mode: str, format: str) -> None:
    data = _tar(("letters/Grüße.txt", b"one"), ("../../etc/b.csv", b"x,y"), ("._c", b"junk"),
                mode=mode)  # fmt: skip
    document = tar_.read(data, Limits())
    assert [(one.filename, one.data) for one in document.attachments] == [
        ("Grüße.txt", b"one"), ("b.csv", b"x,y"),
    ]  # fmt: skip
    assert document.format == format
    assert "letters/Grüße.txt | 3 | 2026-09-21 14:13" in document.pages[0].text


def test_links_and_devices_are_named_and_left() -> None:
    data = _tar(("a.txt", b"x"), link=tarfile.SYMTYPE, hard=tarfile.LNKTYPE, null=tarfile.CHRTYPE)
    document = tar_.read(data, Limits())
    assert [one.filename for one in document.attachments] == ["a.txt"]
    assert len(document.warnings) == 3


def test_a_thousand_streams_behind_one_another_are_one_file() -> None:
    """Also where one is cut in two by what is fed at once, and where one is longer than that."""
    noise = hashlib.shake_256(b"x").digest(100_000)
    packed = gzip.compress(b"word ", mtime=0) * 2_000 + gzip.compress(noise, mtime=0)
    (file,) = tar_.read(packed, Limits()).attachments
    assert file.data == b"word " * 2_000 + noise


def test_a_single_file_in_gzip_keeps_its_name() -> None:
    target = io.BytesIO()
    with gzip.GzipFile("report.csv", "wb", fileobj=target) as made:
        made.write(b"a,b\n1,2\n")
    (file,) = tar_.read(target.getvalue() + gzip.compress(b"3,4\n"), Limits()).attachments
    assert (file.filename, file.data) == ("report.csv", b"a,b\n1,2\n3,4\n")
    assert tar_.read(gzip.compress(b"x"), Limits()).attachments[0].filename == "content"


def test_a_bomb_is_counted_while_it_is_inflated() -> None:
    data = gzip.compress(bytes(30 * MIB))
    with pytest.raises(Unfinishable) as caught:
        tar_.read(data, Limits(unpacked_bytes=10 * MIB))
    assert caught.value.slug == "limit_memory"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(b"x" * 5_000)[:-12], "corrupted"),
        (b"\x1f\x8b\x08\x00" + bytes(6) + b"\xff" * 40, "corrupted"),
        (gzip.compress(b""), "empty"),
        (_tar(), "empty"),
        (_tar(("a.txt", b"x"))[:200], "corrupted"),
        (b"\x1f\x8b\x08\x0c", "corrupted"),
    ],
)
def test_what_holds_nothing_says_why(data: bytes, code: str) -> None:
    if code == "empty" and data[:2] != b"\x1f\x8b":
        data = data[:257] + b"ustar" + data[262:]
    if len(data) == 200:
        data += bytes(57) + b"ustar"
    with pytest.raises(Unfinishable) as caught:
        tar_.read(data, Limits())
    assert caught.value.slug in (code, "corrupted")


def test_many_members_and_a_cut_end() -> None:
    data = _tar(*((f"{n}.txt", b"x" * 600) for n in range(20)))
    document = tar_.read(data, Limits(parts=10))
    assert len(document.attachments) == 10
    assert "10 more members were not read" in document.warnings[-1]
    document = tar_.read(data[: 1536 * 5 + 700], Limits())
    assert len(document.attachments) == 5
    assert document.warnings
