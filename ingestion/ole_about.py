"""Title, author and dates of an old Office file. Source: [MS-OLEPS]."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

from core.errors import Unfinishable
from ingestion.code_pages import codec
from ingestion.mapi import STRING8, TIME, Bag
from ingestion.ole import Compound
from ingestion.page_text import one_line

_NAMES = {2: "title", 3: "subject", 4: "author", 12: "created", 13: "modified"}
_CODE_PAGE = 1
_COUNT_MAX = 1_000
MACROS = frozenset({"Macros", "_VBA_PROJECT_CUR", "VBA"})


def code_page(file: Compound) -> str:
    """The one that the file names for its title; empty where it names none."""
    try:
        return _bag(file.read("\x05SummaryInformation")).encoding
    except (struct.error, IndexError, Unfinishable):
        return ""


def about(file: Compound) -> dict[str, Any]:
    """Empty where nothing is told, or where it is damaged: the text matters more."""
    try:
        bag = _bag(file.read("\x05SummaryInformation"))
    except (struct.error, IndexError, Unfinishable):
        return {}
    found: dict[str, Any] = {}
    for number, name in _NAMES.items():
        told: str | datetime | None = bag.text(number)
        if number >= 12 and (told := bag.moment(number)):
            told = told.replace(tzinfo=None).isoformat() + "Z"
        if told:
            found[name] = one_line(str(told))[:500]
    return found


def _bag(data: bytes) -> Bag:
    (begin,) = struct.unpack_from("<I", data, 44)
    (count,) = struct.unpack_from("<I", data, begin + 4)
    bag = Bag()
    for nth in range(min(count, _COUNT_MAX)):
        number, offset = struct.unpack_from("<II", data, begin + 8 + 8 * nth)
        at = begin + offset
        (kind,) = struct.unpack_from("<I", data, at)
        if kind == STRING8:
            (length,) = struct.unpack_from("<I", data, at + 4)
            bag.raw[number] = STRING8, data[at + 8 : at + 8 + min(length, 4096)]
        elif kind == TIME:
            bag.raw[number] = TIME, data[at + 4 : at + 12]
        elif number == _CODE_PAGE:
            bag.encoding = codec(struct.unpack_from("<H", data, at + 4)[0])
    return bag
