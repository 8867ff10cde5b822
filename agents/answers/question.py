"""What a question asks for: its key terms by weight, its codes and names, the kind of answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from agents.answers import languages
from agents.answers.focus import attribute
from agents.answers.implied import QUALITIES
from agents.answers.things import things
from agents.answers.words import CODE, NUMBER, codes, joined, stem, worded
from vectorstore.words import STOP, fold

PARTS_MAX = 4
_DATE_WORD = re.compile(
    r"^(?:(?:19|20)\d\d|january|february|march|april|may|june|july|august|september|october|"
    r"november|december)$"
)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w&'’-]+")
_VERSION = re.compile(r"(?<!^)(?<![.!?:] )\b([A-Z][\w.]*\w) v?(\d+(?:\.\d+)*)\b(?!\s?[%€$:])")
# Words that say little about what is asked for.
_KIND = 0.4  # the weight of a word that only says what sort of thing has that number
_CODED = re.compile(rf"([^\W\d_]+) (?:(?:[Nn]r|[Nn]o)\. ?|n° ?|#)?({CODE.pattern})")
_OWN_THING = re.compile(r"\b(?:on|in|with|from) (?:my|your|our) ([a-z]+) ?\?")
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
        about according after all allowed also any anyone appear appears automatically be because
        become before
        being between case code codes come comes company current currently describe different do
        document documents done during each encounter error everything exactly explain find
        first full general get give given go handle happen happens has information issue it kind
        know let list long lot made main make makes many may mean means more most much must need
        needed needs new next not occur occurred occurs often one other out over per place
        please possible problem same say says see set should show some something state take
        taken takes tell there thing things through two type under up use used using want was
        way ways city country town famous former
        original originally mainly were what whether work would yes someone
        somebody anybody everybody another while instead degree degrees apply applies
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, taken apart. `terms` maps a stem to its weight."""

    text: str
    terms: dict[str, float]
    codes: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    wants: str  # number | money | when | duration | phone | email | who | steps | text
    intents: frozenset[str]  # stems of cause, fix, mean: what a label or a heading may say
    counted: frozenset[str]  # stems of the two words after "how many"
    attribute: frozenset[str] = frozenset()  # what is asked of the thing: a source must name it
    versions: frozenset[tuple[str, str]] = frozenset()  # (node.js, 30): a name and its number
    language: str = ""  # de, fr, es, nl; empty: English or unknown
    things: frozenset[str] = frozenset()  # stems of what it names beside its names
    why: bool = False  # it begins with `why`
    past: bool = False  # it asks about what has happened, not about what holds in general
    parts: tuple[Asked, ...] = ()  # of "where is it, and how often …": each question by itself

    @property
    def rest(self) -> dict[str, float]:
        """The terms that are not codes or names: what is asked about them."""
        named = {
            stem(part, self.language) for name in self.names for part in re.split(r"[-\s]", name)
        }
        return {t: w for t, w in self.terms.items() if t not in self.codes and t not in named}


_WHY = re.compile(r"^(?:why|warum|wieso|weshalb|pourquoi|por que|waarom)\b")
_PAST = re.compile(
    r"\b(?:was|were|did|had|caused|happened|went|failed|war|waren|wurde|wurden|hatte|hatten|etait|"
    r"etaient|fue|fueron|werd|werden|viel)\b|\b(?:hat|a|ont|ha|heeft)\b.*\b(?:ge\w+[td]|\w+iert|"
    r"cause|provoque|causado|provocado|veroorzaakt|verursacht)\b"
)
_AND = re.compile(
    r"[,;]?\s+(?:and|und|et|y|en)\s+(?=(?:(?:at|in|on|by|from|for|to|an|bis|ab|von|pour|à|a|de) )?"
    r"(?:how|what|when|where|who|whom|which|why|wie|was|wann|wo|wer|wen|welche\w?|warum|combien|quand|"
    r"où|qui|quel\w*|comment|pourquoi|cuánto\w?|cuándo|dónde|quién|qué|hoe\w*|wat|wanneer|waar)\b)"
    r"|(?<=\?)\s+(?=\w)",
    re.IGNORECASE,
)


