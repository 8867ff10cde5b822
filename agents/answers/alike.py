"""Whether two questions ask the same, so that the answer to the one answers the other.

Their vectors only say that they are near: "paid" and "sent", "Q1" and "Q2", "before" and "after"
are near as well. So everything that can turn an answer round must be equal: numbers, codes, names,
negations, kind of answer; and what is left must be the same words or close ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vectorstore.words import fold

# Cosine. Chosen on the pairs of `tests/agents/alike.yaml` that are not held out: the farthest pair
# that asks the same has 0.63, and no word can be exchanged that turns the answer round.
NEAR = 0.60

_TOKEN = re.compile(r"[^\W_]+(?:[-_./:][^\W_]+)*")
_CLITIC = re.compile(r"-(?:t-)?(?:on|ils?|elles?|nous|vous|je|tu|moi)\b", re.IGNORECASE)
_AGENT = re.compile(r"\b(?:by whom|by who|von wem|par qui)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_NOT = frozenset(
    re.findall(
        r"\S+",
        """no not never none nobody nothing without neither nor except unless cannot kein keine
        keinen keiner keinem keines nicht nie niemals niemand nichts ohne ausser weder ne pas
        jamais sans aucun aucune sauf ni rien personne""",
    )
)
# Words that say what stands where or turn a question round: never dropped.
_TURNS = frozenset(
    re.findall(
        r"\S+",
        """before after above below over under more less than within outside inside between since
        until from to by per vor nach uber unter mehr weniger bis seit zwischen von zu innerhalb
        ausserhalb avant apres plus moins que depuis jusque entre chez vers still noch encore
        only nur seulement first last""",
    )
)
_DROPPED = (
    frozenset(
        re.findall(
            r"\S+",
            """a an the of is are was were be been being am do does did done has have had will would
        can could may might must should shall i me my we us our you your it its this that these
        those there here what which who whom whose when where why how much many long often high
        large big old far please tell s t and or as at in on for with if so then time date day
        mean meaning error person me hour clock made make makes take
        der die das den dem des ein eine einen einem einer eines ist sind war waren sein wird
        werden wurde wurden hat haben hatte hatten kann konnen muss mussen soll sollen darf ich
        wir uns unser unsere mein meine sie ihr ihre man es gibt was welche welcher welches
        welchem welchen wer wen wem wann wo warum wie lange oft hoch viel viele teuer uhr um
        bitte und oder im in am an auf bei fur mit bedeutet bedeutung fehler also dann
        le la les l un une des du de d est sont etait etaient sera ete etre a ont avait j ai je
        nous notre nos vous votre vos mon ma mes on il elle ils elles ce cet cette ces que qu
        qui quoi quel quelle quels quelles quand ou pourquoi comment combien heure t y en au aux
        dans sur pour avec et signifie erreur temps fait faire se""",
        )
    )
    - _TURNS
)
_SAME = (
    "cost price fee kosten kost kostet preis cout coute coutent prix",
    "approve approval approuve genehmigen genehmigt genehmigung approuver approbation authorise",
    "own owner",
    "store keep kept retain retention aufbewahren aufbewahrt bewahren conserver conserve",
    "cause reason",
    "pay paid payment bezahlen bezahlt payer paye paiement",
    "attend attendee present",
    "decide decision",
    "fix resolve solve",
    "begin start",
    "responsible responsable zustandig verantwortlich",
    "vacation holiday",
    "client customer",
    "reimburse reimbursement",
)
_ENDINGS = (
    "ements", "ement", "ations", "ation", "ungen", "ung", "ing", "ies", "ied", "ees", "ee", "ent",
    "ten", "en", "er", "es", "ed", "em", "s", "e", "t", "n",
)  # fmt: skip


def _stem(word: str) -> str:
    """Light: the endings that one word takes in the three languages."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (3 if ending in ("s", "ed") else 4):
            return word[: -len(ending)]
    return word


_GROUP = {_stem(word): f"={n}" for n, line in enumerate(_SAME) for word in line.split()}
_KINDS = (
    ("money", r"\bhow much\b|\bcosts?\b|\bprice\b|\bkostet\b|\bteuer\b|\bpreis\b|\bcoute|\bprix\b"),
    ("often", r"\bhow often\b|\bwie oft\b"),
    ("long", r"\bhow long\b|\bwie lange\b|\bcombien de temps\b|\bperiod\b|frist\b"),
    ("number", r"\bhow many\b|\bwie viele\b|\bcombien\b"),
    ("when", r"\bwhen\b|\bwhat (?:time|date)\b|\bwann\b|\bwie viel uhr\b|\bquand\b|quelle heure\b"),
    ("whom", r"\bwhom\b|\bwho (?:do|does|did)\b|\bwem\b|\bwen\b|\ba qui\b"),
    ("who", r"\bwho\b|\bwer\b|\bqui\b"),
    ("why", r"\bwhy\b|\bcauses?d?\b|\breasons?\b|\bwarum\b|\bpourquoi\b"),
    ("where", r"\bwhere\b|\bwo\b|^ou\b"),
    ("how", r"\bhow (?:do|can|to|is|are|should)\b|\bcomment\b"),
    ("mean", r"\bmeans?\b|\bmeaning\b|\bbedeutet\b|\bsignifie\b"),
    ("which", r"^which \w+s\b|^welche \w+en\b"),
)
_SAID_BY = {"money": {_GROUP["cost"]}}  # what the kind of answer says already


@dataclass(frozen=True, slots=True)
class Meaning:
    """What must be equal in two questions. `exact` (numbers, codes, names) in the order said."""

    exact: tuple[str, ...]
    negated: bool
    wants: str
    turns: frozenset[str]
    words: frozenset[str]


def meaning(text: str) -> Meaning:
    plain = _CLITIC.sub(" ", _AGENT.sub("who", " ".join(text.split())))
    exact: list[str] = []
    words: list[str] = []
    for at, word in enumerate(_TOKEN.findall(plain)):
        low = fold(word)
        if _DIGIT.search(word) or (at and word[0].isupper() and low not in _DROPPED):
            exact.append(re.sub(r"[^\w]|_", "", low))
        elif low not in _DROPPED and low not in _NOT:
            words.append(low)
    said = fold(plain)
    wants = next((name for name, sign in _KINDS if re.search(sign, said)), "what")
    rest = {_GROUP.get(_stem(word), _stem(word)) for word in words if word not in _TURNS}
    return Meaning(
        tuple(exact), _denies(said), wants, frozenset(word for word in words if word in _TURNS),
        frozenset(rest - _SAID_BY.get(wants, set())),
    )  # fmt: skip


def same(one: Meaning, other: Meaning, similarity: float) -> bool:
    """`similarity` of their vectors, -1 to 1."""
    return similarity >= NEAR and one == other


def _denies(low: str) -> bool:
    return bool(re.search(r"n['’]t\b", low)) or not _NOT.isdisjoint(_TOKEN.findall(low))
