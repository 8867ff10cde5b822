"""Whether a sentence that a model wrote says only what its quotes say (decision 0024).

The check may refuse what is true, never let through what is not: then the quote itself is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.answers import claims
from agents.answers.words import CODE, joined
from vectorstore.words import fold

_CITATION = re.compile(r"\s*\[\d{1,3}(?:, ?\d{1,3})*\]")
_CLAUSES = re.compile(r"[;,]?\s+(?:and|but|while|und|aber|et|mais|y|en)\s+|;\s+")


def bare(sentence: str) -> str:
    """Without the model's own marks of citation: which quotes it rests on is found here."""
    return _CITATION.sub("", sentence).strip()


def is_supported(sentence: str, quotes: Sequence[str]) -> bool:
    """One quote says it; or each of its clauses is said by one."""
    sentence = bare(sentence)
    if any(_says(quote, sentence) for quote in quotes):
        return True
    clauses = [clause for clause in _CLAUSES.split(sentence) if clause.strip()]
    return len(clauses) > 1 and all(
        claims.is_clause(clause) and any(_says(quote, clause) for quote in quotes)
        for clause in clauses
    )


def supporting(sentence: str, quotes: Sequence[str]) -> list[int]:
    """The places (from 0) of the quotes that a supported sentence rests on: the fewest that
    support it, most words in common first."""
    order = sorted(range(len(quotes)), key=lambda i: -claims.shared(sentence, quotes[i]))
    for count in range(1, len(order) + 1):
        if is_supported(sentence, [quotes[i] for i in order[:count]]):
            return sorted(order[:count])
    return []


def _says(quote: str, sentence: str) -> bool:
    """`quote` is its text and, on the lines below, what stands over it: that may lend words alone.
    Every number with its unit and its limit, every code, name and word of the sentence stands in
    the quote; nothing is denied, swapped, moved to another clause, or freed of its condition."""
    text = quote.split("\n", 1)[0]
    return (
        bool(claims.content(sentence))
        and _codes(sentence) <= _codes(quote)
        and claims.measures(sentence) <= claims.measures(quote)
        and claims.content(sentence) <= claims.content(quote)
        and claims.denies(sentence) == claims.denies(text)
        and claims.conditions(text) <= claims.conditions(sentence)
        and not claims.repeated(sentence, quote)
        and not claims.swapped(sentence, text)
        and not claims.crossed(sentence, text)
    )


def _codes(text: str) -> set[str]:
    return {joined(code) for code in CODE.findall(fold(text).upper())}
