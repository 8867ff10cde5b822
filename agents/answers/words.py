"""Word stems, synonyms and codes: when two words mean the same in support documents."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.answers.implied import implied
from agents.answers.inflection import root
from agents.answers.synonyms import groups
from vectorstore.words import fold

# Letters and digits in one word, or words joined by - _ . with a digit: ERR-1042, GW_7, v2.3, HL7.
CODE = re.compile(r"\b(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*\b")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_PLAIN = re.compile(r"[^\W_]+")  # `l'entreprise` is two words
_ORDINAL = re.compile(r"^\d+(?:st|nd|rd|th)$", re.IGNORECASE)
_UNIT = re.compile(r"^\d+(?:am|pm|h|min|ms|s|gb|mb|kb|k|m|x)$", re.IGNORECASE)

_SYNONYMS = (
    "cause reason because due root why trigger",
    "fix resolve resolution solve solution remedy remediation workaround repair restore recover",
    "mean meaning description indicate denote refer define",
    "owner own owned responsible maintain contact lead",
    "decide decision agree conclude",
    "keep retain retention store hold",
    "contain hold include",
    "start begin commence",
    "stop halt shut disable",
    "delete remove erase purge",
    "customer client",
    "often frequency every daily weekly hourly nightly monthly quarterly",
    "prevent prevention avoid",
    "phone telephone tel",
    "price cost fee charge",
    "limit maximum max cap most",
    "minimum min least",
    "attend attendee participant present",
    "occur happen",
    "approve approval authorise authorize sign",
    "outage downtime incident",
    "renew rotate rotation renewal",
    "rollback revert",
    "wait delay backoff",
    "deploy release rollout",
    "staff employee personnel",
    "fail failure failed",
    "person people who",
    "backup backed",
    "encrypt encryption encrypted",
    "notify notification inform alert tell",
    "send deliver",
    "large big",
    "person name",
    "pay payment payout",
    "twice duplicate double",
    "delay move postpone shift late",
    "buy purchase",
    "allow permit permitted",
    "last duration valid expire",
    "end expire until",
    "occur happen appear",
    "money amount total sum",
)
_SUFFIXES = (
    "ications", "ication", "ations", "ation", "ments", "ment", "ings", "ing", "ates", "ated", "ate",
    "ions", "ion", "als", "al", "ers", "er", "ies", "ied", "ed", "es", "ly", "s", "y", "e",
)  # fmt: skip


# What must remain of a word when a short ending goes; 4 letters for the others.
_LEAST = {"s": 3, "ed": 3, "ing": 3, "es": 3, "e": 3}


_IRREGULAR = dict(
    pair.split(":")
    for pair in re.findall(
        r"\S+",
        """found:find kept:keep held:hold sent:send paid:pay written:write wrote:write began:begin
        bought:buy lost:lose left:leave taken:take took:take ran:run broken:break broke:break
        chosen:choose chose:choose built:build met:meet told:tell shown:show gave:give given:give
        stood:stand fell:fall rolled:roll drove:drive""",
    )
)


@lru_cache(maxsize=20_000)
def stem(word: str, language: str = "") -> str:
    """A light stem, equal for approve, approved, approves and approval."""
    if language:
        return root(word, language)
    return _cut(_cut(_IRREGULAR.get(word, word)))


def _cut(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _LEAST.get(suffix, 4):
            return _single(word[: -len(suffix)], suffix)
    return word


def _single(stemmed: str, suffix: str) -> str:
    """`logg` of logged is log."""
    doubled = suffix in ("ed", "ing", "er", "ers") and stemmed[-1:] == stemmed[-2:-1]
    return stemmed[:-1] if doubled and stemmed[-1] in "bdgmnprt" else stemmed


_GROUPS: dict[str, frozenset[str]] = {}
for _line in _SYNONYMS:
    _stems = frozenset(stem(word) for word in _line.split())
    for _one in _stems:
        _GROUPS[_one] = _GROUPS.get(_one, frozenset()) | _stems


def worded(text: str, language: str = "") -> list[str]:
    """The folded words of a text, in order."""
    return (_PLAIN if language else WORD).findall(fold(text))


def alike(word_stem: str, language: str = "") -> frozenset[str]:
    """The stem and those that mean about the same in support documents."""
    if language:
        return groups(language).get(word_stem, frozenset()) | {word_stem}
    return _GROUPS.get(word_stem, frozenset()) | {word_stem}


def joined(code: str) -> str:
    """`ERR-1042` and `err 1042` alike: `err1042`."""
    return re.sub(r"[^0-9a-z]", "", fold(code))


@lru_cache(maxsize=4_000)
def stems(text: str, language: str = "") -> frozenset[str]:
    """All word stems of a text, codes both joined and in parts; and what its units imply."""
    found = {stem(word, language) for word in (*worded(text, language), *implied(text))}
    found.update(joined(code) for code in CODE.findall(text))
    return frozenset(found)


@lru_cache(maxsize=4_000)
def codes(text: str) -> frozenset[str]:
    """Joined codes, without dates, ordinals and amounts with a unit."""
    found = (c for c in CODE.findall(text) if not (_ORDINAL.match(c) or _UNIT.match(c)))
    return frozenset(joined(code) for code in found if not _is_date(code))


def _is_date(word: str) -> bool:
    return re.match(r"^\d{4}-\d\d(-\d\d)?(T|$)", word) is not None
