"""7-Zip archives made by hand, so that every field of theirs can be made to lie.
Source: 7-Zip, "7zFormat.txt"."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LZMA2 = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
LZMA1 = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 2}]
DELTA = [{"id": lzma.FILTER_DELTA, "dist": 4}, *LZMA2]
X86 = [{"id": lzma.FILTER_X86}, *LZMA2]


def _raw(filters: list[dict[str, int]]) -> Callable[[bytes], bytes]:
    return lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=filters)


def _deflate(data: bytes) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    return made.compress(data) + made.flush()


# name: how it is packed, and the coders as the format writes them, the packed side last
_LZMA2 = b"\x21\x21\x01\x10"
METHODS: dict[str, tuple[Callable[[bytes], bytes], tuple[bytes, ...]]] = {
    "copy": (lambda data: data, (b"\x01\x00",)),
    "lzma": (_raw(LZMA1), (b"\x23\x03\x01\x01\x05\x5d" + struct.pack("<I", 1 << 20),)),
    "lzma2": (_raw(LZMA2), (_LZMA2,)),
    "delta": (_raw(DELTA), (b"\x21\x03\x01\x03", _LZMA2)),
    "x86": (_raw(X86), (b"\x04\x03\x03\x01\x03", _LZMA2)),
    "deflate": (_deflate, (b"\x03\x04\x01\x08",)),
    "bzip2": (bz2.compress, (b"\x03\x04\x02\x02",)),
    "ppmd": (lambda data: data, (b"\x23\x03\x04\x01\x05" + bytes(5),)),
    "aes": (lambda data: data, (b"\x24\x06\xf1\x07\x01\x02\x13\x00",)),
    "bcj2": (lambda data: data, (b"\x14\x03\x03\x01\x1b\x04\x01", *[b"\x01\x00"] * 3)),
}  # fmt: skip


@dataclass
class Member:
    name: str
    data: bytes
    attributes: int = 0x20
    sum: int | None = None


def number(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    return b"\xff" + struct.pack("<Q", value)


def _folder(coders: tuple[bytes, ...]) -> bytes:
    made = number(len(coders)) + b"".join(coders)
    if len(coders) == 4:  # one that takes four streams
        return made + bytes([1, 1, 2, 2, 3, 3, 0, 4, 5, 6])
    return made + b"".join(number(n) + number(n + 1) for n in range(len(coders) - 1))


def seven(
    *members: Member, method: str = "lzma2", solid: bool = True, packed_header: bool = False,
    sizes: Sequence[int] | None = None, window: bytes | None = None,
) -> bytes:  # fmt: skip
    """Members in one folder, or each in its own; `sizes` are what the header claims."""
    full = [one for one in members if one.data]
    groups = [full] if solid and full else [[one] for one in full]
    pack, coders = METHODS[method]
    if window is not None:
        coders = (b"\x21\x21\x01" + window,)
    packs = [pack(b"".join(one.data for one in group)) for group in groups]
    header = _header(members, groups, packs, coders, sizes)
    body = b"".join(packs)
    if packed_header:
        small = _raw(LZMA2)(header)
        told = b"\x17" + _streams([small], [[Member("", header)]], (_LZMA2,), None, len(body))
        body, header = body + small, told + b"\x00"
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return (
        b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + body + header
    )


def _header(
    members: Sequence[Member], groups: list[list[Member]], packs: list[bytes],
    coders: tuple[bytes, ...], sizes: Sequence[int] | None,
) -> bytes:  # fmt: skip
    made = b"\x01"
    if groups:
        made += b"\x04" + _streams(packs, groups, coders, sizes, 0) + b"\x00"
    return made + b"\x05" + number(len(members)) + _facts(members) + b"\x00\x00"


def _streams(
    packs: list[bytes], groups: list[list[Member]], coders: tuple[bytes, ...],
    sizes: Sequence[int] | None, at: int,
) -> bytes:  # fmt: skip
    streams = 4 if len(coders) == 4 else 1
    made = b"\x06" + number(at) + number(len(packs) * streams) + b"\x09"
    made += b"".join(number(len(one)) + bytes(streams - 1) for one in packs) + b"\x00"
    outs = len(coders)
    made += b"\x07\x0b" + number(len(groups)) + b"\x00" + _folder(coders) * len(groups) + b"\x0c"
    wholes = [sum(len(one.data) for one in group) for group in groups]
    if sizes is not None:
        wholes = [sum(sizes)]
    made += b"".join(number(whole) * outs for whole in wholes) + b"\x00"
    made += b"\x08\x0d" + b"".join(number(len(group)) for group in groups) + b"\x09"
    for group in groups:
        told = sizes if sizes is not None else [len(one.data) for one in group]
        made += b"".join(number(size) for size in told[:-1])
    made += b"\x0a\x01"
    for one in (one for group in groups for one in group):
        made += struct.pack("<I", zlib.crc32(one.data) if one.sum is None else one.sum)
    return made + b"\x00"


def _facts(members: Sequence[Member]) -> bytes:
    empty = [not one.data for one in members]
    bits = bytearray((len(members) + 7) // 8)
    for at, none in enumerate(empty):
        bits[at // 8] |= 0x80 >> at % 8 if none else 0
    names = b"\x00" + b"".join(one.name.encode("utf-16-le") + b"\x00\x00" for one in members)
    times = b"\x01\x00" + struct.pack("<Q", 133_800_000_000_000_000) * len(members)
    kept = b"\x01\x00" + b"".join(struct.pack("<I", one.attributes) for one in members)
    made = b"\x0e" + number(len(bits)) + bytes(bits) if any(empty) else b""
    for kind, told in ((0x11, names), (0x14, times), (0x15, kept)):
        made += bytes([kind]) + number(len(told)) + told
    return made
