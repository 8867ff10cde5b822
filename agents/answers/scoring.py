"""How well a passage speaks of what is asked, by its words, its place and its form."""

from __future__ import annotations

import re

from agents.answers.focus import pairs
from agents.answers.inflection import compounded
from agents.answers.passages import Passage
from agents.answers.question import Asked
from agents.answers.words import CODE, alike, codes, stem, stems, worded
from vectorstore.words import STOP, fold

_COMPOUNDING = frozenset(("de", "nl"))
_OVER = re.compile(r"\b(?:more than|over|above|exceed\w*|at least)\s+\S*\d", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:because|due to|owing to|since|as|caused?|reasons?|therefore|thus|hence|so|in order to|"
    r"result\w*|lead to|led to|prevent\w*|avoid\w*|ensur\w*|enabl\w*|allow\w*|help\w*|"
    r"protect\w*|weil|wegen|da|aufgrund|ursache|grund|damit|durch|car|parce|cause|raison|"
    r"afin|puisque|suite|porque|debido|omdat|vanwege|wegens|door|doordat)\b|"
    r"\b(?:fail\w*|errors?|fehler\w*|abgebrochen|fehlgeschlagen|echec|echoue|fallo|mislukt)\b[^:]{0,20}:"
    r" *[a-z]"
)
_TITLED_MIN = 0.75
_DEFINES = re.compile(r"\b(?:definition|glossary|glossar|begriff|lexique|glosario|begrip)", re.I)
_WHETHER = re.compile(
    r"(?:is|are|can|may|must|do|does|did|should|will|has|have|ist|sind|darf|muss|kann|werden|wird|"
    r"est-ce|peut-on|puis-je|mag|moet|kan|wordt|puede)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(r"(?:see|refer to|siehe|voir|vgl\.|zie|véase) ", re.IGNORECASE)
_RELATED = re.compile(
    r"\b(?:related|references|see also|further reading|siehe auch|verweise|voir aussi|zie ook)\b",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"\b(?:up to|less than|under|below|at most|not more than)\s+(?:[A-Z]{3} )?\S*\d", re.IGNORECASE
)


def is_labelled(asked: Asked, passage: Passage) -> bool:
    """`Cause: …` when the cause is asked for."""
    label = stems(passage.label, asked.language)
    strong = {term for term, weight in asked.rest.items() if weight >= 1}
    return any(alike(term, asked.language) & label for term in strong | asked.intents)


def opposes(asked: Asked, passage: Passage) -> bool:
    """`up to 5,000 EUR` says nothing of more than 5,000 EUR."""
    over, under = _OVER.search(asked.text), _UNDER.search(asked.text)
    if bool(over) == bool(under):
        return False
    same, other = (_OVER, _UNDER) if over else (_UNDER, _OVER)
    return bool(other.search(passage.text)) and not same.search(passage.text)


def on_condition(asked: Asked, passage: Passage) -> bool:
    """`If …, call …` when it is asked what to do if."""
    return bool(
        asked.wants == "steps"
        and re.search(r"\b(?:if|when)\b", asked.text)
        and re.match(r"(?:If|When|As soon as|In case)\b", passage.plain)
    )


def gives_reason(asked: Asked, passage: Passage) -> bool:
    """`… because the inspection is missing` when it is asked why."""
    return stem("cause") in asked.intents and _REASON.search(fold(passage.plain)) is not None


def is_general(asked: Asked, passage: Passage) -> bool:
    """An entry of a list of codes, or of definitions, where nobody asks for a code or a meaning: it
    speaks of all such cases, the question of one."""
    if asked.codes or stem("mean") in asked.intents:
        return False
    if passage.names_its_code:
        return asked.past
    tells = asked.wants != "text" or _WHETHER.match(asked.text)
    return bool(tells) and _DEFINES.search(passage.heading) is not None


def points_on(passage: Passage) -> bool:
    """`See the Travel Policy`: where it stands, and not what."""
    return _POINTS.match(passage.plain) is not None or _RELATED.search(passage.heading) is not None


def answers_its_question(asked: Asked, passage: Passage) -> float:
    """The share of what is asked that the question above it asks."""
    if not passage.question:
        return 0.0
    return share(asked.terms, matches(asked, stems(passage.question, asked.language)))


def is_under_its_title(asked: Asked, passage: Passage) -> bool:
    """Its heading names all that is asked."""
    if not passage.heading or passage.heading.rstrip().endswith("?"):
        return False
    named = matches(asked, stems(passage.heading, asked.language))
    return share(asked.terms, named) >= _TITLED_MIN


def repeats(asked: Asked, passage: Passage) -> bool:
    """A title: it says what was asked again and no more. The name of a code may be the answer."""
    if asked.wants == "text":
        return False
    words = [word for word in worded(passage.plain, asked.language) if word not in STOP]
    named = {part for code in CODE.findall(passage.plain) for part in worded(code)}
    return all(stem(word, asked.language) in asked.terms or word in named for word in words)


def explains(asked: Asked, passage: Passage) -> bool:
    """`ERR-1042: …` when that code is asked about."""
    return passage.names_its_code and bool(asked.codes & codes(passage.plain.split(" ")[0]))


def is_log(passage: Passage) -> bool:
    return passage.hit.metadata.get("document_type") == "log"


def share(terms: dict[str, float], weigh: dict[str, float]) -> float:
    """The weighted share of the terms, each as far as `weigh` says; 0 of none."""
    total = sum(terms.values())
    return sum(w * weigh.get(term, 0.0) for term, w in terms.items()) / total if total else 0.0


def matches(asked: Asked, words: frozenset[str]) -> dict[str, float]:
    return {
        term: 1.0 if term in words else resembling(term, words, asked.language)
        for term in asked.terms
    }


def resembling(term: str, words: frozenset[str], language: str = "") -> float:
    """0.8 for a synonym, or a long word with the same beginning and about the same length; 0.7 for
    a compound that ends with the other (`Frist` and `Kündigungsfrist`)."""
    if alike(term, language) & words:
        return 0.8
    if len(term) < 5 and language not in _COMPOUNDING:
        return 0.0
    same = (w for w in words if w.startswith(term[:5]) and abs(len(w) - len(term)) < 4)
    least = 0.75 if language in _COMPOUNDING else 0.6
    if len(term) >= 5 and any(_begin_alike(term, word, least) for word in same):
        return 0.8
    if language in _COMPOUNDING and any(compounded(term, word) for word in words):
        return 0.7
    return 0.0


def _begin_alike(one: str, other: str, least: float) -> bool:
    """Long words need more than five letters in common (compounds of one first word)."""
    pairs_ = zip(one, other, strict=False)
    common = next((at for at, (a, b) in enumerate(pairs_) if a != b), min(len(one), len(other)))
    return common >= least * max(len(one), len(other))


def together(asked: Asked, passage: Passage) -> float:
    """The share of the asked words' neighbourhoods that the sentence keeps: `days of vacation`."""
    terms = frozenset(asked.terms)
    wanted = pairs(asked.text, terms, asked.language)
    if not wanted:
        return 0.0
    return len(wanted & pairs(f"{passage.plain} {passage.heading}", terms, asked.language)) / len(
        wanted
    )


def own_share(asked: Asked, passage: Passage) -> float:
    """The share that the sentence itself speaks of; its codes may stand in its scope."""
    own = matches(asked, stems(passage.plain, asked.language))
    return share(asked.terms, {**own, **dict.fromkeys(asked.codes, 1.0)})


def surroundings(asked: Asked, passage: Passage) -> dict[str, float]:
    """What the sentence, its scope, its file's name and its chunk speak of, in falling weight."""
    near: dict[str, float] = {}
    around = (
        (f"{passage.text} {passage.plain}", 1.0),
        (passage.scope, 0.95),
        (passage.hit.filename.replace("_", " ").replace("-", " "), 0.8),
        (passage.hit.chunk.text, 0.65),
        (passage.opening, 0.8),
    )
    for text, factor in around:
        for term, found in matches(asked, stems(text, asked.language)).items():
            near[term] = max(near.get(term, 0.0), found * factor)
    return near
