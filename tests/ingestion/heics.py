"""HEIC pictures, boxes and all, around one still of 256 × 128 that is encoded already.

The still is white with a black rectangle at (16, 16, 64, 48). It was made with `heif-enc -q 40` of
Debian's libheif-examples; only the encoded picture and the decoder's record were kept of it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

WIDTH, HEIGHT = 256, 128
_RECORD = bytes.fromhex(
    "0103700000000000000000001ef000fcfdf8f800000f03200001001840010c01ffff03700000030090000003"
    "000003001eba0240210001002b42010103700000030090000003000003001ea0080808165ba924a6b9b8101030"
    "200000030020000003002122000100074401c172b06240"
)
_STILL = bytes.fromhex(
    "0000003d2801af546b60f941baaf17f5b48fbffe96d410543fdffeed04151ec23c7f58aff47fbbfce7f8522"
    "84c44ea92789c8c0014e03c20a4ac0b801520b41f70"
)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def heic(
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    turns: int | None = None,
    still: bytes = _STILL,
    length: int | None = None,
    more: Sequence[bytes] = (),
) -> bytes:
    """`size` and `length` are what the file claims; `turns` are quarters against the clock."""
    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    properties = [box(b"hvcC", _RECORD), full(b"ispe", 0, struct.pack(">II", *size))]
    properties += [] if turns is None else [box(b"irot", bytes([turns]))]
    properties += more
    links = bytes([0x81, *range(2, len(properties) + 1)])

    def meta(offset: int) -> bytes:
        place = struct.pack(
            ">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(still) if length is None else length
        )
        return full(
            b"meta", 0,
            full(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            full(b"pitm", 0, struct.pack(">H", 1)),
            full(b"iloc", 0, place),
            full(b"iinf", 0, struct.pack(">H", 1),
                 full(b"infe", 2, struct.pack(">HH", 1, 0), b"hvc1\0")),
            box(b"iprp", box(b"ipco", *properties),
                full(b"ipma", 0, struct.pack(">IHB", 1, 1, len(links)), links)),
        )  # fmt: skip

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", still)
