"""Outlook's items as values: properties by number, people, files. Source: [MS-OXPROPS]."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingestion.code_pages import codec, codec_of_language
from ingestion.page_text import tidy

STRING8, UNICODE, BINARY, OBJECT, TIME = 0x1E, 0x1F, 0x102, 0x0D, 0x40
SUBJECT, BODY, HTML, RTF, CLASS = 0x37, 0x1000, 0x1013, 0x1009, 0x1A
FILE_DATA, FILE_METHOD = 0x3701, 0x3705
_OF_STRINGS, _OF_TEXT = 0x3FFD, 0x3FDE  # code pages
_LANGUAGE, _ENGLISH = 0x3FF1, 9
_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = datetime(4500, 1, 1, tzinfo=UTC)  # Outlook's word for no date
_ADDRESS = re.compile(r"[^@\s<>,;\"]{1,128}@[^@\s<>,;\"]{1,255}")


@dataclass(slots=True)
class Bag:
    """Properties by number: their type and their bytes."""

    raw: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    named: dict[int, int] = field(default_factory=dict)  # long id → number
    encoding: str = ""

    def text(self, *numbers: int) -> str:
        """The first that says something."""
        for number in numbers:
            kind, data = self.raw.get(number, (0, b""))
            if kind == UNICODE:
                found = data.decode("utf-16-le", "replace")
            elif kind in (STRING8, BINARY):
                found = self._decoded(data)
            else:
                continue
            if found := tidy(found).strip():
                return found
        return ""

    def _decoded(self, data: bytes) -> str:
        """Some writers name UTF-8 and write in the code page of their language."""
        try:
            return data.decode(self.encoding or self.page())
        except UnicodeDecodeError:
            return data.decode(codec_of_language(self.number(_LANGUAGE)), "replace")

    def page(self) -> str:
        """English is written everywhere, so it tells nothing of a code page."""
        language = self.number(_LANGUAGE)
        if told := self.number(_OF_STRINGS):
            return codec(told)
        if language and language & 0x3FF != _ENGLISH:
            return codec_of_language(language)
        return codec(self.number(_OF_TEXT))

    def number(self, number: int) -> int:
        _kind, data = self.raw.get(number, (0, b""))
        return int.from_bytes(data[:4], "little") if data else 0

    def data(self, number: int) -> bytes:
        return self.raw.get(number, (0, b""))[1]

    def moment(self, *numbers: int) -> datetime | None:
        for number in numbers:
            kind, data = self.raw.get(number, (0, b""))
            if kind != TIME or len(data) < 8:
                continue
            ticks = struct.unpack("<Q", data[:8])[0]  # 100 ns each
            try:
                found = _BEGIN + timedelta(seconds=ticks // 10_000_000)
            except OverflowError:
                continue
            if found.year > 1601 and found < _NEVER:
                return found
        return None

    def long(self, number: int) -> int:
        """The number here of a property that each file numbers anew; 0 where it has none."""
        return self.named.get(number, 0)


@dataclass(slots=True)
class File:
    bag: Bag
    inner: Item | None = None


@dataclass(slots=True)
class Item:
    """A message, or what else Outlook keeps: a meeting, a task, a contact."""

    bag: Bag = field(default_factory=Bag)
    people: list[Bag] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    def told_encoding(self) -> None:
        """Strings of people and files are in the item's code page."""
        for bag in (*self.people, *(one.bag for one in self.files)):
            bag.encoding = bag.encoding or self.bag.encoding or self.bag.page()


def address(bag: Bag, *numbers: int) -> str:
    """The first that is a mail address; inside an Exchange server they are names of its own."""
    for number in numbers:
        found = bag.text(number).removeprefix("SMTP:").removeprefix("smtp:")
        if _ADDRESS.fullmatch(found):
            return found
    return ""
