"""What can be seen of a request without understanding it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from|function|const|let|var|public|SELECT|INSERT|#include)\b.*"
    r"|[{};]\s*$|\w+\([^)]*\)\s*[{;]|=>|</\w+>",
    re.MULTILINE,
)
_MATHS = re.compile(
    r"[∑∫√≤≥≠]|\\(?:frac|sum|int)\b|\d\s*[+*/^=]\s*\d"
    r"|\b(?:equation|derivative|integral|percentage|probability|compute|calculate|solve|prove"
    r"|berechne|gleichung|calculer|bereken|calcula)\b",
    re.IGNORECASE,
)
_JSON = re.compile(r"\bJSON\b|\bas an? (?:object|array)\b", re.IGNORECASE)
_STEPS = re.compile(
    r"\b(?:step by step|first|then|after that|finally|compare|contrast|analy[sz]e|evaluate"
    r"|explain why|trade-?offs?|pros and cons|strategy|design|architecture|refactor|debug|prove"
    r"|derive"
    r"|in detail|thorough(?:ly)?|vergleich\w*|begründ\w*|ausführlich|compare[rz]|expliquer pourquoi"
    r"|vergelijk\w*|leg uit waarom|compara\w*|explica por qué)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
# The commonest words that are of one language alone.
_LANGUAGES = {
    "en": {"the", "and", "of", "what", "is", "which", "how", "this", "with", "please"},
    "de": {"der", "das", "und", "ist", "nicht", "wie", "welche", "für", "mit", "bitte", "wer"},
    "fr": {"les", "est", "et", "quel", "quelle", "pour", "une", "avec", "dans", "qui"},
    "nl": {"het", "een", "niet", "welke", "voor", "zijn", "wat", "deze", "graag"},
    "es": {"los", "las", "cuál", "qué", "por", "para", "una", "cómo", "del", "está"},
}


@dataclass(frozen=True, slots=True)
class Features:
    characters: int
    words: int
    sentences: int
    questions: int
    code: bool
    maths: bool
    languages: tuple[str, ...]
    json: bool
    tools: int
    turns: int
    reasoning: int  # words that ask for several steps


def features(text: str, *, json: bool = False, tools: int = 0, turns: int = 1) -> Features:
    """`json` and `tools`: what the request asks for beside its text."""
    words = _WORD.findall(text)
    return Features(
        len(text), len(words), max(1, len(re.findall(r"[.!?]+(?:\s|$)", text))), text.count("?"),
        bool(_CODE.search(text)), bool(_MATHS.search(text)), _languages(words),
        json or bool(_JSON.search(text)), tools, turns, len(_STEPS.findall(text)),
    )  # fmt: skip


def _languages(words: Sequence[str]) -> tuple[str, ...]:
    """Those with two of their words at least, most first; one is enough for a short text."""
    low = [word.lower() for word in words]
    counted = {name: sum(word in own for word in low) for name, own in _LANGUAGES.items()}
    least = 1 if len(low) < 8 else 2
    found = [name for name, times in counted.items() if times >= least]
    return tuple(sorted(found, key=lambda name: -counted[name]))


def complexity(text: str, seen: Features) -> tuple[str, str]:
    """simple | moderate | complex, and the reasons in words."""
    points = {
        "it is long": 2 * (seen.words > 800) + (seen.words > 200),
        "it asks for several steps": min(3, seen.reasoning),
        "it holds code": 2 * seen.code,
        "it needs maths": 2 * seen.maths,
        "it asks several things": (seen.questions > 1) + (seen.questions > 3),
        "tools are offered": (seen.tools > 0) + (seen.tools > 4),
        "it mixes languages": int(len(seen.languages) > 1),
        "the conversation is long": int(seen.turns > 6),
    }
    score = sum(points.values())
    level = "complex" if score >= 4 else "moderate" if score >= 2 else "simple"
    why = [words for words, some in points.items() if some]
    return level, ", ".join(why) or "short, one question, no code, no maths"
