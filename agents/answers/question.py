"""What a question asks for: its key terms by weight, its codes and names, the kind of answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.answers import languages
from agents.answers.focus import attribute
from agents.answers.words import CODE, NUMBER, WORD, codes, joined, stem
from vectorstore.words import STOP, fold

_DATE_WORD = re.compile(
    r"^(?:(?:19|20)\d\d|january|february|march|april|may|june|july|august|september|october|"
    r"november|december)$"
)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w&'’-]+")
_VERSION = re.compile(r"(?<!^)(?<![.!?:] )\b([A-Z][\w.]*\w) v?(\d+(?:\.\d+)*)\b(?!\s?[%€$:])")
# Words that say little about what is asked for.
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
        way ways were what whether work would yes
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

    @property
    def rest(self) -> dict[str, float]:
        """The terms that are not codes or names: what is asked about them."""
        named = {stem(part) for name in self.names for part in re.split(r"[-\s]", name)}
        return {t: w for t, w in self.terms.items() if t not in self.codes and t not in named}


def asked(text: str, own_names: frozenset[str] = frozenset()) -> Asked:
    """`own_names` (the tenant's name, folded) say nothing about what is asked for."""
    plain = " ".join(text.split())
    foreign = languages.language(plain)
    small = languages.SMALL[foreign] if foreign else STOP
    wants = languages.wants(fold(plain)) if foreign else _wants(fold(plain))
    found_codes = codes(plain)
    code_parts = {p for c in CODE.findall(plain) for p in re.split(r"[-_.]", fold(c))}
    names = {fold(n).removesuffix("'s").removesuffix("’s") for n in _NAME.findall(plain)}
    names = {
        n
        for n in names
        if n not in STOP and n not in small and n not in own_names and joined(n) not in found_codes
    }
    if sum(1 for word in plain.split() if word[:1].isupper()) > len(plain.split()) * 0.6:
        names = set()  # A Question In Title Case names nothing by its capitals
    if foreign == "de":
        names = set()  # every noun has a capital
    terms = dict.fromkeys(found_codes, 2.0)
    for word in WORD.findall(fold(plain)):
        bare = word.split("'")[0].split("’")[0]
        if bare in (small if foreign else STOP) or bare in own_names or bare in code_parts:
            continue
        if len(bare) < 2 and not bare.isdigit():
            continue
        says_little = bare in _GENERIC or bare in _KIND_WORDS.get(wants, ())
        weight = 0.25 if says_little else 1.5 if bare in names else 1.0
        if _DATE_WORD.match(bare):
            weight = 0.4  # a date narrows down, it is not what is asked about
        terms[stem(bare)] = max(weight, terms.get(stem(bare), 0.0))
    numbers = frozenset(
        n for n in NUMBER.findall(plain) if not any(n in part for part in code_parts)
    )
    return Asked(
        plain, terms, found_codes, numbers, frozenset(names), wants, _intents(fold(plain)),
        _counted(fold(plain)) if wants == "number" else frozenset(),
        frozenset() if foreign else attribute(plain), _versions(plain),
    )  # fmt: skip


def _counted(text: str) -> frozenset[str]:
    """Of "how many days of vacation do …": days, vacation."""
    found = re.search(r"\bhow (?:many|much) ((?!of )[a-z]+)(?: (?:of )?([a-z]+))?", text)
    words = (word for word in (found.groups() if found else ()) if word and word not in STOP)
    return frozenset(stem(word) for word in words if word not in ("must", "may", "times"))


def _versions(text: str) -> frozenset[tuple[str, str]]:
    found = ((fold(m[1]), m[2]) for m in _VERSION.finditer(text))
    return frozenset(pair for pair in found if not _DATE_WORD.match(pair[0]))


# In this order: "how long does the procedure take" wants a duration.
_WANTS = {
    "duration": r"\bhow (?:long|soon|quickly|fast|old)\b|\bwithin what\b",
    "money": r"\bhow much (?:money|does|do|did|is|was|were|will|would)\b|"
    r"\bwhat (?:is|was|are|were|does) .{0,60}\b(?:cost|costs|price|fee|budget|salary)\b",
    "number": r"\bhow (?:many|much|often|large|big|high|full|far)\b|"
    r"\bwhat (?:percentage|percent|amount|number of|share|size)\b",
    "phone": r"\bphone number\b|\btelephone\b",
    "email": r"\be-?mail address\b",
    "when": r"\bwhen (?:is|was|are|were|did|does|do|will|must|should)\b|"
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


def _intents(text: str) -> frozenset[str]:
    return frozenset(stem(name) for name, sign in _INTENTS.items() if re.search(sign, text))


# Words that only say what kind of answer is wanted.
_KIND_WORDS = {
    "duration": ("last", "lasts", "take", "takes", "time", "wait", "fast", "soon", "quickly"),
    "when": ("date", "time", "day", "days", "weekday", "weekdays", "year", "month"),
    "who": ("person", "team", "role", "people"),
    "money": ("money", "amount"),
    "number": ("percentage", "percent", "share", "amount", "size", "times", "far", "ahead"),
}


def _wants(text: str) -> str:
    return next((kind for kind, sign in _WANTS.items() if re.search(sign, text)), "text")


_NUMBER_WORD = (
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|once|twice|"
    r"half|dozen|hundred|no|none|zero|daily|weekly|hourly|nightly|monthly|every)\b"
)
_TIME_WORD = (
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:january|february|march|april|may|june|july|"
    r"august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b|"
    r"\b(?:daily|weekly|hourly|nightly|monthly|quarterly|every|midnight|noon|today|tomorrow|"
    r"yesterday|quarter|week|before|after|when|once|during|as soon|immediately|until)\b"
)

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"\b\d{{4}}-\d\d-\d\d\S*|\b\d{{1,2}}\.? {_MONTH}(?: \d{{4}})?\b|"
    rf"\b{_MONTH} \d{{1,2}}\b(?:,? \d{{4}})?"
)
_MONEY = re.compile(
    r"(?:eur|usd|gbp|chf|[€$£])\s?\d|\d\s?(?:eur|usd|gbp|chf|[€$£]|euros?|dollars?)\b"
)


_COUNT = re.compile(
    r"(?<![\d:.,])(?:\d[\d.,]*(?!:)|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|"
    r"fifteen|twenty|thirty|sixty|hundred))((?:[ -]+\w+){1,3})|((?:\w+ ){0,2}\w+): *\d"
)


def counts_well(asked: Asked, text: str) -> bool:
    """A number with all of what is counted: `20 days of vacation`, not `27 days at a time`."""
    return bool(asked.counted) and any(asked.counted <= set(after) for after in _after_counts(text))


def _after_counts(text: str) -> list[list[str]]:
    counts = (m[1] or m[2] for m in _COUNT.finditer(_DATE.sub(" ", fold(text))))
    return [[stem(word) for word in WORD.findall(after)] for after in counts]


def answers_well(asked: Asked, text: str) -> bool:
    """Whether a text has just what was asked for: the counted thing, money, a date."""
    low = fold(text)
    if asked.counted:
        return counts_well(asked, text) or any(
            after and after[0] in asked.counted for after in _after_counts(text)
        )
    if asked.wants == "money":
        return bool(_MONEY.search(low))
    if asked.wants == "when":
        return bool(_DATE.search(low) or re.search(r"\d\d:\d\d", low))
    return asked.wants not in ("text", "steps", "who") and fits(asked.wants, text)


def fits(wants: str, text: str) -> bool:
    """Whether a text can be an answer of that kind at all."""
    low = fold(text)
    match wants:
        case "money":
            return bool(re.search(r"\d", _DATE.sub(" ", low)))
        case "number" | "duration":
            low = _DATE.sub(" ", low)
            return bool(re.search(rf"\d|{_NUMBER_WORD}|{languages.NUMBERS}", low))
        case "when":
            return bool(re.search(rf"\d|{_TIME_WORD}|{languages.TIMES}", low))
        case "phone":
            return bool(re.search(r"\+?\d[\d ()/-]{5,}\d", low))
        case "email":
            return bool(re.search(r"\S@\S+\.\S", low))
    return True
