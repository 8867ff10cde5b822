"""The task that a request's wording asks for: patterns first, then a small naive Bayes classifier
over the words of examples. Both are bundled (`cases/wordings.yaml`)."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from functools import cache
from pathlib import Path

import yaml

from models.features import Features

_WORD = re.compile(r"[^\W_]+|\?")
_MARGIN = math.log(2)  # how much likelier the best must be than the next
_HEAD_CHARS = 600  # the order stands first or last; what is between is material


def classify(text: str, seen: Features) -> tuple[str, str]:
    """The task and the reason in words; `chat` where nothing speaks for another."""
    told = _told(text)
    for task, pattern in _patterns("patterns"):
        if found := pattern.search(told):
            return task, f"it says {found[0].lower().strip()[:24]!r}"
    if seen.json:
        return "json", "JSON is wanted"
    for task, pattern in _patterns("openings"):
        if found := pattern.match(told.lstrip()):
            return task, f"it begins with {found[0].lower().strip()[:24]!r}"
    scores = _scores(told)
    ranked = sorted(scores, key=lambda task: -scores[task])
    best, margin = ranked[0], scores[ranked[0]] - scores[ranked[1]]
    if margin < _MARGIN:
        return "chat", "its wording speaks for no task"
    return (
        best,
        f"its words are like those of {best} ({math.exp(min(margin, 20)):.0f} times likelier)",
    )


def _told(text: str) -> str:
    if len(text) <= 2 * _HEAD_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]}\n{text[-_HEAD_CHARS:]}"


def _words(text: str) -> list[str]:
    """With pairs, so that `what is` and `is what` differ."""
    words = _WORD.findall(text.lower())
    return [*words, *(f"{one} {two}" for one, two in itertools.pairwise(words))]


@cache
def _wordings() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).with_name("cases") / "wordings.yaml"
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text())
    return found


@cache
def _patterns(kind: str) -> list[tuple[str, re.Pattern[str]]]:
    """In the file's order: the first that is found counts."""
    return [
        (task, re.compile(rf"(?<!\w)(?:{'|'.join(some)})", re.IGNORECASE | re.DOTALL))
        for task, some in _wordings()[kind].items()
    ]


@cache
def _learned() -> tuple[dict[str, Counter[str]], int]:
    examples = _wordings()["examples"]
    counts = {task: Counter(w for text in texts for w in _words(text))
              for task, texts in examples.items()}  # fmt: skip
    return counts, len(set().union(*counts.values()))


def _scores(text: str) -> dict[str, float]:
    """Log-likelihoods with Laplace's correction; words that were never seen say nothing."""
    counts, size = _learned()
    known = [word for word in _words(text) if any(word in own for own in counts.values())]
    return {
        task: sum(math.log((own[word] + 1) / (own.total() + size)) for word in known)
        for task, own in counts.items()
    }
