"""What a 7-Zip archive says of itself: where its packed streams lie, how each was made, and which
members come out of it. Source: 7-Zip, "7zFormat.txt"."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.errors import Unfinishable

_END, _HEADER, _STREAMS, _FILES, _ARCHIVE, _MORE = 0, 1, 4, 5, 2, 3
_PACKED, _FOLDERS, _PARTS, _SIZES, _SUMS = 6, 7, 8, 9, 10
_FOLDER, _UNPACKED, _COUNTS = 11, 12, 13
_EMPTY_STREAM, _NAMES, _TIMES, _ATTRIBUTES = 14, 17, 20, 21
_FOLDER_CODERS_MAX = 8


@dataclass(frozen=True, slots=True)
class Coder:
    method: bytes
    properties: bytes = b""


@dataclass(slots=True)
class Folder:
    """Members that were packed as one. `coders` from the packed bytes to the plain ones; None where
    several streams run into one."""

    coders: tuple[Coder, ...] | None
    streams: int  # packed streams that it takes
    outs: int
    last: int  # the output that nothing else takes
    size: int = 0
    sum: int | None = None
    start: int = 0  # of its packed bytes in the file
    packed: int = 0
    parts: list[tuple[int, int | None]] = field(default_factory=list)  # sizes, checksums


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    folder: int  # -1: it has no content
    size: int = 0
    sum: int | None = None
    modified: str = ""
    attributes: int = 0


class Bytes:
    """The header's bytes in their order; what leads past their end is damage."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise damaged()
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """The first byte's leading ones say how many bytes follow."""
        first, value = self.byte(), 0
        for at in range(8):
            mask = 0x80 >> at
            if not first & mask:
                return value + ((first & (mask - 1)) << (8 * at))
            value |= self.byte() << (8 * at)
        return value

    def count(self, most: int = 0) -> int:
        """Of things that each take a byte at least, or of `most`."""
        value = self.number()
        if value > (most or len(self.data) - self.at):
            raise damaged()
        return value

    def bits(self, count: int) -> list[bool]:
        raw = self.take((count + 7) // 8)
        return [bool(raw[at // 8] & (0x80 >> at % 8)) for at in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def sums(self, count: int) -> list[int | None]:
        return [
            int.from_bytes(self.take(4), "little") if there else None
            for there in self.defined(count)
        ]


def folders(told: Bytes, most: int) -> list[Folder]:
    """The packed streams, behind the mark that begins them. `most` members are counted."""
    position, sizes = 0, list[int]()
    found: list[Folder] = []
    split = False
    while (kind := told.byte()) != _END:
        if kind == _PACKED:
            position, sizes = _packs(told)
        elif kind == _FOLDERS:
            found = _unpacks(told)
        elif kind == _PARTS:
            _substreams(told, found, most)
            split = True
        else:
            raise damaged()
    at, stream = position, 0
    for one in found:
        taken = sizes[stream : stream + one.streams]
        if len(taken) < one.streams:
            raise damaged()
        one.start, one.packed = at, taken[0] if taken else 0
        at, stream = at + sum(taken), stream + one.streams
        if not split:
            one.parts = [(one.size, one.sum)]
    return found


def _packs(told: Bytes) -> tuple[int, list[int]]:
    position, count = told.number(), told.count()
    sizes = [0] * count
    while (kind := told.byte()) != _END:
        if kind == _SIZES:
            sizes = [told.number() for _ in range(count)]
        elif kind == _SUMS:
            told.sums(count)
        else:
            raise damaged()
    return position, sizes


def _unpacks(told: Bytes) -> list[Folder]:
    if told.byte() != _FOLDER:
        raise damaged()
    count = told.count()
    if told.byte():
        raise damaged()  # kept elsewhere: nobody writes that
    found = [_folder(told) for _ in range(count)]
    while (kind := told.byte()) != _END:
        if kind == _UNPACKED:
            for one in found:
                outs = [told.number() for _ in range(one.outs)]
                one.size = outs[one.last]
        elif kind == _SUMS:
            for one, checksum in zip(found, told.sums(count), strict=True):
                one.sum = checksum
        else:
            raise damaged()
    return found


def _folder(told: Bytes) -> Folder:
    count = told.number()
    if not 0 < count <= _FOLDER_CODERS_MAX:
        raise damaged()
    coders, simple, ins, outs = [], True, 0, 0
    for _ in range(count):
        flags = told.byte()
        method = told.take(flags & 15)
        more, out = (told.count(32), told.count(32)) if flags & 0x10 else (1, 1)
        simple = simple and more == out == 1
        ins, outs = ins + more, outs + out
        coders.append(Coder(method, told.take(told.count()) if flags & 0x20 else b""))
    if not 0 < outs <= ins + 1:
        raise damaged()
    pairs = {told.number(): told.number() for _ in range(outs - 1)}  # input → output
    streams = ins - (outs - 1)
    packed = [told.number() for _ in range(streams)] if streams > 1 else [
        next((at for at in range(ins) if at not in pairs), 0)
    ]  # fmt: skip
    last = next((at for at in range(outs) if at not in pairs.values()), None)
    if last is None:
        raise damaged()
    chain = _chain(coders, pairs, packed[0]) if simple and streams == 1 else None
    return Folder(chain, streams, outs, last)


def _chain(coders: list[Coder], pairs: dict[int, int], first: int) -> tuple[Coder, ...]:
    after = {out: into for into, out in pairs.items()}
    order: list[Coder] = []
    at = first
    while len(order) < len(coders):
        if not 0 <= at < len(coders):
            raise damaged()
        order.append(coders[at])
        if at not in after:
            break
        at = after[at]
    if len(order) != len(coders):
        raise damaged()
    return tuple(order)


def _substreams(told: Bytes, found: list[Folder], most: int) -> None:
    counts = [1] * len(found)
    kind = told.byte()
    if kind == _COUNTS:
        counts = [told.number() for _ in found]
        kind = told.byte()
    if sum(counts) > most:
        raise too_many()
    for one, count in zip(found, counts, strict=True):
        sizes = [told.number() for _ in range(count - 1)] if kind == _SIZES else []
        rest = one.size - sum(sizes)
        if rest < 0 or (count > 1 and kind != _SIZES):
            raise damaged()
        one.parts = [(size, None) for size in [*sizes, rest][:count]]
    kind = told.byte() if kind == _SIZES else kind
    if kind == _SUMS:
        open_sums = [f for f in found if not (len(f.parts) == 1 and f.sum is not None)]
        told_sums = iter(told.sums(sum(len(one.parts) for one in open_sums)))
        for one in open_sums:
            one.parts = [(size, next(told_sums)) for size, _ in one.parts]
        kind = told.byte()
    for one in found:
        if len(one.parts) == 1 and one.sum is not None:
            one.parts = [(one.parts[0][0], one.sum)]
    if kind != _END:
        raise damaged()


def entries(told: Bytes, most: int) -> tuple[list[Folder], list[Entry]]:
    """All of an archive's header: its folders, and its members in their order."""
    if told.byte() != _HEADER:
        raise damaged()
    found: list[Folder] = []
    members: list[Entry] = []
    while (kind := told.byte()) != _END:
        if kind == _ARCHIVE:
            while told.byte() != _END:
                told.take(told.count())
        elif kind == _MORE:
            folders(told, most)
        elif kind == _STREAMS:
            found = folders(told, most)
        elif kind == _FILES:
            members = _files(told, found, most)
        else:
            raise damaged()
    return found, members


def _files(told: Bytes, found: list[Folder], most: int) -> list[Entry]:
    count = told.number()
    if count > most:
        raise too_many()
    empty, names, times, attributes = [False] * count, [""] * count, [""] * count, [0] * count
    while (kind := told.number()) != _END:
        own = Bytes(told.take(told.count()))
        if kind == _EMPTY_STREAM:
            empty = own.bits(count)
        elif kind == _NAMES:
            own.byte()
            text = own.take(len(own.data) - 1).decode("utf-16-le", "replace")
            names = [*text.split("\0")[:count], *[""] * count][:count]
        elif kind == _TIMES:
            raw = _values(own, count, 8)
            times = [_moment(value) for value in raw]
        elif kind == _ATTRIBUTES:
            attributes = _values(own, count, 4)
    parts = [(at, *part) for at, one in enumerate(found) for part in one.parts]
    if empty.count(False) > len(parts):
        raise damaged()
    content = iter(parts)
    return [
        Entry(name, -1, 0, None, at, kept) if none else Entry(name, *next(content), at, kept)
        for name, none, at, kept in zip(names, empty, times, attributes, strict=True)
    ]


def _values(own: Bytes, count: int, size: int) -> list[int]:
    there = own.defined(count)
    own.byte()
    return [int.from_bytes(own.take(size), "little") if one else 0 for one in there]


def _moment(ticks: int) -> str:
    """Of 100 ns since 1601, as a date to the minute in UTC."""
    try:
        at = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return ""
    return at.strftime("%Y-%m-%d %H:%M") if ticks else ""


def head(data: bytes) -> tuple[int, int, int, bool]:
    """Place, size and checksum of the header; and whether what says so is whole."""
    if len(data) < 32:
        raise damaged()
    (sum_told,) = struct.unpack_from("<I", data, 8)
    at, size, checksum = struct.unpack_from("<QQI", data, 12)
    return 32 + at, size, checksum, zlib.crc32(data[12:32]) == sum_told


def damaged() -> Unfinishable:
    return Unfinishable("The archive is damaged.", code="corrupted")


def too_many() -> Unfinishable:
    return Unfinishable("The archive has too many members.", code="too_many_parts")
