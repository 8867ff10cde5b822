"""German and French questions: their small words, and what kind of answer they want."""

from __future__ import annotations

import re

from vectorstore.words import fold

# Small words, folded. A language is taken when its question word or two of its small words occur.
_SMALL = {
    "de": """aber alle als am an auf aus bei beim bin bis das dass dein deine dem den der des die
        dies diese diesem diesen dieser doch du durch ein eine einem einen einer eines er es euch
        fur gibt habe haben hat ich ihr ihre im in ist ja kann kannst konnen konnte man mein meine
        meiner mich mir mit muss mussen nach nicht noch nur oder ohne sein seine sich sie sind so
        dich dir soll sollen sollte uber um und uns unser unter viel viele vom von vor wann war
        waren warum was welche
        welchem welchen welcher welches wen wem wenn wer werde werden wie wird wir wo wofur woher
        wohin womit wurde wurden zu zum zur zwischen lautet heisst heissen findet statt""",
    "fr": """a au aux avec ce cela ces cet cette combien comment d dans de des du elle elles en est
        et etre il ils j je l la le les leur leurs lors ma mais mes mon n ne nos notre nous on ont
        ou par pas peut pour pourquoi qu quand que quel quelle quelles quels qui s sa se ses si son
        sont sur t ta tes ton tu un une vos votre vous y doit doivent fait""",
}
_ASKING = {
    "de": r"^(?:wie|was|wer|wen|wem|wo|wann|warum|wieso|welche[mnrs]?|wofur|womit|woher|wohin)\b",
    "fr": r"^(?:combien|comment|quand|pourquoi|qui|quel(?:le)?s?|ou|que|qu)\b",
}
SMALL = {name: frozenset(words.split()) for name, words in _SMALL.items()}

# In this order, over the folded question.
_WANTS = {
    "duration": r"\bwie lange\b|\bcombien de temps\b",
    "money": r"\bwas kostet\b|\bwie teuer\b|\bcombien coute|\bquel est le (?:prix|cout|tarif)\b",
    "number": r"\bwie (?:viele?|oft|hoch|gross|weit)\b|\bcombien\b",
    "phone": r"\btelefonnummer\b|\bnumero de telephone\b",
    "email": r"\be-?mail-?adresse\b|\badresse (?:e-?mail|electronique)\b",
    "when": r"\bwann\b|\bquand\b|\ban welchem (?:tag|datum)\b|\bquelle (?:date|heure)\b",
    "who": r"^(?:an |von |bei |mit )?(?:wer|wen|wem)\b|^(?:a |de |par )?qui\b",
    "steps": r"\bwie (?:kann|konnen|muss|mussen|soll)\b|^wie \w+ (?:ich|man|wir)\b|\bcomment\b",
}

TIMES = (
    r"\b(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|"
    r"vendredi|samedi|dimanche|januar|februar|marz|mai|juni|juli|oktober|dezember|janvier|fevrier|"
    r"mars|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|taglich|wochentlich|"
    r"monatlich|jahrlich|wenn|sobald|nachdem|bevor|lorsque|apres|avant|des que)\b"
)
NUMBERS = (
    r"\b(?:zwei|drei|vier|funf|sechs|sieben|acht|neun|zehn|zwolf|zwanzig|einmal|zweimal|taglich|"
    r"wochentlich|monatlich|jahrlich|jede[nrs]?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|"
    r"douze|chaque|tous les)\b"
)

_ENGLISH = frozenset(
    [
        "the",
        "of",
        "is",
        "are",
        "does",
        "how",
        "what",
        "when",
        "who",
        "which",
        "why",
        "where",
        "and",
        "to",
    ]
)


def language(text: str) -> str | None:
    """`de` or `fr`; None is English or unknown."""
    low = fold(text)
    words = set(re.findall(r"[^\W_]+", low))
    if words & _ENGLISH:  # "Was the die cut in the war room?"
        return None
    for name, small in SMALL.items():
        if re.search(_ASKING[name], low) or len(words & small) >= 3:
            return name
    return None


def wants(text: str) -> str:
    """The kind of answer that a folded German or French question wants."""
    return next((kind for kind, sign in _WANTS.items() if re.search(sign, text)), "text")
