"""What pdfium knows of a page's characters. Calls into pdfium are what reading costs: they are
made bare, and boxes are fetched in one sweep into one buffer."""

from __future__ import annotations

import ctypes
import re
import struct
from functools import cache, lru_cache
from itertools import repeat
from math import pi
from typing import Any

_BOLD = re.compile(rb"(?i:bold|black|heavy)")
_HEADING_MAX = 90  # characters of a line that may be a heading
_NAME_MAX = 64  # bytes of a font's name
_SWEEP = 4096  # characters whose boxes are fetched in one go


def text_of(text_page: Any) -> str:
    """One character per pdfium character, so that indexes agree."""
    import pypdfium2.raw as raw

    count = raw.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = (raw.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(" " if 0xD800 <= code < 0xE000 else chr(code) if code else " " for code in codes)


@cache
def bare(name: str, *takes: Any, result: Any = ctypes.c_int) -> Any:
    """pdfium's own function without what the binding puts around each argument, 40,000 times a
    document: without types in `takes` it takes what fits an `int`, and values of ctypes."""
    import pypdfium2.raw as raw

    place = ctypes.cast(getattr(raw, name), ctypes.c_void_p).value
    assert place is not None
    return ctypes.PYFUNCTYPE(result, *takes)(place)


@cache
def _room() -> tuple[Any, list[Any]]:
    """Where boxes are written, and the place of each."""
    rects = (ctypes.c_float * (4 * _SWEEP))()
    return rects, [ctypes.byref(rects, 16 * at) for at in range(_SWEEP)]


def boxes(text_page: Any, chars: list[int]) -> tuple[list[int], list[float]]:
    """Which characters have boxes, and those: four sides of each."""
    page = ctypes.byref(text_page.contents)
    box_of = bare("FPDFText_GetLooseCharBox")
    rects, places = _room()
    known: list[int] = []
    sides: list[float] = []
    for first in range(0, len(chars), _SWEEP):
        some = chars[first : first + _SWEEP]
        known += map(box_of, repeat(page), some, places)
        sides += struct.unpack_from(f"{4 * len(some)}f", rects)
    return known, sides


def heavy(text_page: Any, text: str) -> list[bool]:
    """Whether a character is bold, asked once for each of pdfium's lines; empty where none is."""
    page = ctypes.byref(text_page.contents)
    weight_of = bare("FPDFText_GetFontWeight")
    lines: list[tuple[bool, int]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        size = len(line)
        first = size - len(line.lstrip())
        bold = first < size and (
            weight_of(page, at + first) >= 600
            or (size < _HEADING_MAX and _named_bold(page, at + first))
        )
        lines.append((bold, size))
        at += size
    if not any(bold for bold, _ in lines):
        return []
    return [bold for bold, size in lines for _ in range(size)]


def _named_bold(page: Any, at: int) -> bool:
    """The standard fonts tell no weight; their names do."""
    name, *rest = _name_room()
    size = bare("FPDFText_GetFontInfo")(page, at, name, *rest)
    return size <= _NAME_MAX and _says_bold(name.raw[:size])


@cache
def _name_room() -> tuple[Any, Any, Any]:
    """Where the name of a font is written, how long it may be, and where its flags go."""
    name, flags = ctypes.create_string_buffer(_NAME_MAX), ctypes.c_int()
    return name, ctypes.c_ulong(_NAME_MAX), ctypes.byref(flags)


@lru_cache(256)
def _says_bold(name: bytes) -> bool:
    return _BOLD.search(name) is not None


def angles(text_page: Any, chars: list[int]) -> list[float]:
    """In quarters of a turn."""
    import pypdfium2.raw as raw

    return [raw.FPDFText_GetCharAngle(text_page, char) / (pi / 2) for char in chars]
