"""7-Zip archives: what is packed comes out, and no claim of their makers is believed."""

from __future__ import annotations

import random
import stat
import struct
import zlib
from contextlib import suppress

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, parse, seven
from ingestion.limits import MIB
from ingestion.paging import Held, Skipped
from tests.ingestion.sevens import METHODS, Member
from tests.ingestion.sevens import seven as made

LETTERS = (Member("letters/a.txt", b"one " * 500), Member("b.csv", b"x,y\n1,2\n"),
           Member("c.bin", bytes(range(256)) * 300))  # fmt: skip
READ = ("copy", "lzma", "lzma2", "delta", "x86", "deflate", "bzip2")


def of(data: bytes, limits: Limits | None = None) -> Document:
    return seven.read(data, limits or Limits())


@pytest.mark.parametrize("solid", [True, False])
@pytest.mark.parametrize("method", READ)
def test_members_become_files_and_a_list(method: str, solid: bool) -> None:
    document = of(made(*LETTERS, method=method, solid=solid, packed_header=solid))
    assert [(a.filename, a.data) for a in document.attachments] == [
        (one.name.rpartition("/")[2], one.data) for one in LETTERS
    ]
    (table,) = document.pages[0].tables
    assert [cell.value for cell in table.rows[1]] == ["letters/a.txt", 2000, "2024-12-30 02:40"]


@pytest.mark.parametrize(
    ("method", "code", "told"),
    [("ppmd", "unsupported_format", "PPMd"), ("bcj2", "unsupported_format", "BCJ2"),
     ("aes", "encrypted", "as a ZIP")],
)  # fmt: skip
def test_what_is_not_unpacked_is_refused_with_what_to_do(method: str, code: str, told: str) -> None:
    with pytest.raises(Unfinishable, match=told) as caught:
        of(made(*LETTERS, method=method))
    assert caught.value.slug == code


def test_one_of_several_volumes_is_told_as_such() -> None:
    with pytest.raises(Unfinishable, match="volumes") as caught:
        of(made(*LETTERS)[:-200])
    assert caught.value.slug == "corrupted"


def test_folders_links_and_empty_files_are_no_members() -> None:
    link = (stat.S_IFLNK | 0o777) << 16 | 0x8000
    data = made(
        Member("evil", b"/etc/passwd", link), Member("folder", b"", 0x10),
        Member("__MACOSX/._a", b"x"), Member("../../a.txt", b"x"), Member("no.txt", b""),
    )  # fmt: skip
    document = of(data)
    assert [one.filename for one in document.attachments] == ["a.txt"]
    assert document.warnings == (
        "member evil was skipped: it is a link, not a file.",
        "member no.txt was skipped: it is empty.",
    )


def test_bytes_are_counted_and_not_believed() -> None:
    small = Limits(unpacked_bytes=4 * MIB, output_bytes=4 * MIB)
    bomb = Member("bomb.bin", bytes(40 * MIB))
    honest, late = Member("a.txt", b"honest"), Member("b.txt", b"late")
    document = of(made(honest, bomb, late, solid=False, method="deflate"), small)
    assert [one.filename for one in document.attachments] == ["a.txt", "b.txt"]
    # The way to the last leads through the bomb.
    document = of(made(honest, bomb, late, method="deflate"), small)
    assert [one.filename for one in document.attachments] == ["a.txt"]
    assert "member bomb.bin was skipped: it unpacks to too much." in document.warnings
    with pytest.raises(Unfinishable) as caught:
        of(made(bomb, method="deflate"), small)
    assert caught.value.slug == "limit_memory"


def test_a_lying_size_is_damage() -> None:
    one, two = Member("a.txt", b"a" * 1000), Member("b.txt", b"good" * 10)
    with pytest.raises(Unfinishable) as caught:
        of(made(one, two, sizes=(10, 1030)))
    assert caught.value.slug == "corrupted"
    assert [a.filename for a in of(made(one, two, sizes=(1000, 40))).attachments] == [
        "a.txt", "b.txt",
    ]  # fmt: skip


def test_damage_costs_its_own_folder() -> None:
    data = made(Member("a.txt", b"first"), Member("b.txt", b"second", sum=7),
                Member("c.txt", b"third"), solid=False, method="copy")  # fmt: skip
    document = of(data)
    assert [one.filename for one in document.attachments] == ["a.txt", "c.txt"]
    assert document.warnings == ("member b.txt was skipped: it is damaged.",)


def test_memory_that_an_archive_asks_for_is_no_more_than_it_holds() -> None:
    assert len(of(made(*LETTERS, window=b"\x28")).attachments) == 3  # it claims 4 GiB
    data = made(LETTERS[0], window=b"\x28", sizes=(2**32,))
    with pytest.raises(Unfinishable) as caught:
        of(data)
    assert caught.value.slug == "limit_memory"


def test_what_was_read_is_not_read_again_behind_a_member_that_kills() -> None:
    steps = list(seven.pages(made(*LETTERS), Limits(), None, 3))
    assert [step.file.data for step in steps if isinstance(step, Held)] == [LETTERS[2].data]


def test_more_members_than_allowed_are_named() -> None:
    document = of(made(*(Member(f"{n}.txt", b"x") for n in range(40))), Limits(parts=10))
    assert len(document.attachments) == 10
    assert document.warnings == (
        "30 more members were not read: there are too many in one archive.",
    )


@pytest.mark.parametrize("seed", range(60))
def test_bytes_of_any_kind_end_in_words(seed: int) -> None:
    """Also where the checksums of the header have been made to fit."""
    rnd = random.Random(seed)
    method = rnd.choice(sorted(METHODS))
    data = bytearray(made(*LETTERS[:2], method=method, solid=seed % 2 == 0))
    begin = 32 + struct.unpack_from("<Q", data, 12)[0]
    for _ in range(rnd.randrange(1, 6)):
        data[rnd.randrange(begin if seed % 3 else 32, len(data))] = rnd.randrange(256)
    struct.pack_into("<I", data, 28, zlib.crc32(bytes(data[begin:])))
    struct.pack_into("<I", data, 8, zlib.crc32(bytes(data[12:32])))
    steps: list[object] = []
    with suppress(Unfinishable):
        steps.extend(seven.pages(bytes(data), Limits()))
    assert all(step.reason for step in steps if isinstance(step, Skipped))


def test_it_is_read_in_the_child() -> None:
    document = parse(made(*LETTERS), "papers.7z", "7z")
    assert document.format == "7z"
    assert [one.filename for one in document.attachments] == ["a.txt", "b.csv", "c.bin"]
