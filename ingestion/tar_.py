"""TAR archives, plain or in gzip, and single files in gzip: members as files of their own.

Bytes are counted while they are inflated; nothing is written anywhere, a name is only shown.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from core.documents import Attachment, Cell, Document
from core.errors import Unfinishable
from ingestion.gathering import collect
from ingestion.limits import MIB, Limits
from ingestion.names import UNNAMED, plain
from ingestion.page_text import one_line, tidy
from ingestion.paging import NAMES_MAX, Held, Opened, Reading, Skipped
from ingestion.zip_ import COLUMNS, is_left_out

_GZIP = b"\x1f\x8b"
_MARK, _AT = b"ustar", 257
_MEMBER_BYTES_MAX = 64 * MIB
_INFLATED_MAX = 128 * MIB  # it is in memory at once, and once more while it is put together
_PIECE = 2**18
_FED = 2**14
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError)


def read(data: bytes, limits: Limits, password: str | None = None) -> Document:
    """Raises `Unfinishable`: `limit_memory`, `corrupted` or `empty`."""
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Each member is a part, kept or skipped."""
    packed = data[:2] == _GZIP
    name = _name_in(data) if packed else ""
    content = _inflated(data, limits) if packed else data
    format = "gz" if packed else "tar"
    about = Document(format, ())
    if content[_AT : _AT + len(_MARK)] != _MARK:
        if not content:
            raise Unfinishable("The archive holds an empty file.", code="empty")
        shown = name or UNNAMED
        yield Opened(1, about, "member", (shown,), COLUMNS)
        yield _held(1, shown, content, 0)
        return about
    found, whole = _members(content, limits)
    if not found:
        raise Unfinishable("The archive holds no files.", code="empty")
    names = tuple(_shown(one)[-120:] for one in found[:NAMES_MAX])
    yield Opened(len(found), about, "member", names, COLUMNS)
    for number, one in enumerate(found[first - 1 :], first):
        if number > limits.parts:
            more = len(found) - number + 1
            told = f"{more} more members were not read: there are too many in one archive."
            return replace(about, warnings=(told,))
        yield _member(number, one, content)
    return about if whole else replace(about, warnings=("The archive is cut off at its end.",))


def _members(content: bytes, limits: Limits) -> tuple[list[tarfile.TarInfo], bool]:
    """All that are files or seem to be, and whether the end was reached."""
    found: list[tarfile.TarInfo] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for one in archive:
                if not one.isdir() and not is_left_out(one.name):
                    found.append(one)
                if len(found) > limits.parts * 10:
                    raise Unfinishable("The archive has too many members.", code="too_many_parts")
    except _DAMAGED as error:
        if not found:
            raise Unfinishable("The archive is damaged.", code="corrupted") from error
        return found, False
    return found, True


def _member(number: int, one: tarfile.TarInfo, content: bytes) -> Held | Skipped:
    if not one.isreg() or one.issparse():
        return Skipped(number, "it is a link or no plain file", "corrupted")
    if one.size > _MEMBER_BYTES_MAX:
        return Skipped(number, "it unpacks to too much", "limit_memory")
    data = content[one.offset_data : one.offset_data + one.size]
    if len(data) < one.size:
        return Skipped(number, "it is cut off", "corrupted")
    if not data:
        return Skipped(number, "it is empty", "empty")
    return _held(number, _shown(one), data, one.mtime)


def _held(number: int, shown: str, data: bytes, moment: float) -> Held:
    try:
        at = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") if moment > 0 else ""
    except (OverflowError, ValueError, OSError):
        at = ""
    row = (
        Cell(shown, 0, 0, shown), Cell(str(len(data)), 0, 1, len(data), "number"),
        Cell(at, 0, 2, at or None, "date" if at else "empty"),
    )  # fmt: skip
    name = plain(shown) or f"member-{number}"
    return Held(number, Attachment(name, "application/octet-stream", data), row)


def _shown(one: tarfile.TarInfo) -> str:
    return one_line(tidy(one.name))[:500]


def _inflated(data: bytes, limits: Limits) -> bytes:
    """Several gzip members stand behind each other as one."""
    pieces, size = [], 0
    most = min(limits.unpacked_bytes, _INFLATED_MAX)
    for piece in _pieces(data):
        size += len(piece)
        if size > most:
            raise Unfinishable("The archive unpacks to far too much.", code="limit_memory")
        pieces.append(piece)
    return b"".join(pieces)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Fed a little at a time: what stands behind a member is copied at its end."""
    at = 0
    while data[at : at + 2] == _GZIP:
        inflate = zlib.decompressobj(31)
        while not inflate.eof:
            fed = data[at : at + _FED]
            try:
                piece = inflate.decompress(fed, _PIECE)
            except zlib.error as error:
                raise Unfinishable("The archive is damaged.", code="corrupted") from error
            if not piece and not fed and not inflate.eof:
                raise Unfinishable("The archive is damaged: it is cut off.", code="corrupted")
            at += len(fed) - len(inflate.unconsumed_tail) - len(inflate.unused_data)
            yield piece


def _name_in(data: bytes) -> str:
    """What the file was called when it was packed, where that was kept. Source: RFC 1952."""
    flags, at = data[3], 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    end = data.find(b"\0", at, at + 1_000)
    return plain(data[at:end].decode("latin-1")) if flags & 8 and end > at else ""
