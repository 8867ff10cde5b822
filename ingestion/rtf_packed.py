"""RTF as Outlook packs it into messages. Source: [MS-OXRTFCP]."""

from __future__ import annotations

import struct

from core.errors import Unfinishable
from ingestion.limits import Limits

_PACKED, _OPEN = 0x75465A4C, 0x414C454D
_RING = 4096
_WORDS = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def unpacked(data: bytes, limits: Limits) -> bytes:
    """Raises `Unfinishable`: `corrupted`, or `limit_memory` where it unpacks to too much. Whatever
    was unpacked before the end of cut off data is given."""
    if len(data) < 16:
        raise Unfinishable("its packed text is cut off", code="corrupted")
    _size, raw_size, kind, _sum = struct.unpack_from("<IIII", data)
    if kind == _OPEN:
        return data[16 : 16 + raw_size]
    if kind != _PACKED:
        raise Unfinishable("its packed text is damaged", code="corrupted")
    return bytes(_inflated(data, min(raw_size, limits.unpacked_bytes // 4)))


def _inflated(data: bytes, most: int) -> bytearray:
    """What is written is also the dictionary: a ring of 4 KiB that begins with words of RTF."""
    out = bytearray(_WORDS)
    before = len(_WORDS)
    at, end = 16, len(data)
    while at < end:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= end or len(out) - before > most:
                return out[before:]
            if not control >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 1 >= end:
                return out[before:]
            token = data[at] << 8 | data[at + 1]
            at += 2
            back = (len(out) - (token >> 4)) % _RING
            if back == 0:  # where writing goes on: the end
                return out[before:]
            _copy(out, back, (token & 15) + 2)
    return out[before:]


def _copy(out: bytearray, back: int, count: int) -> None:
    """A run may go over its own end; what the ring does not hold yet is zero."""
    for _ in range(count):
        out.append(out[-back] if back <= len(out) else 0)
