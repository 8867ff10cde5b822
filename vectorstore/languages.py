"""Which language a text is in, by its little words, and the stems of its words in that language.

Snowball's stemmers (Porter, snowballstem.org) by PyStemmer. A text in any other language is taken
for English: its words still match themselves.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import Stemmer

# Little words of questions and documents, folded as `words.fold` does. No language has a word here
# that is a noun or a verb of content in another: `car` of French, `war` of German, `door` of Dutch.
_LITTLE = {
    "english": """a an and any are as at be been but by can could did do does for from had has have
        he how i if in into is it its me my no not of on or our please she should so some such than
        that the their them then there these they this those to us was we were what when where
        which who whose why will with would you your""",
    "german": """aber alle als am an auch auf aus bei beim bis da damit das dass dem denn der des
        dessen die dies diese diesem diesen dieser dieses doch durch ein eine einem einen einer
        eines er es fur gegen gibt haben hier ich ihr ihre ihrem ihren ihrer im in ist ja jede jeder
        kann konnen man mehr muss mussen nach nicht noch nur ob oder ohne sein seine sich sie sind
        so soll sollen uber um und uns unser unsere unter vom von vor wann warum was welche welchem
        welchen welcher welches wenn wer werden wie wieviel wir wird wo wurde wurden zu zum zur
        zwischen""",
    "french": """a ai alors au aucun aussi aux avec avez avons ce cela celle celui ces cet cette
        chaque comme dans de depuis des dont du elle elles en entre est et etaient etait ete etre
        eu il ils je la le les leur leurs lors lorsque lui ma mais meme mes mon ne nos notre nous
        ont ou par pas pendant peut peuvent plus pourquoi qu quand que quel quelle quelles quels
        qui quoi sa sans se selon sera ses si soit sont sous tous tout toute toutes tres un une
        vers voici vos votre vous y""",
    "dutch": """aan al alle als bij dat de deze die dit doen dus een en er geen haar hebben heeft
        het hij hoe hoeveel hun ik in is je jullie kan kunnen maar meer mijn moet moeten naar niet
        nog nu of om omdat ons onze ook op over te tegen ten ter toen tot tussen u uit uw van vanaf
        veel volgens voor waar waarom wanneer wat welk welke werd werden wie wij word worden wordt
        zal ze zich zij zijn zo zonder zou""",
    "spanish": """a al algun alguna ante antes aqui asi aun aunque cada como con contra cual cuales
        cuando cuanta cuantas cuanto cuantos de del desde donde dos durante e el ella ellas ellos en
        entre era es esa ese eso esta estaba estan estas este esto estos fue fueron ha hasta hay
        la las le les lo los mas me mi mis muy ni nos nuestra nuestro o otra otro para pero por
        porque puede pueden que quien quienes se segun ser si sin sobre son su sus tambien tiene
        tienen todo todos tras un una unas uno unos y ya""",
}
LANGUAGES = tuple(_LITTLE)
ENGLISH = LANGUAGES[0]
LITTLE: Mapping[str, frozenset[str]] = {
    name: frozenset(listed.split()) for name, listed in _LITTLE.items()
}
_SPEAKERS = {
    word: tuple(name for name in LANGUAGES if word in LITTLE[name])
    for word in frozenset.union(*LITTLE.values())
}
_SURE = 2  # so many different little words name a language; for English, one does


def spoken(words: Iterable[str]) -> str | None:
    """The language with most little words among folded `words`; None when too few say it."""
    counts = Counter(words)
    said: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for word in counts.keys() & _SPEAKERS.keys():
        for name in _SPEAKERS[word]:
            said[name] += counts[word]
            kinds[name] += 1
    sure = [name for name in LANGUAGES if kinds[name] >= (1 if name == ENGLISH else _SURE)]
    return max(sure, key=lambda name: said[name], default=None)


@lru_cache(65_536)
def stem(word: str, language: str) -> str:
    """Of a folded word: `invoices` → `invoic`, `rechnungen` → `rechnung`."""
    return str(_stemmer(language).stemWord(word))


_own = threading.local()  # a stemmer keeps state: one per thread


def _stemmer(language: str) -> Any:
    made: dict[str, Any] = _own.__dict__.setdefault("made", {})
    if language not in made:
        # Without a memory of its own, which `stem` has and which costs more than a stem.
        made[language] = Stemmer.Stemmer(language, 0)
    return made[language]
