"""ZIP archives: a list of the members, and each member a file of its own.

Sizes and names in an archive are claims of its maker: bytes are counted while they are inflated,
nothing is written anywhere, and a name is only shown.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from lzma import LZMAError
from typing import Any

from core.documents import Attachment, Cell, Document
from core.errors import Unfinishable
from ingestion import zip_aes
from ingestion.gathering import collect
from ingestion.limits import MIB, Limits
from ingestion.names import plain
from ingestion.page_text import one_line, tidy
from ingestion.paging import NAMES_MAX, Held, Opened, Reading, Skipped

_PIECE = 2**18
_MEMBER_BYTES_MAX = 64 * MIB
_JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_DAMAGED = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, ValueError, IndexError)


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    """Raises `Unfinishable` when no member at all can be read: `encrypted`, `limit_memory`,
    `corrupted` or `empty`, whichever met the most."""
    return collect(pages(data, limits, password))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Each member is a part, kept or skipped."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (*_DAMAGED, NotImplementedError) as error:
        raise Unfinishable(
            "The archive is damaged: it is cut off or not a ZIP.", code="corrupted"
        ) from error
    found = [(info, shown) for info in archive.infolist()
             if not (info.is_dir() or is_left_out(shown := _shown(info)))]  # fmt: skip
    if not found:
        raise Unfinishable("The archive holds no files.", code="empty")
    names = tuple(shown[-_NAME_MAX:] for _info, shown in found[:NAMES_MAX])
    about = Document("zip", ())
    yield Opened(len(found), about, "member", names, COLUMNS)
    reading = _Reading(data, archive, limits, password.encode() if password else None)
    for number, (info, shown) in enumerate(found[first - 1 :], first):
        if reading.count >= limits.parts:
            more = len(found) - number + 1
            told = f"{more} more members were not read: there are too many in one archive."
            return replace(about, warnings=(told,))
        yield reading.member(number, info, shown)
    return about


@dataclass
class _Reading:
    data: bytes
    archive: zipfile.ZipFile
    limits: Limits
    password: bytes | None
    count: int = 0
    left: int = 0  # bytes that may still be kept
    spare: int = 0  # bytes that may still be inflated, kept or not

    def __post_init__(self) -> None:
        self.left = self.limits.unpacked_bytes
        self.spare = 2 * self.left

    def member(self, number: int, info: zipfile.ZipInfo, shown: str) -> Held | Skipped:
        try:
            content = self._content(info)
        except Unfinishable as error:
            return Skipped(number, error.detail, error.slug)
        self.count += 1
        name = plain(shown) or f"member-{number}"
        file = Attachment(name, "application/octet-stream", content)
        return Held(number, file, _row(info, shown, len(content)))

    def _content(self, info: zipfile.ZipInfo) -> bytes:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Unfinishable("it is a link, not a file", code="corrupted")
        if self.left <= 0 or self.spare <= 0:
            raise Unfinishable("the archive unpacks to too much", code="limit_memory")
        try:
            content = self._inflate(info)
        except RuntimeError as error:
            if isinstance(error, NotImplementedError):
                raise _unknown(info) from error
            raise zip_aes.locked(self.password) from error
        except _DAMAGED as error:
            raise Unfinishable("it is damaged", code="corrupted") from error
        if not content:
            raise Unfinishable("it is empty", code="empty")
        self.left -= len(content)
        return content

    def _inflate(self, info: zipfile.ZipInfo) -> bytes:
        pieces, size = [], 0
        most = min(self.left, _MEMBER_BYTES_MAX)
        if info.file_size > most:  # a smaller claim than the truth is damage
            raise Unfinishable("it unpacks to too much", code="limit_memory")
        with self._open(info) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                self.spare -= len(piece)
                if size > most or self.spare < 0:
                    raise Unfinishable("it unpacks to too much", code="limit_memory")
                pieces.append(piece)
        return b"".join(pieces)

    def _open(self, info: zipfile.ZipInfo) -> AbstractContextManager[Any]:
        if info.compress_type == zip_aes.METHOD:
            return nullcontext(zip_aes.Unsealed(self.data, info, self.password))
        return self.archive.open(info, pwd=self.password)


def _row(info: zipfile.ZipInfo, shown: str, size: int) -> tuple[Cell, ...]:
    year, month, day, hour, minute, _ = info.date_time
    at = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"
    return (
        Cell(shown, 0, 0, shown), Cell(str(size), 0, 1, size, "number"),
        Cell(at, 0, 2, at, "date" if 1 <= month <= 12 and 1 <= day <= 31 else "text"),
    )  # fmt: skip


COLUMNS = ("member", "bytes", "modified")
_NAME_MAX = 120


def _shown(info: zipfile.ZipInfo) -> str:
    """The member's path as one line. Archives without the UTF-8 mark are read as UTF-8 where that
    fits; many packers forget it."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeEncodeError, UnicodeDecodeError):
            name = name.encode("cp437").decode("utf-8")
    return one_line(tidy(name))[:500]


def _unknown(info: zipfile.ZipInfo) -> Unfinishable:
    if info.flag_bits & 1:
        return Unfinishable("its kind of encryption is not read", code="encrypted")
    return Unfinishable("its kind of compression is not read", code="corrupted")


def is_left_out(shown: str) -> bool:
    """What no person put there; macOS keeps a file's other half beside it, as `._name`."""
    return any(mark in shown for mark in _JUNK) or shown.rsplit("/", 1)[-1].startswith("._")
