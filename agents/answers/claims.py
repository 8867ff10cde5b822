"""What a sentence claims, by its words: what is compared with its quotes (decision 0024)."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import combinations, pairwise, permutations

from vectorstore.words import fold


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


# A blank may part thousands: `800 EUR` is not said by `4 800 EUR`.
_TOKEN = re.compile(r"\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)*|\d+(?:[.,:]\d+)*|[^\W\d_]+|[%€$£]")
_SMALL = _words(
    """a an the of and or is are was were be been being has have had do does did will would
    shall should may might can could must it its this that these those there they their them
    he she his her we our you your i in on at as with for which who whom whose what when
    where how so than then also into about per each any all der die das den dem des ein eine
    einen einem einer eines und oder ist sind war waren wird werden wurde wurden hat haben
    hatte es sie er ihr ihre sich im am zum zur mit fur auf aus bei pro je le la les l un
    une du des d de et ou est sont etait a au aux il elle ils elles on ce cette ces son sa
    ses leur leurs par pour dans en sur avec qu que qui se s y el los las una unos del al es
    son fue con por su sus het een van zijn was met voor op"""
)
_NOT = _words(
    """not no never none nobody nothing neither nor without cannot nt isnt arent wasnt doesnt
    dont didnt wont cant nicht kein keine keinen keiner keinem keines nie niemals nichts
    niemand ohne weder pas jamais aucun aucune rien sans ni geen niet nooit zonder sin nunca
    ningun ninguna fail fails failed refuse refuses refused reject rejects rejected deny
    denies denied prohibited forbidden verboten untersagt interdit interdite false wrong
    falsch faux"""
)
_CONDITIONS = _words(
    """only unless except excluding if until till provided sofern falls wenn nur ausser sobald
    solange bis seulement uniquement sauf si jusqu sinon solo excepto behalve alleen tenzij
    almost nearly about approximately around roughly ca circa etwa ungefahr rund environ
    fast presque usually sometimes often normally probably possibly perhaps"""
)
# Before a number they say from which side it limits.
_LIMITS = _words(
    """more less over under above below least most up within before after until by from since
    than minimum maximum exactly mehr weniger uber unter mindestens hochstens maximal ab bis
    vor nach seit innerhalb binnen plus moins maximum jusqu avant apres depuis entre between
    sous"""
)
_DIRECTED = _words(
    """to from by than before after until against over under into instead an von nach bis vor
    gegen als statt durch vers depuis par avant apres contre que a de"""
)
_UNITS = _words(
    """eur euro usd dollar gbp pound chf franc franken cent percent prozent pourcent second
    minute hour day night week month quarter year sekunde stunde tag nacht woche monat jahr
    seconde heure jour semaine mois an annee kb mb gb tb byte km kilometre kilometer metre
    meter m cm mm kg kilo gram g tonne litre liter ml microlitre degree grad degre working
    werktag arbeitstag ouvrable k million january february march april may june july august
    september october november december januar februar marz mai juni juli oktober dezember
    janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre billion
    thousand millionen tausend mille milliard"""
)
_NUMBER_WORDS = _words(
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty
    ninety hundred thousand million twice once double triple half third quarter dozen first
    second fourth fifth zwei drei vier funf sechs sieben acht neun zehn elf zwolf zwanzig
    dreissig vierzig funfzig hundert tausend einmal zweimal doppelt halb erste zweite dritte
    deux trois quatre cinq six sept huit neuf dix onze douze quinze vingt trente cent mille
    moitie double premier premiere deuxieme"""
)
_SIGNS = {"€": "eur", "euro": "eur", "$": "usd", "dollar": "usd", "%": "percent", "£": "gbp",
          "prozent": "percent", "pourcent": "percent"}  # fmt: skip
# A verb and its noun, where both say the same of the same things.
_SAME = {
    word: group.split()[0]
    for group in (
        "approve approval approved", "pay payment paid", "deliver delivery delivered",
        "renew renewal renewed", "decide decision decided", "own owner owned",
        "require requirement required", "restore restoration", "replace replacement replaced",
        "retain retention retained", "keep kept", "hold held", "send sent", "begin began begun",
        "find found", "buy bought", "sell sold", "take took taken", "give gave given", "lead led",
    )
    for word in group.split()
}  # fmt: skip
_ENDINGS = ("ies", "es", "s", "ed", "ing", "e", "en", "n", "em")
_SEGMENT = re.compile(r"[;,:\n]|(?<=\D)\.\s|\s(?:and|but|while|und|aber|wahrend|et|mais|tandis)\s")


@lru_cache(maxsize=4_000)
def tokens(text: str) -> tuple[str, ...]:
    """Folded words and numbers in order, each in its plainest form; `1,000` is `1000`."""
    return tuple(_form(token) for token in _written(text))


@lru_cache(maxsize=4_000)
def _written(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(fold(text.replace("'", "").replace("’", ""))))


