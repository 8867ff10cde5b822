"""The things that a question names beside its names: what follows an article or a preposition, up
to the next small word. A passage about something else lacks one of them."""

from __future__ import annotations

import re

from agents.answers import languages
from agents.answers.words import stem, worded
from vectorstore.words import STOP, fold

_LEADS = {
    "": """the a an of for in on at to our my your their its his her per by with from into about
        whose many much this these under during between within through against and or
        after before s""",
    "fr": """le la les l un une des du de d au aux a par en pour sans sur dans et ou""",
    "es": """el la los las un una unos unas de del al por en para sin sobre cuantos cuantas
        y""",
    "nl": "de het een van voor in op aan bij met zonder over per hoeveel en of",
}
_SETS = {name: frozenset(words.split()) for name, words in _LEADS.items()}
_AUXILIARY = frozenset(
    ("does", "do", "did", "can", "may", "must", "should", "will", "could", "would")
)
_VERB = {
    "": re.compile(
        r".{2,}(?:ed|ing)$|^(?:held|paid|kept|sent|made|sold|built|left|met|put|set|used)$"
    ),
    "fr": re.compile(r".{3,}(?:er|ir|ez|aient|era)$"),
    "es": re.compile(r".{3,}(?:ar|er|ir|ado|ada|ido|ida)$"),
    "nl": re.compile(r"^ge.{3,}|.{3,}en$"),
}


def things(plain: str, language: str) -> frozenset[str]:
    """Stems. In German every noun has a capital letter, so these are the nouns."""
    if language == "de":
        found = (fold(w) for w in re.findall(r"(?<!^)\b[A-ZÄÖÜ][^\W\d_]{2,}", plain))
        return frozenset(stem(w, "de") for w in found if w not in languages.GENERIC["de"])
    said = worded(plain, language or "en")
    small = languages.SMALL[language] if language else STOP | languages.SMALL["en"]
    found_words: list[str] = []
    for at, word in enumerate(said):
        if word in _SETS[language]:
            found_words += _phrase(said[at + 1 :], small, language, _asks(said[:at]))
    generic = languages.GENERIC.get(language, frozenset())
    return frozenset(stem(w, language) for w in found_words if w not in generic)


def _asks(before: list[str]) -> bool:
    return bool(_AUXILIARY & set(before))


def _phrase(rest: list[str], small: frozenset[str], language: str, asks: bool) -> list[str]:
    """The words up to the next small one; without the verb at its end (`does the plan COST`)."""
    phrase: list[str] = []
    for word in rest:
        if word in small or word in _AUXILIARY or word.isdigit() or len(word) < 3:
            break
        phrase.append(word)
    else:
        if asks and len(phrase) > 1:
            phrase.pop()
    return [word for word in phrase if not _VERB[language].match(word)]
