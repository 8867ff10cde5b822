"""Which sentences answer a question, and whether any does. No model writes here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.answers.passages import Passage, passages
from agents.answers.question import Asked, answers_well, fits
from agents.answers.words import NUMBER, alike, codes, stem, stems
from core.documents import Hit
from core.ports import Embedder
from vectorstore.words import fold

PICKS_MAX = 4
_CANDIDATES = 20
_ORDER = re.compile(
    r"(?:^|[.!?:;>*\"'(\n-])\W*(?:please |now |you must |important:? )?"
    r"(?:(?:ignore|disregard|forget)\b[^.\n]*\b"
    r"(?:instructions?|rules?|prompts?|orders?|question|previous|above)\b|(?:system|assistant)\s*:)",
    re.IGNORECASE,
)
# Calibrated on tests/agents/answers (see docs): below these the sources do not say.
COVERED_MIN = 0.6
COVERED_MIN_ALIKE = 0.45
SIMILAR_MIN = 0.50
REST_MIN = 0.35
ALIKE_MIN = 0.65  # so alike that other words do not matter
WHO_REST_MIN = 0.7  # one word off is another person: chief executive, chief technology


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage and why it was taken; `covered` is the share of the question that its
    surroundings speak of, `similar` a cosine (0 without an embedder)."""

    passage: Passage
    score: float
    covered: float
    rest: float  # the share of what is asked beyond names and codes
    similar: float


def find(asked: Asked, hits: Sequence[Hit], embedder: Embedder | None) -> list[Evidence]:
    """The one to four passages that answer, best first; nothing when the sources do not say."""
    if not asked.terms or not _names_occur(asked, hits):
        return []
    ranked = rank(asked, hits, embedder)
    enough = [one for one in ranked if is_enough(asked, one, with_vectors=embedder is not None)]
    return _picked(asked, enough) if enough else []


def rank(asked: Asked, hits: Sequence[Hit], embedder: Embedder | None) -> list[Evidence]:
    """Passages that may answer, best first."""
    found = [p for p in passages(hits) if _has_codes(asked, p) and not orders_models(p.plain)]
    by_words = sorted((_by_words(asked, p) for p in found), key=_score)[:_CANDIDATES]
    similar = _similarities(asked, [one.passage for one in by_words], embedder)
    scored = [
        replace(one, score=one.score + 0.35 * near, similar=near)
        for one, near in zip(by_words, similar, strict=True)
    ]
    return sorted(scored, key=_score)


def _score(one: Evidence) -> float:
    return -one.score


def orders_models(text: str) -> bool:
    """A line that speaks to a model and not to people is no answer to anything."""
    return _ORDER.search(text) is not None


def is_enough(asked: Asked, one: Evidence, *, with_vectors: bool) -> bool:
    if not fits(asked.wants, one.passage.text):
        return False
    if not _has_numbers(asked, one.passage):
        return False
    if sum(asked.rest.values()) >= 1 and one.rest < REST_MIN and one.similar < ALIKE_MIN:
        return False
    if asked.wants == "who" and one.rest < WHO_REST_MIN:
        return False
    if with_vectors and asked.counted and one.similar < ALIKE_MIN:
        return answers_well(asked, one.passage.text)
    if one.covered >= COVERED_MIN:
        return True
    return with_vectors and one.covered >= COVERED_MIN_ALIKE and one.similar >= SIMILAR_MIN


def _by_words(asked: Asked, passage: Passage) -> Evidence:
    near = _surroundings(asked, passage)
    covered = _share(asked.terms, near)
    score = 0.4 * _own(asked, passage) + 0.35 * covered
    score += 0.2 if answers_well(asked, passage.text) else 0.0
    score += 0.4 if _is_labelled(asked, passage) else 0.0
    score += 0.15 if _explains(asked, passage) else 0.0
    score -= 0.15 if len(passage.plain) < 15 else 0.0
    score -= 0.2 if _is_log(passage) and "log" not in asked.terms else 0.0
    return Evidence(passage, score, covered, _share(asked.rest, near), 0.0)


def _similarities(asked: Asked, found: Sequence[Passage], embedder: Embedder | None) -> list[float]:
    if embedder is None or not found:
        return [0.0] * len(found)
    texts = [f"{p.scope[-160:]}\n{p.plain}" if p.scope else p.plain for p in found]
    vectors = embedder.embed([asked.text, *texts])
    return [float(value) for value in vectors[1:] @ vectors[0]]


def _is_labelled(asked: Asked, passage: Passage) -> bool:
    """`Cause: …` when the cause is asked for."""
    label = stems(passage.label)
    strong = {term for term, weight in asked.rest.items() if weight >= 1}
    return any(alike(term) & label for term in strong | asked.intents)


def _explains(asked: Asked, passage: Passage) -> bool:
    """`ERR-1042: …` when that code is asked about."""
    return passage.names_its_code and bool(asked.codes & codes(passage.plain.split(" ")[0]))


def _is_log(passage: Passage) -> bool:
    return passage.hit.metadata.get("document_type") == "log"


def _share(terms: dict[str, float], weigh: dict[str, float]) -> float:
    """The weighted share of the terms, each as far as `weigh` says; 0 of none."""
    total = sum(terms.values())
    return sum(w * weigh.get(term, 0.0) for term, w in terms.items()) / total if total else 0.0