@lru_cache(maxsize=20_000)
def _form(token: str) -> str:
    if token[0].isdigit():
        return re.sub(r"[., ](?=\d{3}\b)", "", token)
    if token in _SMALL or token in _NOT or token in _CONDITIONS or token in _LIMITS:
        return token
    if token in _SAME or token in _SIGNS:
        return _SAME.get(token) or _SIGNS[token]
    shorter = [  # no `er`: employer and employee are two
        token[: -len(ending)]
        for ending in _ENDINGS
        if token.endswith(ending) and len(token) - len(ending) >= 4
    ]
    for short in shorter:
        if short in _SAME or short in _SIGNS:
            return _SAME.get(short) or _SIGNS[short]
    return shorter[0].removesuffix("e") if shorter else token


def content(text: str) -> frozenset[str]:
    """Every word that tells something, and every number."""
    return frozenset(t for t in tokens(text) if (t not in _SMALL and len(t) > 1) or t.isdigit())


def repeated(sentence: str, quote: str) -> bool:
    """A word that is said more often than there: it has taken another one's place."""
    there = Counter(tokens(quote))
    return any(n > there[word] > 0 for word, n in Counter(content_list(sentence)).items())


def content_list(text: str) -> list[str]:
    telling = content(text)
    return [token for token in tokens(text) if token in telling]


def is_clause(text: str) -> bool:
    """It has a subject and says something of it."""
    return len(content(text)) >= 3


def shared(sentence: str, quote: str) -> float:
    said = content(sentence)
    return len(said & content(quote)) / len(said) if said else 0.0


def measures(text: str) -> frozenset[tuple[str, str, str]]:
    """(limit, number, unit) of every number: `up to 15 minutes` is neither `15 minutes` nor `up to
    15 hours`."""
    words = tokens(text)
    found = set()
    for at, word in enumerate(words):
        if not (word[0].isdigit() or word in _NUMBER_WORDS):
            continue
        after = [w for w in words[at + 1 : at + 3] if w in _UNITS]
        before = [w for w in words[max(0, at - 1) : at] if w in _UNITS]
        limits = " ".join(w for w in words[max(0, at - 3) : at] if w in _LIMITS)
        found.add((limits, word, " ".join(after or before)))
    return frozenset(found)


def denies(text: str) -> int:
    """How many times: twice is not once."""
    return sum(1 for token in tokens(text) if token in _NOT)


def conditions(text: str) -> frozenset[str]:
    return frozenset(tokens(text)) & _CONDITIONS


def swapped(sentence: str, quote: str) -> bool:
    """`Jonas reports to Marta` of `Marta reports to Jonas`: two things have changed places around
    the same word."""
    said, there = tokens(sentence), tokens(quote)
    once = [w for w, n in Counter(said).items() if n == 1 and there.count(w) == 1]
    names = _names(quote)
    if any(a in names and b in names and (b, a) in pairwise(there) for a, b in pairwise(said)):
        return True
    things = sorted((w for w in once if w in content(sentence)), key=said.index)
    return any(
        there.index(a) > there.index(b)
        and _pivots(sentence, said.index(a), said.index(b))
        & _pivots(quote, there.index(b), there.index(a))
        for a, b in combinations(things, 2)
    )


def _pivots(text: str, start: int, end: int) -> set[str]:
    """As they are written: `approves` and `approval of` turn a sentence round and keep its
    sense."""
    between = _written(text)[start + 1 : end]
    return {w for w in between if w in _DIRECTED or w not in _SMALL}


def crossed(sentence: str, quote: str) -> bool:
    """`165 EUR in London` of `165 EUR, in London 230 EUR`: a number or name of one clause with a
    word of another that has its own."""
    segments = [content(part) for part in _SEGMENT.split(_joined(quote)) if part.strip()]
    said = content(sentence)
    return any(
        _is_crossed(said, segments[mine], segments[other], anchors)
        for anchors in (_numbers(quote), _names(quote))
        for mine, other in permutations(range(len(segments)), 2)
    )


def _is_crossed(
    said: frozenset[str], mine: frozenset[str], other: frozenset[str], anchors: frozenset[str]
) -> bool:
    theirs = anchors & other - mine
    own = said & anchors & mine - other
    return bool(own and theirs and said & other - mine) and not said & theirs


def _joined(text: str) -> str:
    """Kept as written: a number's own commas are no ends of clauses."""
    return re.sub(r"(?<=\d)[.,:](?=\d)", "", text)


def _numbers(text: str) -> frozenset[str]:
    return frozenset(t for t in tokens(text) if t[0].isdigit() or t in _NUMBER_WORDS)


def _names(text: str) -> frozenset[str]:
    """Words that are written with a capital letter."""
    found = re.findall(r"\b[A-ZÄÖÜÉ][^\W\d_]+", text)
    return frozenset(t for name in found for t in tokens(name)) - _UNITS - _SMALL
