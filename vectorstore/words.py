"""Text to search words: case and accents folded, codes kept whole and in parts, the rest stemmed
in the text's own language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from vectorstore.languages import ENGLISH, LANGUAGES, LITTLE, spoken, stem

# The number of these rules. A segment counted by other ones is counted anew when it is opened.
RULES = 2

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_SIGNS = r"-_./:,@#'’"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[{_SIGNS}][^\W_{_CJK}]+)*")
_PART = re.compile(rf"[{_SIGNS}]+")
_DIGIT = re.compile(r"\d")
_DASH = re.compile("[\u2010-\u2015]")
_MARK = re.compile(
    "[" + "".join(mark for mark in map(chr, range(0x10000)) if unicodedata.combining(mark)) + "]+"
)
_CJK_START = re.compile(rf"[{_CJK}]")

_ASKED_MAX = 200  # words of a question beyond this change nothing but its cost

# What is left of `author's`, `it's`, `l'an`, `d'un`, and little words of one letter.
_LETTERS = frozenset("aisltdnjmcyuoez")

# Little words of English questions; dropped from questions that say something else too, never
# dropped from documents.
STOP = LITTLE[ENGLISH]


class Word(NamedTuple):
    """A folded word; only what is `plain` has a stem. A tuple: a text has a million."""

    text: str
    plain: bool = True
    extra: bool = False  # says in other words what stands beside it: does not make a text longer


@dataclass(frozen=True, slots=True)
class Asked:
    """A word of a question: how often it was said, and its stem in each of `LANGUAGES`."""

    times: int
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a passage says: its words in its language, how often, and how many they were."""

    words: Counter[str]
    length: int


def fold(text: str) -> str:
    """`Müller` → `muller`, `Straße` → `strasse`, full-width forms → ASCII."""
    if text.isascii():
        return text.lower()
    plain = _DASH.sub("-", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", _MARK.sub("", plain))


def split(text: str) -> list[Word]:
    """Every search word of a text, in order, with repeats.

    `ERR-1042` gives `err-1042`, `err1042`, `err` and `1042`; `e-mail` gives `email` and `mail`.
    """
    return [word for run in _WORD.findall(fold(text)) for word in _words(run)]


def language(found: list[Word]) -> str | None:
    """Of a text; None when its words do not tell."""
    return spoken(word.text for word in found)


def said(found: list[Word], language: str) -> Said:
    words = Counter(stem(word.text, language) if word.plain else word.text for word in found)
    return Said(words, sum(not word.extra for word in found))


def asked(text: str) -> dict[str, Asked]:
    """The distinct words of a question, without little words unless there is nothing else."""
    found = split(text)
    little = LITTLE.get(language(found) or "", frozenset())
    kept = [word for word in found if word.text not in little] or found
    times = Counter(word.text for word in kept)
    distinct = list(dict.fromkeys(kept))[:_ASKED_MAX]
    return {word.text: Asked(times[word.text], _forms(word)) for word in distinct}


def _forms(word: Word) -> tuple[str, ...]:
    return tuple(stem(word.text, name) if word.plain else word.text for name in LANGUAGES)


@lru_cache(65_536)
def _words(run: str) -> tuple[Word, ...]:
    """Of a run of letters, digits and the signs between them."""
    if not run.isalnum():
        return tuple(_joined(run))
    if _CJK_START.match(run):
        return tuple(Word(pair, plain=False) for pair in _pairs(run))
    return () if run in _LETTERS else (Word(run),)


def _joined(word: str) -> Iterator[Word]:
    """Words with signs between them: a code, `e-mail`, `U.S.`, `anna@firm.example`, `l'an`."""
    parts = _PART.split(word)
    joined = "".join(parts)
    letters = all(len(part) == 1 for part in parts)
    if _DIGIT.search(word):
        yield Word(word, plain=False, extra=True)
        yield Word(joined, plain=False, extra=True)
    elif "@" in word:
        yield Word(word, plain=False, extra=True)
    elif "-" in word or letters:
        yield Word(joined, extra=not letters)
    for part in parts:
        if part not in _LETTERS and not (letters and part.isalpha()):
            yield Word(part)


def forget() -> None:
    """Words of one large text are held no longer: strewn over its memory, they would keep it."""
    _words.cache_clear()
    stem.cache_clear()


def _pairs(word: str) -> list[str]:
    """Scripts without spaces: overlapping pairs stand for words."""
    return [word[at : at + 2] for at in range(len(word) - 1)] or [word]
