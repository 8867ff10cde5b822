"""Whether a sentence that a model wrote says only what its quotes say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.answers.words import CODE, NUMBER, WORD, alike, joined, stem, stems
from vectorstore.words import STOP, fold

SHARED_MIN = 0.6
_NAME = re.compile(r"\b[A-Z][\w&'’-]*")
_NOT = frozenset(("not", "no", "never", "none", "without", "cannot"))
_NUMBER_WORDS = frozenset(
    re.findall(
        r"\w+",
        """two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty
        fifty sixty hundred thousand million twice double half""",
    )
)


def is_supported(sentence: str, quotes: Sequence[str]) -> bool:
    """Every number, date, name and code occurs in the quotes; most content words do; and it says
    `not` exactly where they do."""
    everything = " \n".join(quotes)
    return (
        _numbers(sentence) <= _numbers(everything)
        and _codes(sentence) <= _codes(everything)
        and _names_known(sentence, everything)
        and _number_words(sentence) <= _number_words(everything)
        and _shared(sentence, everything) >= SHARED_MIN
        and _denies(sentence) == any(_denies(quote) for quote in quotes if _speaks(sentence, quote))
    )


def supporting(sentence: str, quotes: Sequence[str]) -> list[int]:
    """The places (from 0) of the quotes that a supported sentence rests on: the fewest that
    support it, most words in common first."""
    order = sorted(range(len(quotes)), key=lambda i: -_shared(sentence, quotes[i]))
    for count in range(1, len(order) + 1):
        if is_supported(sentence, [quotes[i] for i in order[:count]]):
            return sorted(order[:count])
    return []


def _numbers(text: str) -> set[str]:
    return {re.sub(r"[.,](?=\d{3}\b)", "", found) for found in NUMBER.findall(text)}


def _number_words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(fold(text))) & _NUMBER_WORDS


def _codes(text: str) -> set[str]:
    return {joined(code) for code in CODE.findall(text)}


def _names_known(sentence: str, quotes: str) -> bool:
    """Capitalised words, the first one of the sentence too unless it is an ordinary word."""
    known = stems(quotes)
    names = (fold(name).removesuffix("'s") for name in _NAME.findall(sentence))
    parts = (part for name in names for part in name.split("-") if part not in STOP)
    return all(stem(part) in known or alike(stem(part)) & known for part in parts)


def _shared(sentence: str, quotes: str) -> float:
    known = stems(quotes)
    words = [stem(w) for w in WORD.findall(fold(sentence)) if w not in STOP]
    if not words:
        return 0.0
    return sum(1 for word in words if word in known or alike(word) & known) / len(words)


def _speaks(sentence: str, quote: str) -> bool:
    return _shared(sentence, quote) >= 0.5


def _denies(text: str) -> bool:
    low = fold(text)
    return "n't" in low or "n’t" in low or not _NOT.isdisjoint(WORD.findall(low))