def asked(text: str, own_names: frozenset[str] = frozenset()) -> Asked:
    """`own_names` (the tenant's name, folded) say nothing about what is asked for."""
    whole = _one(text, own_names)
    texts = [part for part in _AND.split(whole.text) if len(part.split()) > 2]
    if len(texts) < 2:
        return whole
    parts = [_one(part, own_names) for part in texts[:PARTS_MAX]]
    named = [replace(p, names=p.names or parts[0].names, language=whole.language) for p in parts]
    return replace(whole, parts=tuple(named))


def _one(text: str, own_names: frozenset[str]) -> Asked:
    plain = " ".join(text.split())
    low = fold(plain)
    foreign = languages.language(plain) or ""
    wants = languages.wants(low) if foreign else _wants(low)
    found_codes = codes(plain)
    code_parts = {p for c in CODE.findall(plain) for p in re.split(r"[-_.]", fold(c))}
    names = _names(plain, foreign, found_codes) - own_names
    terms = _terms(low, foreign, wants, names, own_names | code_parts)
    terms.update(dict.fromkeys(found_codes, 2.0))
    beside = _beside(plain, foreign, found_codes)
    terms.update({term: _KIND for term in beside if term in terms})
    numbers = frozenset(
        n for n in NUMBER.findall(plain) if not any(n in part for part in code_parts)
    )
    return Asked(
        plain, terms, found_codes, numbers, names, wants, _intents(low, wants),
        _counted(low, foreign) if wants == "number" else frozenset(),
        _attribute(plain, foreign), _versions(plain), foreign, things(plain, foreign) - beside,
        _WHY.search(low) is not None, _PAST.search(low) is not None,
    )  # fmt: skip


def _beside(plain: str, foreign: str, found_codes: frozenset[str]) -> frozenset[str]:
    """`ticket HD-5003`, `unsere Lieferung LS-88213`, `on my device`: what has a number goes by it,
    and where one stands oneself need not be said."""
    coded = (m[1] for m in _CODED.finditer(plain) if joined(m[2]) in found_codes)
    return frozenset(stem(fold(word), foreign) for word in (*coded, *_OWN_THING.findall(plain)))


def _names(plain: str, foreign: str, found_codes: frozenset[str]) -> frozenset[str]:
    """Capitalised words within the sentence; in German every noun is one, so none counts."""
    if foreign == "de" or sum(w[:1].isupper() for w in plain.split()) > 0.6 * len(plain.split()):
        return frozenset()
    small = languages.SMALL[foreign] if foreign else STOP
    found = {fold(n) for n in _NAME.findall(plain)}
    bare = {re.sub(r"['’]s$", "", name) for name in found}
    return frozenset(
        n for n in bare if n not in STOP and n not in small and joined(n) not in found_codes
    )


def _terms(
    low: str, foreign: str, wants: str, names: frozenset[str], said_already: frozenset[str]
) -> dict[str, float]:
    """Stem → weight of every word that tells something."""
    small = languages.SMALL[foreign] if foreign else STOP | languages.SMALL["en"]
    generic = languages.GENERIC[foreign] if foreign else _GENERIC
    kind = () if foreign else _KIND_WORDS.get(wants, ())
    terms: dict[str, float] = {}
    for word in worded(low, foreign):
        bare = word.split("'")[0].split("’")[0]
        if bare in small or bare in said_already or (len(bare) < 2 and not bare.isdigit()):
            continue
        weight = 0.25 if bare in generic or bare in kind else 1.5 if bare in names else 1.0
        if _DATE_WORD.match(bare):
            weight = 0.4  # a date narrows down, it is not what is asked about
        key = stem(bare, foreign)
        terms[key] = max(weight, terms.get(key, 0.0))
    return terms


def _attribute(plain: str, foreign: str) -> frozenset[str]:
    if not foreign:
        return attribute(plain)
    generic = languages.GENERIC[foreign] | languages.SMALL[foreign]
    nouns = languages.asked_of(fold(plain), foreign)
    told = (noun for noun in nouns if noun not in generic or noun in QUALITIES)
    return frozenset(stem(noun, foreign) for noun in told)


