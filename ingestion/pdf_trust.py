"""Whether a page's text layer says what the page shows, judged by the text alone."""

from __future__ import annotations

import re

_UNKNOWN_SHARE = 0.2
_LETTERS_ENOUGH = 80
_VOWELS_LEAST = 0.2  # English and German have 0.37 to 0.42; fonts without a map about 0.15
_WORD = re.compile(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])")  # no part of a code
_VOWELS = re.compile(r"[aeiouyAEIOUY]")
_COMMON = re.compile(
    r"\b(?:the|of|to|in|is|and|for|der|die|das|und|von|mit|le|la|les|de|du|et|el|en|los|il|di|che)\b"
)


def layer(text: str, unknown: float) -> str:
    """`text`, `empty` or `broken`; `unknown` is the share of signs without a meaning."""
    signs = len(text) - text.count(" ") - text.count("\n")
    if not signs:
        return "empty"
    if signs >= 8 and unknown > _UNKNOWN_SHARE:
        return "broken"
    return "broken" if _unspeakable(text[:20_000], signs) else "text"


def _unspeakable(text: str, signs: int) -> bool:
    """Letters moved along the alphabet: hardly a vowel, no common word, signs amid the letters."""
    if _COMMON.search(text):
        return False
    letters = "".join(_WORD.findall(text))
    if len(letters) < _LETTERS_ENOUGH or len(letters) < 0.3 * min(signs, 20_000):
        return False
    return len(_VOWELS.findall(letters)) < _VOWELS_LEAST * len(letters)
