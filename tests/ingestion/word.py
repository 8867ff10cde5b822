"""Old Word files, written by hand: pieces of text, a page of properties."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.ingestion.compound import Tree, compound

_TEXT = 0x800  # where the text begins
_PER_PAGE = 4  # paragraphs whose properties fit
IN_TABLE = struct.pack("<HB", 0x2416, 1)
LISTED = struct.pack("<HH", 0x460B, 1)


@dataclass
class Par:
    """With its mark; `wide` letters have two bytes, all from the first such on."""

    text: str
    style: int = 0
    properties: bytes = b""


def row_end(edges: Sequence[int] = (), marks: Sequence[int] = ()) -> Par:
    told = struct.pack(f"<B{len(edges)}h", max(0, len(edges) - 1), *edges)
    told += b"".join(struct.pack("<H", one).ljust(20, b"\0") for one in marks)
    row = struct.pack("<HH", 0xD608, len(told) + 1) + told if edges else b""
    return Par("\x07", 0, IN_TABLE + struct.pack("<HB", 0x2417, 1) + row)


def doc(
    narrow: Sequence[Par], wide: Sequence[Par] = (), *, flags: int = 0,
    lengths: Mapping[int, int] | None = None, hidden: str = "", more: Tree | None = None,
) -> bytes:  # fmt: skip
    """`narrow` paragraphs in bytes of cp1252, then `wide` ones in UTF-16."""
    first = "".join(one.text for one in narrow)
    second = "".join(one.text for one in wide)
    raw = first.encode("cp1252")
    text = raw + second.encode("utf-16-le", "surrogatepass")
    stream = bytearray(_TEXT)
    struct.pack_into("<HH", stream, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", stream, 10, flags | 0x200)
    lengths = lengths or {}
    struct.pack_into("<I", stream, 0x4C, len(first + second) - sum(lengths.values()))
    for place, length in lengths.items():
        struct.pack_into("<I", stream, place, length)
    stream += text.ljust(-(-len(text) // 512) * 512, b"\0")
    places = [_TEXT]
    for told, width in ((narrow, 1), (wide, 2)):
        for one in told:
            places.append(places[-1] + width * len(one.text))
    plan, numbers = [places[0]], []
    told = [*narrow, *wide]
    for at in range(0, len(told), _PER_PAGE):
        numbers.append(len(stream) // 512)
        stream += _page(places[at : at + _PER_PAGE + 1], told[at : at + _PER_PAGE])
        plan.append(places[min(at + _PER_PAGE, len(told))])
    at = _TEXT + raw.find(hidden.encode("cp1252"))
    letters = struct.pack("<III", at, at + len(hidden), len(stream) // 512)
    stream += _letters(at, len(hidden))
    pieces = struct.pack("<III", 0, len(first), len(first + second))
    pieces += struct.pack("<HIH", 0, _TEXT * 2 | 0x40000000, 0)
    pieces += struct.pack("<HIH", 0, _TEXT + len(raw), 0)
    table = b""
    for place, part in (
        (0x1A2, b"\x02" + struct.pack("<I", len(pieces)) + pieces),
        (0x102, struct.pack(f"<{len(plan) + len(numbers)}I", *plan, *numbers)),
        (0xFA, letters if hidden else b""),
    ):
        struct.pack_into("<II", stream, place, len(table), len(part))
        table += part
    return compound({"WordDocument": bytes(stream), "1Table": table, **(more or {})})


def _page(places: Sequence[int], told: Sequence[Par]) -> bytes:
    page = bytearray(512)
    struct.pack_into(f"<{len(places)}I", page, 0, *places)
    at = 511
    for nth, one in enumerate(told):
        body = struct.pack("<H", one.style) + one.properties
        body = body.ljust(len(body) + (len(body) + 1) % 2, b"\0")  # with its length even
        at = (at - len(body) - 1) // 2 * 2
        page[at] = (len(body) + 1) // 2
        page[at + 1 : at + 1 + len(body)] = body
        page[4 * len(places) + 13 * nth] = at // 2
    page[511] = len(told)
    return bytes(page)


def _letters(place: int, count: int) -> bytes:
    page = bytearray(512)
    struct.pack_into("<II", page, 0, place, place + count)
    page[8], page[511] = 200, 1
    page[400:404] = b"\x03" + struct.pack("<HB", 0x083C, 1)
    return bytes(page)
