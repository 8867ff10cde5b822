"""Fonts, widths and line breaking.

Open Sans is embedded, and DejaVu Sans for what it lacks. Chinese, Japanese and Korean characters
name the reader's own fonts (PDF 32000-1 §9.7.5.2), because embedding theirs takes 10 MB.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

_FOLDER = Path(__file__).parent.parent / "fonts"
_FILES = {"Weft": "OpenSans-Regular.ttf", "Weft-Bold": "OpenSans-Semibold.ttf",
          "Weft-More": "DejaVuSans.ttf"}  # fmt: skip
HAN, HANGUL = "STSong-Light", "HYSMyeongJo-Medium"
EASTERN = frozenset({HAN, HANGUL})
_lock = threading.Lock()
Run = tuple[str, str]  # font, text


@cache
def _load(name: str) -> Any:
    made = UnicodeCIDFont(name) if name in EASTERN else TTFont(name, str(_FOLDER / _FILES[name]))
    pdfmetrics.registerFont(made)
    return made


def font(name: str) -> Any:
    """A `TTFont`, or a `UnicodeCIDFont` for the names in `EASTERN`."""
    with _lock:
        return _load(name)


def _has(name: str, char: str) -> bool:
    return ord(char) in font(name).face.charToGlyph


def runs(text: str, bold: bool) -> list[Run]:
    """The text cut where its font changes. What no font has becomes □; marks without width that
    no font has (joiners, variation selectors) are dropped."""
    name = "Weft-Bold" if bold else "Weft"
    if text.isascii():
        return [(name, text)]
    glyphs = font(name).face.charToGlyph
    if all(ord(char) in glyphs for char in text):
        return [(name, text)]
    cut: list[Run] = []
    for char in text:
        held, shown = _place(name, char)
        if cut and cut[-1][0] == held:
            cut[-1] = (held, cut[-1][1] + shown)
        elif shown:
            cut.append((held, shown))
    return cut


@lru_cache(maxsize=4096)
def _place(name: str, char: str) -> Run:
    if _has(name, char):
        return name, char
    if _has("Weft-More", char):
        return "Weft-More", char
    if "\uac00" <= char <= "\ud7a3":
        return HANGUL, char
    if "\u3000" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef":
        return HAN, char
    return "Weft-More", "" if unicodedata.category(char) in ("Mn", "Me", "Cf") else "□"


@lru_cache(maxsize=65_536)
def unit_width(text: str, bold: bool) -> float:
    """Width at size 1."""
    if text.isascii():
        return sum(map(_ascii_widths(bold).__getitem__, text.encode()))
    return sum(advance(font(name), part) for name, part in runs(text, bold))


def advance(held: Any, text: str) -> float:
    if held.fontName in EASTERN:
        return float(held.stringWidth(text, 1))
    widths, default = held.face.charWidths, held.face.defaultWidth
    return float(sum(widths.get(ord(char), default) for char in text)) / 1000


@cache
def _ascii_widths(bold: bool) -> list[float]:
    held = font("Weft-Bold" if bold else "Weft")
    return [advance(held, chr(code)) for code in range(128)]


def width(text: str, size: float, bold: bool = False) -> float:
    return unit_width(text, bold) * size


def wrapped(text: str, size: float, room: float, bold: bool = False) -> list[str]:
    """Lines no wider than `room` points; a word that is too long alone is cut."""
    if text.isprintable() and unit_width(text, bold) * size <= room:
        return [text]
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_filled(paragraph.split(), size, room, bold))
    return lines or [""]


def _filled(words: list[str], size: float, room: float, bold: bool) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in words:
        joined = f"{line} {word}" if line else word
        if width(joined, size, bold) <= room:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = cut(word, size, room, bold)
        lines.extend(full)
    return [*lines, line]


def cut(word: str, size: float, room: float, bold: bool) -> list[str]:
    """File names and codes break after a separator where one is near."""
    parts: list[str] = []
    while width(word, size, bold) > room and len(word) > 1:
        fit = 1
        while fit < len(word) and width(word[: fit + 1], size, bold) <= room:
            fit += 1
        soft = max(word.rfind(mark, fit // 2, fit) for mark in "-_./@,;:") + 1
        parts.append(word[: soft or fit])
        word = word[soft or fit :]
    return [*parts, word]
