"""What somebody says about themselves inside a question: how to be answered, what to remember.

By rules over whole sentences, in English, German and French. Whatever is not one of these
sentences is the question, word for word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vectorstore.words import fold

FACT_CHARS_MAX = 500
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|$)|[.!?](?=\S)[^.!?\n]*)*[.!?]*\s*")

_LANGUAGES = {
    "en": "english|englisch|anglais", "de": "german|deutsch|allemand",
    "fr": "french|franzosisch|francais", "nl": "dutch|niederlandisch|neerlandais",
    "es": "spanish|spanisch|espagnol",
}  # fmt: skip
_TONGUE = "|".join(f"(?P<{code}>{words})" for code, words in _LANGUAGES.items())
_ANSWER = (
    r"(?:answer|reply|respond|write|speak|antworten? sie|antworte|schreiben? sie|schreibe?|"
    r"sprich|sprechen sie|reponds|repondez|ecris|ecrivez|parle|parlez)(?: to me| me| mir|-moi)?"
)
_POLITE = re.compile(
    r"\b(?:please|always|from now on|in (?:the )?future|bitte|immer|ab jetzt|von jetzt an|kunftig|"
    r"in zukunft|s'il (?:te|vous) plait|toujours|desormais|a partir de maintenant)\b"
)
_JOINT = re.compile(r"\s*(?:,|\band\b|\bund\b|\bet\b)\s*")
_YOUR = r"(?:it|them|(?:your |the |all )?answers?|deine antworten|ihre antworten|tes reponses)"

_LANGUAGE = re.compile(rf"(?:{_ANSWER} )?(?:in|auf|en) (?:{_TONGUE})")
_SHORT = (
    rf"(?:keep|make) {_YOUR} (?:short|brief|concise)|be (?:brief|concise)|"
    rf"{_ANSWER} (?:briefly|concisely|shortly|in (?:one|a single) sentence|kurz|knapp|brievement|"
    r"en une phrase|in einem satz)|fasse? dich kurz|fassen sie sich kurz|(?:fais|faites) court|"
    r"(?:sois|soyez) (?:bref|breve|concis)|short answers|kurze antworten"
)
_LONG = (
    rf"(?:keep|make) {_YOUR} (?:long|detailed)|be detailed|detailed answers|"
    rf"{_ANSWER} (?:in detail|at length|ausfuhrlich|en detail|longuement)"
)
_LIST = (
    rf"{_ANSWER} (?:in|as|with|als|en|sous forme de) (?:an? |einer |une )?"
    r"(?:lists?|bullets?|bullet points|liste|stichpunkten|stichworten|puces)|use bullet points"
)
_PROSE = (
    rf"{_ANSWER} (?:in|as|als|en) (?:full sentences|prose|fliesstext|ganzen satzen)|"
    r"no (?:lists|bullet points)"
)
_STYLES = (
    ("length", "short", re.compile(_SHORT)), ("length", "long", re.compile(_LONG)),
    ("format", "list", re.compile(_LIST)), ("format", "prose", re.compile(_PROSE)),
)  # fmt: skip
_REMEMBER = re.compile(
    r"^(?:please |also |bitte |s'il (?:te|vous) pla[iî]t,? )*"
    r"(?:remember|keep in mind|don['’]t forget|do not forget|merke? dir|merken sie sich|"
    r"vergiss nicht|vergessen sie nicht|souviens-toi|souvenez-vous|retiens|retenez|"
    r"n['’]oublie pas|n['’]oubliez pas)(?: bitte)?"
    r"(?:,? that |, dass | dass | que | qu['’]|: ?)(?P<fact>.+)$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Stated:
    """`rest`: what is left to be answered; empty when nothing was asked."""

    rest: str
    preferences: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.preferences or self.facts)


def stated(text: str) -> Stated:
    """Later sentences win over earlier ones."""
    rest: list[str] = []
    preferences: dict[str, str] = {}
    facts: list[str] = []
    for sentence in _SENTENCE.findall(text):
        said = sentence.strip()
        if (fact := _fact(said)) is not None:
            facts.append(fact)
        elif wishes := _wishes(said):
            preferences |= wishes
        else:
            rest.append(sentence)
    if not preferences and not facts:
        return Stated(text)
    return Stated("".join(rest).strip(), preferences, tuple(facts))


def _fact(sentence: str) -> str | None:
    if sentence.endswith("?"):
        return None
    found = _REMEMBER.match(sentence)
    fact = found["fact"].strip() if found else ""
    return fact[:FACT_CHARS_MAX] or None


def _wishes(sentence: str) -> dict[str, str]:
    """Only where every part of the sentence is a wish: "answer in German and keep it short"."""
    low = " ".join(_POLITE.sub(" ", fold(sentence)).split()).strip(" .!,;:")
    found: dict[str, str] = {}
    for part in _JOINT.split(low) if low else ():
        wish = _wish(part, first=not found)
        if not wish:
            return {}
        found |= wish
    return found


def _wish(part: str, *, first: bool) -> dict[str, str]:
    """`in German` alone is one after another wish only."""
    spoken = _LANGUAGE.fullmatch(part)
    if spoken and not (first and re.match(r"(?:in|auf|en) ", part)):
        return {"language": next(code for code in _LANGUAGES if spoken[code])}
    for name, value, pattern in _STYLES:
        if pattern.fullmatch(part):
            return {name: value}
    return {}
