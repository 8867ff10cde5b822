"""The lexicon: words of grammar in five languages, and which words mean the same column."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from vectorstore.words import fold

_HERE = Path(__file__).parent
_ENDINGS = ("en", "er", "es", "em", "ed", "e", "n", "s", "x")
LANGUAGES = ("en", "de", "fr", "nl", "es")
_JOINTS = ("", "s", "es", "n", "en")


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


_LEXICON = _load("lexicon.toml")
_CONCEPTS = _load("concepts.toml")
KINDS: dict[str, list[str]] = _CONCEPTS["kinds"]
ADDITIVE = frozenset(_CONCEPTS["additive"]["words"])
_SMALL = {name: frozenset(_LEXICON[name]["small"].split()) for name in LANGUAGES}


def listed(words: str) -> frozenset[str]:
    """A set of words out of one line of them."""
    return frozenset(words.split())


@lru_cache(20_000)
def parts(text: str) -> tuple[str, ...]:
    """The folded words of a value or a name: `PO-10231` → po, 10231."""
    return tuple(re.findall(r"[^\W_]+", fold(text)))


def name_parts(name: str) -> tuple[str, ...]:
    """Of a column's name: `unitsInStock` is three words."""
    return parts(re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name))


def language(text: str) -> str:
    """The language with most small words and words of grammar in the question; English when none
    leads."""
    told = parts(text)

    def count(name: str) -> int:
        small = 2 * sum(word in _SMALL[name] for word in told)
        return small + sum((word,) in phrases(name) for word in told)

    return max(LANGUAGES, key=count)


@cache
def phrases(name: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Folded words → roles."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for role, listed in _LEXICON[name].items():
        if role in ("small", "filler"):
            continue
        for phrase in listed:
            key = parts(phrase) or (phrase,)
            found[key] = (*found.get(key, ()), role)
    return found


@cache
def filler(name: str) -> frozenset[str]:
    """Words that change nothing in a question over a table."""
    return frozenset(part for word in _LEXICON[name]["filler"].split() for part in parts(word))


@lru_cache(20_000)
def key(word: str) -> str:
    """A word without its endings in the five languages: the same for `Kunde` and `Kunden`."""
    while len(word) > 3:
        ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 3), None)
        if ending is None:
            break
        word = word[: -len(ending)]
    return word


_BY_WORD: dict[str, str] = {}
_BY_KEY: dict[str, str] = {}
for _line in _CONCEPTS["words"]:
    _name, *_ = _line.split()
    for _word in _line.split():
        _BY_WORD.setdefault(_word, _name)
        _BY_KEY.setdefault(key(_word), _name)


@lru_cache(20_000)
def concept(word: str) -> frozenset[str]:
    """What a folded word means in the name of a column: known concepts, a compound's parts, or
    the word itself."""
    known = _BY_WORD.get(word) or (_BY_KEY.get(key(word)) if len(word) > 4 else None)
    if known:
        return frozenset((known,))
    for at in range(4, len(word) - 2):
        right = _BY_WORD.get(word[at:])
        left = right and _left(word[:at])
        if left and right:
            return frozenset((left, right))
    return frozenset((f"={key(word)}",))


def _left(word: str) -> str | None:
    for joint in _JOINTS:
        stem = word.removesuffix(joint) if joint else word
        if stem in _BY_WORD:
            return _BY_WORD[stem]
    return None


_NOISE = listed(
    "of in on the a de la le les du des der die das den dem am an im het een el los las del per"
    " and und et y en for fur pour to by at from with von zu par"
)


_OF_ONE = listed("unit units stuck unitaire unitario unitaria eenheid")
_PRICED = listed("price prices cost costs preis prix prijs precio coste costo kosten cout")


@lru_cache(4_000)
def concepts(name: str) -> frozenset[str]:
    """Of a column's or a sheet's name, small words left out."""
    return meant(tuple(word for word in name_parts(name) if word not in _NOISE))


@lru_cache(8_000)
def meant(told: tuple[str, ...]) -> frozenset[str]:
    """By folded words together."""
    if _OF_ONE & set(told) and _PRICED & set(told):
        told = tuple(word for word in told if word not in _OF_ONE)  # a unit price is no quantity
        return frozenset(("price",)).union(*(concept(word) for word in told))
    return frozenset().union(*(concept(word) for word in told))
