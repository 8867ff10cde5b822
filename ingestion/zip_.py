"""ZIP archives: a list of the members, and each member a file of its own.

Sizes and names in an archive are claims of its maker: bytes are counted while they are inflated,
nothing is written anywhere, and a name is only shown.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from lzma import LZMAError

from core.documents import Attachment, Cell, Document
from core.errors import Unfinishable
from ingestion.limits import MIB, Limits
from ingestion.names import Distinct, plain
from ingestion.page_text import PageText, one_line, tidy

_PIECE = 2**18
_MEMBER_BYTES_MAX = 64 * MIB
_JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_DAMAGED = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, ValueError, IndexError)
_TOLD_MAX = 20  # warnings that name a member


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    """Raises `Unfinishable` when no member at all can be read: `encrypted`, `limit_memory`,
    `corrupted` or `empty`, whichever met the most."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (*_DAMAGED, NotImplementedError) as error:
        raise Unfinishable(
            "The archive is damaged: it is cut off or not a ZIP.", code="corrupted"
        ) from error
    reading = _Reading(archive, limits, password.encode() if password else None)
    with archive:
        found = tuple(reading.members())
    if not found:
        raise reading.nothing()
    page = PageText()
    page.add_table(reading.rows)
    return Document(
        "zip", (page.page(1),), warnings=tuple(reading.warnings()), attachments=found,
        metadata={"members": len(found), "attachments": [one.filename for one in found]},
    )  # fmt: skip


@dataclass
class _Reading:
    archive: zipfile.ZipFile
    limits: Limits
    password: bytes | None
    rows: list[list[Cell]] = field(default_factory=list)
    left: int = 0  # bytes that may still be inflated, kept or not
    kept: int = 0  # bytes that may still be kept: they travel as base64
    lost: list[tuple[str, str, str]] = field(default_factory=list)  # name, code, why

    def __post_init__(self) -> None:
        self.left = self.limits.unpacked_bytes
        self.kept = self.limits.output_bytes * 7 // 10
        self.rows.append([Cell(name, 0, col, name) for col, name in enumerate(_COLUMNS)])

    def members(self) -> Iterator[Attachment]:
        names = Distinct()
        count = 0
        for info in self.archive.infolist():
            shown = _shown(info)
            if info.is_dir() or any(mark in shown for mark in _JUNK) or _is_shadow(shown):
                continue
            if count >= self.limits.parts:
                self._lose(shown, "too_many_parts", f"only {count} members are read")
                continue
            try:
                content = self._content(info)
            except Unfinishable as error:
                self._lose(shown, error.slug, error.detail)
                continue
            count += 1
            name = names.name(plain(shown) or f"member-{count}")
            self._list(len(self.rows), shown, len(content), info)
            yield Attachment(name, "application/octet-stream", content)

    def _content(self, info: zipfile.ZipInfo) -> bytes:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Unfinishable("it is a link, not a file", code="corrupted")
        if self.left <= 0 or self.kept <= 0:
            raise Unfinishable("the archive unpacks to too much", code="limit_memory")
        try:
            content = self._inflate(info)
        except RuntimeError as error:
            if isinstance(error, NotImplementedError):
                raise _unknown(info) from error
            why = "it is encrypted; send the archive's password"
            raise Unfinishable(why, code="encrypted") from error
        except _DAMAGED as error:
            raise Unfinishable("it is damaged", code="corrupted") from error
        if not content:
            raise Unfinishable("it is empty", code="empty")
        self.kept -= len(content)
        return content

    def _inflate(self, info: zipfile.ZipInfo) -> bytes:
        pieces, size = [], 0
        most = min(self.kept, _MEMBER_BYTES_MAX)
        with self.archive.open(info, pwd=self.password) as stream:
            while piece := stream.read(_PIECE):
                self.left -= len(piece)
                size += len(piece)
                if self.left < 0 or size > most:
                    raise Unfinishable("it unpacks to too much", code="limit_memory")
                pieces.append(piece)
        return b"".join(pieces)

    def _list(self, row: int, shown: str, size: int, info: zipfile.ZipInfo) -> None:
        year, month, day, hour, minute, _ = info.date_time
        at = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"
        self.rows.append([
            Cell(shown, row, 0, shown), Cell(str(size), row, 1, size, "number"),
            Cell(at, row, 2, at, "date" if 1 <= month <= 12 and 1 <= day <= 31 else "text"),
        ])  # fmt: skip

    def _lose(self, name: str, code: str, why: str) -> None:
        self.lost.append((name, code, why))

    def warnings(self) -> Iterator[str]:
        for name, _code, why in self.lost[:_TOLD_MAX]:
            yield f"{name[-120:]} was not read: {why}."
        if len(self.lost) > _TOLD_MAX:
            yield f"{len(self.lost) - _TOLD_MAX} more members were not read."

    def nothing(self) -> Unfinishable:
        codes = [code for _name, code, _why in self.lost] or ["empty"]
        code = max(_WORDS, key=codes.count)
        return Unfinishable(_WORDS[code], code=code)


_COLUMNS = ("member", "bytes", "modified")
_WORDS = {
    "encrypted": "The archive is encrypted. Send its password with it, or pack it without one.",
    "limit_memory": "The archive unpacks to far too much.",
    "corrupted": "The archive is damaged: no member can be unpacked.",
    "empty": "The archive holds no files.",
    "too_many_parts": "The archive has too many members.",
}


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


def _is_shadow(shown: str) -> bool:
    """macOS keeps a file's other half beside it, as `._name`."""
    return shown.rsplit("/", 1)[-1].startswith("._")
