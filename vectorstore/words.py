"""Text to search words: case and accents folded, codes kept whole and in parts."""

from __future__ import annotations

import re
import unicodedata

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_SIGNS = r"-_./:,@#'’"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[{_SIGNS}][^\W_{_CJK}]+)*")
_PART = re.compile(rf"[{_SIGNS}]+")
_DASHES = dict.fromkeys(range(0x2010, 0x2016), "-")
_CJK_START = re.compile(rf"[{_CJK}]")

_ASKED_MAX = 200  # words of a question beyond this change nothing but its cost

# Dropped from questions that say something else too; never dropped from documents.
STOP = frozenset(
    re.findall(
        r"\w+",
        """a an and are as at be been but by can did do does for from had has have how i if in into
        is it its me my of on or our please should so than that the their them then there these
        they this to us was we were what when where which who why will with would you your""",
    )
)


def fold(text: str) -> str:
    """`Müller` → `muller`, `Straße` → `strasse`, full-width forms → ASCII."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_DASHES)
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare)


def words(text: str) -> list[str]:
    """Every search word of a text, in order, with repeats.

    `ERR-1042` gives `err-1042`, `err1042`, `err` and `1042`; plain words lose an English plural.
    """
    found: list[str] = []
    for match in _WORD.finditer(fold(text)):
        word = match.group()
        if word.isalnum():
            found.extend(_pairs(word) if _CJK_START.match(word) else [_singular(word)])
        else:
            found.extend(_code(word))
    return found


def asked(text: str) -> list[str]:
    """The distinct words of a question, without stop words unless there is nothing else."""
    every = list(dict.fromkeys(words(text)))[:_ASKED_MAX]
    return [word for word in every if word not in STOP] or every


def _code(word: str) -> list[str]:
    parts = [_singular(part) for part in _PART.split(word)]
    joined = "".join(_PART.split(word))
    return [word, joined, *parts]


def _pairs(word: str) -> list[str]:
    """Scripts without spaces: overlapping pairs stand for words."""
    return [word[at : at + 2] for at in range(len(word) - 1)] or [word]


def _singular(word: str) -> str:
    """The s-stemmer (Harman, "How effective is suffixing?", JASIS 1991), a little simplified."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("us", "ss")):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]
