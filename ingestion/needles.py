"""Patterns of many words: letters that a fit must hold are looked for before the pattern runs.

Looking for letters takes a hundredth of a pattern's time, and most texts have few of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What is no plain letter of a pattern, innermost first: it may stand for anything or for nothing.
_OPEN = (r"\\.", r"\[[^\]]*\]", r"[^()|](?:[?*]|\{[^}]*\})", r"[.^$+]")
_GROUP = re.compile(r"\(((?:\?:)?)([^()]*)\)([?*+]|\{[^}]*\})?")
_HELD = 0xE000  # a group's place in the text around it: the letters that one of its fits holds
_NO_LETTERS = re.compile(f"[\0{chr(_HELD)}-\uf8ff]+")


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
    groups: list[tuple[str, ...]] = []

    def held(group: re.Match[str]) -> str:
        stands = group[2][:1] != "?" and group[3] in (None, "+")
        groups.append(_of(group[2], groups) if stands else ())
        return chr(_HELD + len(groups) - 1)

    while plain != (shorter := _GROUP.sub(held, plain)):
        plain = shorter
    return _of(plain, groups)


def _of(plain: str, groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """For each alternative its longest run of letters, or else what a group in it holds."""
    found: list[str] = []
    for alternative in plain.split("|"):
        longest = max(_NO_LETTERS.split(alternative), key=len)
        inside = [groups[ord(sign) - _HELD] for sign in alternative if ord(sign) >= _HELD]
        letters = (longest,) if longest else next(filter(None, inside), ())
        if not letters:
            return ()
        found += letters
    return tuple(found)
