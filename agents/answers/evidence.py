"""Which sentences answer a question, and whether any does. No model writes here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.answers.enough import ALIKE_MIN, Evidence, is_enough
from agents.answers.focus import BARE
from agents.answers.kinds import answers_well, counts_well
from agents.answers.passages import Passage, passages
from agents.answers.question import Asked
from agents.answers.scoring import (
    answers_its_question,
    explains,
    gives_reason,
    is_general,
    is_labelled,
    is_log,
    on_condition,
    opposes,
    own_share,
    points_on,
    repeats,
    resembling,
    share,
    surroundings,
    together,
)
from agents.answers.words import NUMBER, alike, codes, stem, stems
from core.documents import Hit
from core.ports import Embedder
from vectorstore.words import fold

_CANDIDATES = 20
_ORDER = re.compile(
    r"(?:^|[.!?:;>*\"'(\n-])\W*(?:please |now |you must |important:? )?"
    r"(?:(?:ignore|disregard|forget)\b[^.\n]*\b"
    r"(?:instructions?|rules?|prompts?|orders?|question|previous|above)\b|(?:system|assistant)\s*:)"
    r"|\b(?:ignorier\w*|vergiss|ignorez|oubliez)\b[^.\n]*\b"
    r"(?:anweisung\w*|regeln|instructions|consignes)\b"
    r"|\b(?:note|message|instructions?) (?:to|for) (?:the |any |all )?"
    r"(?:ai\b|assistants?\b|llms?\b|language model|chatbot)"
    r"|\b(?:ai|assistants?|llms?|language models?|chatbots?)\b[^.\n]{0,40}\b"
    r"(?:reading this|must (?:say|tell|reply|respond|answer|reveal))\b"
    r"|\bwhen (?:asked|answering)\b[^.\n]*\byou (?:must|should|shall) "
    r"(?:say|tell|reply|respond|answer|claim)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“„«][^\"”“»\n]{2,120}[\"”“»]")
_TELLING = 4  # words that make a sentence about a quote
HOUSE_DOCUMENTS_MIN, HOUSE_SHARE = 4, 0.6


def answering(asked: Asked, hits: Sequence[Hit], embedder: Embedder | None) -> list[Evidence]:
    """Every passage that answers, best first; nothing when the sources do not say."""
    if not asked.terms or not _names_occur(asked, hits):
        return []
    asked = _of_the_house(asked, hits)
    unknown = _unknown(asked, hits)
    return [
        one
        for one in rank(asked, hits, embedder)
        if is_enough(asked, one, with_vectors=embedder is not None)
        and (one.similar >= ALIKE_MIN or not unknown)
    ]


def rank(asked: Asked, hits: Sequence[Hit], embedder: Embedder | None) -> list[Evidence]:
    """Passages that may answer, best first."""
    found = [p for p in passages(hits) if _has_codes(asked, p) and not orders_models(p.plain)]
    by_words = sorted((_by_words(asked, p) for p in found), key=_score)[:_CANDIDATES]
    similar = _similarities(asked, [one.passage for one in by_words], embedder)
    scored = [
        replace(one, score=one.score + 0.8 * near, similar=near)
        for one, near in zip(by_words, similar, strict=True)
    ]
    return sorted(scored, key=_score)


def _score(one: Evidence) -> float:
    return -one.score


def orders_models(text: str) -> bool:
    """A line that speaks to a model and not to people is no answer to anything."""
    told = _QUOTED.sub(" ", text)
    # Who writes about attacks quotes their words: what counts is the sentence around them.
    return _ORDER.search(told if len(told.split()) >= _TELLING else text) is not None


def _by_words(asked: Asked, passage: Passage) -> Evidence:
    near = surroundings(asked, passage)
    covered = share(asked.terms, near)
    score = 0.4 * own_share(asked, passage) + 0.35 * covered
    score += 0.2 if answers_well(asked, passage.plain) else 0.0
    score += 0.15 if counts_well(asked, passage.plain) else 0.0
    score -= 0.3 if opposes(asked, passage) else 0.0
    score += 0.1 if on_condition(asked, passage) else 0.0
    score += 0.15 * together(asked, passage)
    score += 0.2 if asked.numbers and asked.numbers <= set(NUMBER.findall(passage.plain)) else 0.0
    score += 0.2 if gives_reason(asked, passage) else 0.0
    score += 0.4 if is_labelled(asked, passage) else 0.0
    score += 0.15 if explains(asked, passage) else 0.0
    score -= 0.15 if len(passage.plain) < 15 or repeats(asked, passage) else 0.0
    score -= 0.2 if is_log(passage) and "log" not in asked.terms else 0.0
    score -= 0.3 if is_general(asked, passage) else 0.0
    score -= 0.3 if points_on(passage) else 0.0
    score += 0.4 * answers_its_question(asked, passage)
    return Evidence(passage, score, covered, share(asked.rest, near), 0.0)


def _similarities(asked: Asked, found: Sequence[Passage], embedder: Embedder | None) -> list[float]:
    if embedder is None or not found:
        return [0.0] * len(found)
    texts = [f"{p.scope[-160:]}\n{p.plain}" if p.scope else p.plain for p in found]
    vectors = embedder.embed([asked.text, *texts])
    return [float(value) for value in vectors[1:] @ vectors[0]]


def _unknown(asked: Asked, hits: Sequence[Hit]) -> list[str]:
    """What is asked and occurs in no passage found, nor a word like it."""
    everything = _everything(asked, hits)
    strong = [term for term, weight in asked.rest.items() if weight >= 1 and term not in BARE]
    if asked.language:  # a verb has too many forms: only nouns tell, where they can be told
        strong = [term for term in strong if term in asked.things]
    return [t for t in strong if not _occurs(t, everything, asked.language)]


def _occurs(term: str, words: frozenset[str], language: str) -> bool:
    return term in words or resembling(term, words, language) > 0


def _everything(asked: Asked, hits: Sequence[Hit]) -> frozenset[str]:
    """The words of all that was found."""
    return frozenset().union(*(stems(_all_of(hit), asked.language) for hit in hits))


def _all_of(hit: Hit) -> str:
    return f"{hit.chunk.context} {hit.chunk.text} {hit.filename}"


def _has_codes(asked: Asked, passage: Passage) -> bool:
    """A code that is asked about stands in the sentence, or in what it is about."""
    if not asked.codes:
        return True
    here = codes(passage.text) or codes(passage.scope)
    return asked.codes <= (here | codes(passage.scope) | _own_codes(passage))


def _own_codes(passage: Passage) -> frozenset[str]:
    """The numbers that a paper goes by (`Delivery note: LS-88213`): they hold for all of it. The
    labels of a list of codes are codes themselves."""
    lines = (line.partition(":") for line in passage.opening.splitlines())
    return frozenset[str]().union(*(codes(own) for label, _, own in lines if not codes(label)))


def _of_the_house(asked: Asked, hits: Sequence[Hit]) -> Asked:
    """Without the names that most of the documents found speak of: they are of the house that
    wrote them, and no sentence has to say so."""
    if not asked.names:
        return asked
    words: dict[str, frozenset[str]] = {}
    for hit in hits:
        here = stems(_all_of(hit), asked.language)
        words[hit.filename] = words.get(hit.filename, frozenset()) | here
    if len(words) < HOUSE_DOCUMENTS_MIN:
        return asked
    least = HOUSE_SHARE * len(words)
    names = {
        name
        for name in asked.names
        if sum(stem(name, asked.language) in here for here in words.values()) < least
    }
    return replace(asked, names=frozenset(names))


def _names_occur(asked: Asked, hits: Sequence[Hit]) -> bool:
    """A name that no source mentions: the sources do not speak of it."""
    everything = _everything(asked, hits)
    parts = (p for name in asked.names for p in fold(name).replace("-", " ").split())
    stemmed = (stem(part, asked.language) for part in parts)
    return all(part in everything or alike(part, asked.language) & everything for part in stemmed)
