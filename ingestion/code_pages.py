"""Windows' numbers of code pages as Python's names of codecs."""

from __future__ import annotations

import codecs

_NAMES = {
    65001: "utf-8", 65000: "utf-7", 1200: "utf-16-le", 1201: "utf-16-be", 20127: "ascii",
    10000: "mac_roman", 10006: "mac_greek", 10007: "mac_cyrillic", 10029: "mac_latin2",
    10081: "mac_turkish", 20866: "koi8-r", 21866: "koi8-u", 50220: "iso2022_jp",
    50221: "iso2022_jp", 50222: "iso2022_jp", 50225: "iso2022_kr", 51932: "euc_jp",
    20932: "euc_jp", 51936: "gb2312", 20936: "gb2312", 51949: "euc_kr", 52936: "hz",
    54936: "gb18030", 936: "gb18030", 1361: "johab", 708: "iso8859_6",
}  # fmt: skip
# By the low ten bits of a language's number.
_LANGUAGES = {
    0x01: 1256, 0x02: 1251, 0x04: 936, 0x05: 1250, 0x08: 1253, 0x0D: 1255, 0x0E: 1250, 0x11: 932,
    0x12: 949, 0x15: 1250, 0x18: 1250, 0x19: 1251, 0x1A: 1250, 0x1B: 1250, 0x1C: 1250, 0x1E: 874,
    0x1F: 1254, 0x22: 1251, 0x23: 1251, 0x24: 1250, 0x25: 1257, 0x26: 1257, 0x27: 1257,
    0x29: 1256, 0x2A: 1258, 0x2F: 1251,
}  # fmt: skip
_TRADITIONAL = frozenset((0x0404, 0x0C04, 0x1404))  # Chinese


def codec_of_language(number: int) -> str:
    """The code page that Windows has for a language (LCID)."""
    return "cp950" if number in _TRADITIONAL else codec(_LANGUAGES.get(number & 0x3FF, 1252))


def codec(number: int, otherwise: str = "cp1252") -> str:
    """`otherwise` where nobody knows the number."""
    if number in _NAMES:
        return _NAMES[number]
    name = f"iso8859_{number - 28590}" if 28591 <= number <= 28606 else f"cp{number}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return otherwise
