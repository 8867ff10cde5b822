"""`winmail.dat`, Outlook's own packing of a mail. Sources: [MS-OXTNEF], [MS-OXPROPS]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from core.documents import Document
from core.errors import Unfinishable
from ingestion.code_pages import codec
from ingestion.limits import Limits
from ingestion.mapi import (
    BINARY,
    BODY,
    FILE_DATA,
    OBJECT,
    STRING8,
    SUBJECT,
    UNICODE,
    Bag,
    File,
    Item,
)  # fmt: skip
from ingestion.mapi_mail import document
from ingestion.ole import damaged

MARK = b"\x78\x9f\x3e\x22"
_PROPERTIES, _PEOPLE, _FILE_BEGINS = 0x69003, 0x69004, 0x69002
_FILE_PROPERTIES, _FILE_DATA, _FILE_NAME = 0x69005, 0x6800F, 0x18010
_CODE_PAGE, _SUBJECT, _BODY, _FROM = 0x69007, 0x18004, 0x2800C, 0x8000
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage, little end first
_WIDTHS = {
    0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8,
    0x48: 16, 0x01: 0,
}  # fmt: skip
_LISTED = (STRING8, UNICODE, BINARY, OBJECT)
_MANY = 0x1000  # several values of a type
_VALUES_MAX = 100_000


def read(data: bytes, limits: Limits) -> Document:
    return document("tnef", item_of(data, limits), limits)


def item_of(data: bytes, limits: Limits) -> Item:
    """Raises `Unfinishable` where it is damaged, or holds too many messages in messages."""
    return _Reading(limits).item(data, 0)


@dataclass
class _Reading:
    limits: Limits
    parts: int = 0

    def item(self, data: bytes, depth: int) -> Item:
        if data[:4] != MARK:
            raise damaged()
        self._more()
        if depth > self.limits.depth:
            raise Unfinishable("The message has too many parts.", code="too_many_parts")
        item = Item()
        try:
            for name, value in _attributes(data):
                self._take(item, name, value, depth)
        except (struct.error, IndexError) as error:
            raise damaged() from error
        return item

    def _take(self, item: Item, name: int, value: bytes, depth: int) -> None:
        bag = item.bag
        if name == _CODE_PAGE:
            bag.encoding = codec(int.from_bytes(value[:4], "little"))
        elif name == _PROPERTIES:
            bag.raw |= _properties(value, bag.named)[0]
        elif name in (_SUBJECT, _BODY):
            bag.raw.setdefault(SUBJECT if name == _SUBJECT else BODY, (STRING8, value))
        elif name == _PEOPLE:
            item.people = list(self._people(value))
        elif name == _FILE_BEGINS:
            self._more()
            item.files.append(File(Bag()))
        elif item.files:
            self._file(item.files[-1], name, value, depth)

    def _file(self, file: File, name: int, value: bytes, depth: int) -> None:
        if name == _FILE_DATA:
            file.bag.raw.setdefault(FILE_DATA, (BINARY, value))
        elif name == _FILE_NAME:
            file.bag.raw.setdefault(0x3001, (STRING8, value))
        elif name == _FILE_PROPERTIES:
            found, _ = _properties(value, {})
            kind, data = found.get(FILE_DATA, (0, b""))
            if kind == OBJECT:
                found.pop(FILE_DATA)
                if data[:16] == _MESSAGE and data[16:20] == MARK:
                    file.inner = self.item(data[16:], depth + 1)
            file.bag.raw |= found

    def _people(self, value: bytes) -> Iterator[Bag]:
        (count,) = struct.unpack_from("<I", value)
        at = 4
        for _ in range(min(count, self.limits.parts)):
            self._more()
            found, at = _properties(value, {}, at)
            yield Bag(found)

    def _more(self) -> None:
        self.parts += 1
        if self.parts > self.limits.parts * 4:
            raise Unfinishable("The message has too many parts.", code="too_many_parts")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Up to the end, or to where the file is cut off."""
    at = 6
    while at + 9 <= len(data):
        level, name, length = struct.unpack_from("<BII", data, at)
        if level not in (1, 2):
            return
        yield name, data[at + 9 : at + 9 + length]
        at += 11 + length  # a sum of its bytes stands behind it


def _properties(
    data: bytes, named: dict[int, int], at: int = 0
) -> tuple[dict[int, tuple[int, bytes]], int]:
    """By number, and where the list ends; of several values the first."""
    found: dict[int, tuple[int, bytes]] = {}
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    for _ in range(min(count, _VALUES_MAX)):
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:
            at = _named(data, at, number, named)
        many, kind = bool(kind & _MANY), kind & ~_MANY
        values = 1
        if many or kind in _LISTED:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        for index in range(min(values, _VALUES_MAX)):
            if kind in _LISTED:
                (width,) = struct.unpack_from("<I", data, at)
                at += 4
            elif kind in _WIDTHS:
                width = _WIDTHS[kind]
            else:
                return found, len(data)  # nobody can tell where the next begins
            if at + width > len(data):
                raise damaged()
            if index == 0:
                found[number] = kind, data[at : at + width]
            at += (width + 3) // 4 * 4
    return found, at


def _named(data: bytes, at: int, number: int, named: dict[int, int]) -> int:
    """A property's own name, in long ids or words; gives where it ends."""
    kind, told = struct.unpack_from("<II", data, at + 16)
    if kind == 0:
        named.setdefault(told, number)
        return at + 24
    return at + 24 + (int(told) + 3) // 4 * 4
