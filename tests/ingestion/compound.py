"""Compound files and Outlook's messages, written by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Tree = dict[str, Any]  # bytes are a stream, a dict is a storage
Value = str | int | bytes | datetime
Values = dict[int, Value]
_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_FIXED = "__properties_version1.0"


@dataclass
class _Entry:
    name: str
    data: bytes | None  # None is a storage
    child: int = _FREE
    right: int = _FREE


@dataclass
class _Sectors:
    size: int
    data: bytes = b""
    links: list[int] = field(default_factory=list)

    def put(self, data: bytes) -> int:
        if not data:
            return _END
        begin, count = len(self.links), -(-len(data) // self.size)
        self.links += [*range(begin + 1, begin + count), _END]
        self.data += data.ljust(count * self.size, b"\0")
        return begin


def compound(tree: Tree) -> bytes:
    """Sectors of 512 bytes; streams below 4 KiB lie in small sectors of 64."""
    entries = [_Entry("Root Entry", None)]
    _walk(tree, entries, 0)
    large, small = _Sectors(512), _Sectors(64)
    begins = [
        (small if len(one.data) < 4096 else large).put(one.data) if one.data is not None else _END
        for one in entries
    ]
    begins[0] = large.put(small.data)
    links = large.put(struct.pack(f"<{len(small.links)}I", *small.links))
    folder = large.put(b"".join(
        _entry(one, begin, len(one.data or b"") if nth else len(small.data))
        for nth, (one, begin) in enumerate(zip(entries, begins, strict=True))
    ))  # fmt: skip
    blocks = -(-(len(large.links) + 1) // 127)
    told = [len(large.links) + nth for nth in range(blocks)]
    table = large.links + [_TABLE] * blocks
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<5H", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<2I", head, 44, blocks, folder)
    struct.pack_into("<5I", head, 56, 4096, links, 1, _END, 0)
    struct.pack_into("<109I", head, 76, *(told + [_FREE] * (109 - len(told))))
    raw = struct.pack(f"<{len(table)}I", *table).ljust(blocks * 512, b"\xff")
    return bytes(head) + large.data + raw


def _walk(tree: Tree, entries: list[_Entry], parent: int) -> None:
    """Neighbours hang on each other's right."""
    before: int | None = None
    for name, held in tree.items():
        entries.append(_Entry(name, None if isinstance(held, dict) else held))
        at = len(entries) - 1
        if before is None:
            entries[parent].child = at
        else:
            entries[before].right = at
        before = at
        if isinstance(held, dict):
            _walk(held, entries, at)


def _entry(one: _Entry, begin: int, size: int) -> bytes:
    raw = one.name.encode("utf-16-le")
    kind = 5 if one.name == "Root Entry" else 1 if one.data is None else 2
    return (
        raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2, kind, 1)
        + struct.pack("<III", _FREE, one.right, one.child) + bytes(36)
        + struct.pack("<IQ", begin, size)
    )  # fmt: skip


def ticks(moment: datetime) -> bytes:
    passed = moment - datetime(1601, 1, 1, tzinfo=UTC)
    return struct.pack("<Q", (passed.days * 86_400 + passed.seconds) * 10_000_000)


def properties(values: Values, head: int = 8, unicode: str | None = "utf-16-le") -> Tree:
    """A message's, a person's or a file's; strings in a code page where `unicode` names one."""
    fixed, found = bytes(head), Tree()
    for number, value in values.items():
        if isinstance(value, datetime):
            fixed += struct.pack("<HHI", 0x40, number, 6) + ticks(value)
        elif isinstance(value, int):
            fixed += struct.pack("<HHIQ", 3, number, 6, value)
        else:
            kind = 0x102 if isinstance(value, bytes) else 0x1F if unicode == "utf-16-le" else 0x1E
            raw = value if isinstance(value, bytes) else value.encode(unicode or "ascii")
            found[f"__substg1.0_{number:04X}{kind:04X}"] = raw
            fixed += struct.pack("<HHIII", kind, number, 6, len(raw), 0)
    return {_FIXED: fixed, **found}


def message(
    values: Values, people: tuple[Values, ...] = (), files: Sequence[Values | Tree] = (),
    head: int = 32, unicode: str | None = "utf-16-le",
) -> Tree:  # fmt: skip
    """A file's values, or as a tree what `within` gives."""
    tree = properties(values, head, unicode)
    for nth, person in enumerate(people):
        tree[f"__recip_version1.0_#{nth:08X}"] = properties(person, 8, unicode)
    for nth, file in enumerate(files):
        given: Any = file
        made = given if _FIXED in given else properties(given, 8, unicode)
        tree[f"__attach_version1.0_#{nth:08X}"] = made
    return tree


def within(inner: Tree) -> Tree:
    """A message as a file of another; make it with `head=24`."""
    return {**properties({0x3705: 5}), "__substg1.0_3701000D": inner}


def msg(tree: Tree) -> bytes:
    return compound({"__nameid_version1.0": {"__substg1.0_00030102": b""}, **tree})


def tnef(*attributes: tuple[int, bytes]) -> bytes:
    made = b"\x78\x9f\x3e\x22\x01\x00"
    for name, data in attributes:
        total = sum(data) & 0xFFFF
        made += struct.pack("<BII", 1, name, len(data)) + data + struct.pack("<H", total)
    return made


def tnef_properties(values: Values) -> bytes:
    made = struct.pack("<I", len(values))
    for number, value in values.items():
        if isinstance(value, datetime):
            made += struct.pack("<HH", 0x40, number) + ticks(value)
        elif isinstance(value, int):
            made += struct.pack("<HHI", 3, number, value)
        else:
            kind = 0x102 if isinstance(value, bytes) else 0x1F
            raw = value if isinstance(value, bytes) else value.encode("utf-16-le")
            padded = raw.ljust(-(-len(raw) // 4) * 4, b"\0")
            made += struct.pack("<HHII", kind, number, 1, len(raw)) + padded
    return made


def packed_rtf(text: bytes) -> bytes:
    """Packed without a single repetition."""
    body = b""
    for at in range(0, len(text), 8):
        body += b"\0" + text[at : at + 8]
    return struct.pack("<IIII", len(body) + 12, len(text), 0x75465A4C, 0) + body