def _counted(text: str, foreign: str) -> frozenset[str]:
    """Of "how many days of vacation do …": days, vacation."""
    if foreign:
        noun = languages.counted(text, foreign)
        return frozenset([stem(noun, foreign)]) if noun else frozenset()
    found = re.search(r"\bhow (?:many|much) ((?!of )[a-z]+)(?: (?:of )?([a-z]+))?", text)
    words = (word for word in (found.groups() if found else ()) if word and word not in STOP)
    return frozenset(stem(word) for word in words if word not in ("must", "may", "times"))


def _versions(text: str) -> frozenset[tuple[str, str]]:
    found = ((fold(m[1]), m[2]) for m in _VERSION.finditer(text))
    return frozenset(pair for pair in found if not _DATE_WORD.match(pair[0]))


# In this order: "how long does the procedure take" wants a duration.
_WANTS = {
    "duration": r"\bhow (?:long|soon|quickly|fast|old)\b|\bwithin what\b|"
    r"\bwhat (?:is|was) (?:the |our |your |my )?(?:[\w-]+ ){0,2}(?:period|lead time|duration)\b",
    "money": r"\bhow much (?:money|does|do|did|is|was|were|will|would)\b|"
    r"\bwhat (?:is|was|are|were|does|do|did|will|would) .{0,60}"
    r"\b(?:cost|costs|price|fee|budget|salary)\b",
    "number": r"\bhow (?:many|much|often|large|big|high|full|far)\b|"
    r"\bwhat (?:percentage|percent|amount|number of|share|size)\b",
    "phone": r"\bphone number\b|\btelephone\b",
    "email": r"\be-?mail address\b",
    "where": r"^where\b|\b(?:in|at|on) (?:which|what) (?:city|country|place|town|building|room)\b",
    "when": r"\bby when\b|\bopening (?:hours|times)\b|"
    r"\bwhen (?:is|was|are|were|did|does|do|will|must|should)\b|"
    r"\b(?:what|which) (?:time|date|day|weekday)s?\b",
    "who": r"^who\b|\bwhom?\b|\bwhich (?:team|person|role)\b",
    "steps": r"\bhow (?:do|can|should|to|would|is|are|did|was|were)\b|\bsteps?\b|"
    r"\bprocedure\b|\bwhat should\b|\bwhat (?:must|should|has to) (?:be done|happen)\b|"
    r"\bwhat (?:do|must) (?:i|we|you)\b",
}

_INTENTS = {
    "cause": r"\bwhy\b|\bcauses?d?\b|\breasons?\b",
    "fix": r"\bfix|\bresolv|\bsolv|\brepair|\bremed|\bhow (?:do|can|should|to)\b|\bwhat should\b|"
    r"\bwhat (?:do|must) (?:i|we|you)\b",
    "mean": r"\bmeans?\b|\bmeaning\b|\bstands? for\b",
}


def _intents(text: str, wants: str) -> frozenset[str]:
    if wants == "why":
        return frozenset([stem("cause")])
    return frozenset(stem(name) for name, sign in _INTENTS.items() if re.search(sign, text))


# Words that only say what kind of answer is wanted.
_KIND_WORDS = {
    "duration": (
        "last",
        "lasts",
        "take",
        "takes",
        "time",
        "wait",
        "fast",
        "soon",
        "quickly",
        "period",
        "duration",
    ),
    "when": ("date", "time", "day", "days", "weekday", "weekdays", "year", "month"),
    "who": ("person", "team", "role", "people"),
    "money": ("money", "amount"),
    "phone": ("phone", "telephone", "number"),
    "email": ("email", "e", "mail", "address"),
    "number": (
        "percentage",
        "percent",
        "share",
        "amount",
        "size",
        "times",
        "far",
        "ahead",
        "high",
        "large",
        "big",
        "low",
        "full",
        "heavy",
        "tall",
        "deep",
        "wide",
    ),
}


def _wants(text: str) -> str:
    return next((kind for kind, sign in _WANTS.items() if re.search(sign, text)), "text")
