"""A question that points back at an earlier one."""

from __future__ import annotations

from collections.abc import Sequence

from vectorstore.words import fold

_POINTS_BACK = frozenset(
    ("it", "its", "that", "this", "they", "them", "those", "these", "he", "she", "him", "her",
     "there")
)  # fmt: skip
_WORDS_MAX = 8


def in_context(text: str, earlier: Sequence[str]) -> str:
    """A question that points back ("and who approves it?") is asked together with the last one."""
    words = fold(text).replace("?", " ").split()
    points_back = not _POINTS_BACK.isdisjoint(words) or words[:1] in (["and"], ["why"])
    if earlier and points_back and len(words) <= _WORDS_MAX:
        return f"{earlier[-1]} {text}"
    return text
