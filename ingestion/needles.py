"""Patterns of many words: letters that a fit must hold are looked for before the pattern runs.

Looking for letters takes a hundredth of a pattern's time, and most texts have few of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What is no plain letter of a pattern, innermost first: it may stand for anything or for nothing.
_OPEN = (r"\\.", r"\[[^\]]*\]", r"[^()|](?:[?*]|\{[^}]*\})", r"[.^$+]")
_GROUP = re.compile(r"\([^()]*\)(?:[?*+]|\{[^}]*\})?")


class Sought(NamedTuple):
    """A pattern, and letters of which one at least stands, in small, in every text that it fits;
    none where such letters are not known."""

    pattern: re.Pattern[str]
    needles: tuple[str, ...]

    def fits(self, text: str, small: str) -> bool:
        """`small` is `text` in small letters."""
        if self.needles and not any(map(small.__contains__, self.needles)):
            return False
        return self.pattern.search(text) is not None


def sought(pattern: str, words: str | None = None) -> Sought:
    """`words` is the part of `pattern` that letters are taken from, if not all of it."""
    flags = re.IGNORECASE | re.MULTILINE
    return Sought(re.compile(pattern, flags), _needles(pattern if words is None else words))


def _needles(words: str) -> tuple[str, ...]:
    plain = words
    for part in _OPEN:
        plain = re.sub(part, "\0", plain)
    while plain != (shorter := _GROUP.sub("\0", plain)):
        plain = shorter
    runs = [max(alternative.split("\0"), key=len) for alternative in plain.split("|")]
    return tuple(runs) if all(runs) else ()
