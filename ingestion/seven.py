"""7-Zip archives: a list of the members, and each member a file of its own, as of a ZIP.

Sizes in an archive are claims of its maker: bytes are counted while they are unpacked, also those
of members that are passed over to come to the next one. Of an archive that was packed as one
stream a single member is held at a time.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.documents import Attachment, Cell, Document
from core.errors import Unfinishable
from ingestion.gathering import collect
from ingestion.limits import MIB, Limits
from ingestion.names import plain
from ingestion.page_text import one_line, tidy
from ingestion.paging import NAMES_MAX, Held, Opened, Reading, Skipped
from ingestion.seven_coders import DAMAGED
from ingestion.seven_coders import plain as unpacked
from ingestion.seven_header import Bytes, Entry, Folder, damaged, entries, folders, head
from ingestion.zip_ import COLUMNS, is_left_out

_MEMBER_BYTES_MAX = 64 * MIB
_HEADER_BYTES_MAX = 16 * MIB
_PACKED_HEADER = 23
_FOLDER_MARK, _UNIX = 0x10, 0x8000


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    """Raises `Unfinishable` when no member at all can be read: `encrypted`, `limit_memory`,
    `unsupported_format`, `corrupted` or `empty`, whichever met the most."""
    return collect(pages(data, limits, password))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Each member is a part, kept or skipped."""
    packs, members = entries(Bytes(_header(data, limits)), limits.parts * 10)
    named = [(one, one_line(tidy(one.name))[:500]) for one in members if not _is_folder(one)]
    found = [(one, shown) for one, shown in named if not is_left_out(shown)]
    if not found:
        raise Unfinishable("The archive holds no files.", code="empty")
    for folder in packs:
        folder.start += 32
    about = Document("7z", ())
    names = tuple(shown[-120:] for _one, shown in found[:NAMES_MAX])
    yield Opened(len(found), about, "member", names, COLUMNS)
    reading = _Reading(data, packs, members, limits)
    for number, (one, shown) in enumerate(found[first - 1 :], first):
        if reading.count >= limits.parts:
            more = len(found) - number + 1
            told = f"{more} more members were not read: there are too many in one archive."
            return replace(about, warnings=(told,))
        yield reading.member(number, one, shown)
    return about


def _is_folder(one: Entry) -> bool:
    unix = one.attributes >> 16 if one.attributes & _UNIX else 0
    return bool(one.attributes & _FOLDER_MARK) or stat.S_ISDIR(unix)


def _header(data: bytes, limits: Limits) -> bytes:
    """The header, unpacked as often as it was packed."""
    at, size, checksum, sure = head(data)
    raw = data[at : at + size]
    if not sure:
        raise damaged()
    if len(raw) < size:
        raise Unfinishable(
            "The archive is cut off, or one of several volumes. Join all volumes (.001, .002, …) "
            "into one file, or pack it anew as one, and send that.", code="corrupted",
        )  # fmt: skip
    if not raw:
        raise Unfinishable("The archive holds no files.", code="empty")
    if zlib.crc32(raw) != checksum:
        raise damaged()
    for _ in range(4):
        if raw[:1] != bytes([_PACKED_HEADER]):
            return raw
        raw = _packed_header(data, raw, limits)
    raise damaged()


def _packed_header(data: bytes, raw: bytes, limits: Limits) -> bytes:
    told = Bytes(raw)
    told.byte()
    found = folders(told, limits.parts * 10)
    if len(found) != 1 or found[0].size > _HEADER_BYTES_MAX:
        raise damaged()
    found[0].start += 32
    try:
        made = b"".join(unpacked(data, found[0]))
    except Unfinishable as error:
        why = f"The list of the archive's members cannot be read: {error.detail}."
        raise Unfinishable(why, code=error.slug) from error
    except DAMAGED as error:
        raise damaged() from error
    if found[0].sum is not None and zlib.crc32(made) != found[0].sum:
        raise damaged()
    return made


@dataclass
class _Open:
    """A folder that is being unpacked: it is read on, never back."""

    number: int
    pieces: Iterator[bytes]
    rest: bytes = b""

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces."""
        while size > 0:
            piece = self.rest or next(self.pieces, b"")
            if not piece:
                raise EOFError
            piece, self.rest = piece[:size], piece[size:]
            size -= len(piece)
            yield piece


class _Reading:
    def __init__(
        self, data: bytes, packs: list[Folder], members: list[Entry], limits: Limits
    ) -> None:
        self.data = data
        self.packs = packs
        self.count = 0
        self.left = limits.unpacked_bytes  # bytes that may still be kept
        self.spare = 2 * self.left  # bytes that may still be unpacked, kept or not
        self._open = _Open(-1, iter(()))
        self._broken: dict[int, Unfinishable] = {}
        self._at: dict[int, list[Entry]] = {}  # members of a folder that still lie ahead
        for one in members:
            self._at.setdefault(one.folder, []).append(one)

    def member(self, number: int, one: Entry, shown: str) -> Held | Skipped:
        try:
            content = self._content(one)
        except Unfinishable as error:
            return Skipped(number, error.detail, error.slug)
        self.count += 1
        name = plain(shown) or f"member-{number}"
        file = Attachment(name, "application/octet-stream", content)
        return Held(number, file, _row(one, shown, len(content)))

    def _content(self, one: Entry) -> bytes:
        if one.attributes & _UNIX and stat.S_ISLNK(one.attributes >> 16):
            raise Unfinishable("it is a link, not a file", code="corrupted")
        if one.folder < 0 or not one.size:
            raise Unfinishable("it is empty", code="empty")
        if one.folder in self._broken:
            raise self._broken[one.folder]
        if self.left <= 0 or self.spare <= 0:
            raise Unfinishable("the archive unpacks to too much", code="limit_memory")
        try:
            content = self._unpack(one)
        except DAMAGED as error:
            why = "it is damaged, or what was packed before it is"
            self._broken[one.folder] = Unfinishable(why, code="corrupted")
            raise self._broken[one.folder] from error
        if one.sum is not None and zlib.crc32(content) != one.sum:
            raise Unfinishable("it is damaged", code="corrupted")
        self.left -= len(content)
        return content

    def _unpack(self, one: Entry) -> bytes:
        """Passes over the members before it in its folder."""
        if self._open.number != one.folder:
            self._open = _Open(one.folder, self._opened(one.folder))
        ahead = self._at[one.folder]
        if one.size > min(self.left, _MEMBER_BYTES_MAX):
            raise Unfinishable("it unpacks to too much", code="limit_memory")
        while ahead[0] is not one:
            for piece in self._open.take(ahead[0].size):
                self._count(piece)
            del ahead[0]
        del ahead[0]
        kept = []
        for piece in self._open.take(one.size):
            self._count(piece)
            kept.append(piece)
        return b"".join(kept)

    def _opened(self, number: int) -> Iterator[bytes]:
        try:
            return unpacked(self.data, self.packs[number])
        except Unfinishable as error:
            self._broken[number] = error
            raise

    def _count(self, piece: bytes) -> None:
        self.spare -= len(piece)
        if self.spare < 0:
            raise Unfinishable("the archive unpacks to too much", code="limit_memory")


def _row(one: Entry, shown: str, size: int) -> tuple[Cell, ...]:
    return (
        Cell(shown, 0, 0, shown), Cell(str(size), 0, 1, size, "number"),
        Cell(one.modified, 0, 2, one.modified or None, "date" if one.modified else "empty"),
    )  # fmt: skip