def _matches(asked: Asked, words: frozenset[str]) -> dict[str, float]:
    return {term: 1.0 if term in words else _near(term, words) for term in asked.terms}


def _near(term: str, words: frozenset[str]) -> float:
    """0.8 for a synonym, or a long word with the same beginning and about the same length."""
    if alike(term) & words:
        return 0.8
    if len(term) < 5:
        return 0.0
    same = (w for w in words if w.startswith(term[:5]) and abs(len(w) - len(term)) < 4)
    return 0.8 if any(same) else 0.0


def _own(asked: Asked, passage: Passage) -> float:
    """The share that the sentence itself speaks of; its codes may stand in its scope."""
    own = _matches(asked, stems(passage.text))
    return _share(asked.terms, {**own, **dict.fromkeys(asked.codes, 1.0)})


def _surroundings(asked: Asked, passage: Passage) -> dict[str, float]:
    """What the sentence, its scope, its file's name and its chunk speak of, in falling weight."""
    near: dict[str, float] = {}
    chunk = passage.hit.chunk
    surroundings = (
        (stems(passage.text), 1.0),
        (stems(passage.scope), 0.95),
        (stems(passage.hit.filename.replace("_", " ").replace("-", " ")), 0.8),
        (stems(chunk.text), 0.65),
    )
    for words, factor in surroundings:
        for term, share in _matches(asked, words).items():
            near[term] = max(near.get(term, 0.0), share * factor)
    return near


def _has_codes(asked: Asked, passage: Passage) -> bool:
    """A code that is asked about stands in the sentence, or in what it is about."""
    if not asked.codes:
        return True
    here = codes(passage.text) or codes(passage.scope)
    return asked.codes <= (here | codes(passage.scope))


def _has_numbers(asked: Asked, passage: Passage) -> bool:
    """Numbers of three digits and more, or with a fraction, must occur in the passage's chunk."""
    strict = {n for n in asked.numbers if len(n) >= 3}
    there = set(NUMBER.findall(f"{passage.scope} {passage.hit.chunk.text} {passage.hit.filename}"))
    return strict <= there


def _names_occur(asked: Asked, hits: Sequence[Hit]) -> bool:
    """A name that no source mentions: the sources do not speak of it."""
    everything = frozenset().union(
        *(stems(f"{h.chunk.context} {h.chunk.text} {h.filename}") for h in hits)
    )
    return all(
        stem(part) in everything or alike(stem(part)) & everything
        for name in asked.names
        for part in fold(name).replace("-", " ").split()
    )


def _picked(asked: Asked, enough: Sequence[Evidence]) -> list[Evidence]:
    """The best and others nearly as good; with the list below it when it announces one, and the
    line that names the code when a code was asked about."""
    best = enough[0]
    picks = [best]
    for one in enough[1:]:
        if len(picks) < PICKS_MAX and one.score >= 0.8 * best.score and _adds(one, picks):
            picks.append(one)
    if asked.codes:
        return _entry(asked, best, enough) or picks
    if best.passage.text.rstrip().endswith(":"):
        return _with_list(best, picks)
    if asked.wants == "steps" and best.passage.bulleted:
        return _list(best) or picks
    return picks


def _entry(asked: Asked, best: Evidence, enough: Sequence[Evidence]) -> list[Evidence]:
    """From a list of codes: the line that names the code, and the lines asked for below it."""
    home = next((one.passage for one in enough if _explains(asked, one.passage)), None)
    if home is None:
        return []
    block = []
    for passage in passages([home.hit]):
        if passage.order > home.order and codes(passage.plain.split(" ")[0]):
            break
        if passage.order > home.order:
            block.append(passage)
    if asked.wants in ("number", "duration", "when", "money"):
        wanted = [p for p in block if answers_well(asked, p.text)]
        if not wanted:
            return []
    else:
        wanted = [p for p in block if _is_labelled(asked, p)]
    rest = block[:2] if asked.intents or not asked.rest else []
    chosen = [home, *(wanted or rest)][: PICKS_MAX + 1]
    if not wanted and best.passage.hit.chunk.id != home.hit.chunk.id:
        return []
    return [replace(best, passage=passage) for passage in chosen]


def _list(best: Evidence) -> list[Evidence]:
    """The items of the list that the best one belongs to, from its first."""
    items = [
        p for p in passages([best.passage.hit]) if p.bulleted and p.heading == best.passage.heading
    ]
    return (
        [replace(best, passage=item) for item in items[: PICKS_MAX + 1]] if len(items) > 1 else []
    )


def _adds(one: Evidence, picks: Sequence[Evidence]) -> bool:
    """Not the same words again (copies of a document, repeated log lines)."""
    words = stems(one.passage.plain)
    return all(len(words - stems(p.passage.plain)) > 0.3 * len(words) for p in picks)


def _with_list(best: Evidence, picks: list[Evidence]) -> list[Evidence]:
    """The best with the list items right below it, then the others."""
    listed = [best]
    for passage in passages([best.passage.hit]):
        if passage.order == listed[-1].passage.order + 1 and passage.item:
            listed.append(replace(best, passage=passage))
    rest = [one for one in picks if all(one.passage.key != p.passage.key for p in listed)]
    return (listed[: PICKS_MAX + 1] + rest)[: max(len(picks), PICKS_MAX + 1)]
