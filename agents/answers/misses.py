"""Near misses: a sentence about the right thing that says something of another one: another name,
number, order, direction, or its opposite."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from agents.answers import languages
from agents.answers.focus import BARE
from agents.answers.passages import Passage
from agents.answers.question import Asked
from agents.answers.scoring import resembling
from agents.answers.words import NUMBER, alike, stem, stems, worded
from vectorstore.words import STOP, fold

BEFORE_CHARS, FIRST_CHARS = 250, 150  # a paragraph names its thing where it begins
_EACH = frozenset(["each", "every", "any", "all", "another", "same"])
_HEAD_MIN, _FIRST_MIN = 5, 3  # letters of `Vertrag` and `Miet`
FORGIVEN = 5  # of so many things, one may be said in other words
_NOT = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|isnt|arent|doesnt|dont|"
    r"didnt|"
    r"wont|cant|nicht|kein\w*|nie|niemals|ohne|weder|pas|jamais|aucun\w*|sans|ni|ne|geen|niet|"
    r"nooit|"
    r"zonder|sin|nunca|ningun\w*)\b|n['’]t\b"
)
_EXCLUDES = re.compile(
    r"\b(?:except|excluding|excluded?s?|exempt\w*|only|unless|unable|prohibit\w*|forbid\w*|"
    r"forbidden|"
    r"refus\w*|reject\w*|fail\w*|lack\w*|deny|denied|prevent\w*|bann\w*|non\w*|unlawful|illegal|"
    r"impossible|ausser|ausgenommen|ausgeschlossen|verboten|untersagt|unzulassig|nur|sauf|"
    r"hormis|exclus\w*|interdit\w*|seul\w*|uniquement|behalve|excepto|solo)\b"
)
# One of each group excludes the others.
_GROUPS = [
    frozenset(group.split())
    for group in (
        "first second third fourth fifth sixth seventh eighth ninth tenth",
        "erste ersten erster zweite zweiten zweiter dritte dritten dritter vierte vierten",
        "premier premiere deuxieme second seconde troisieme quatrieme",
        "monday tuesday wednesday thursday friday saturday sunday",
        "mondays tuesdays wednesdays thursdays fridays saturdays sundays",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "montags dienstags mittwochs donnerstags freitags samstags sonntags",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "january february march april may june july august september october november december",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "north south east west northern southern eastern western",
        "minimum maximum", "minimal maximal", "mindestens hochstens", "highest lowest",
        "largest smallest", "biggest smallest", "longest shortest", "oldest newest",
        "most least", "before after", "vor nach", "avant apres", "upper lower", "inner outer",
        "internal external", "interne externe", "intern extern", "arrival departure",
        "open closed", "opens closes", "increase decrease", "increased decreased", "rise fall",
        "buyer seller", "kaufer verkaufer", "acheteur vendeur", "tenant landlord",
        "mieter vermieter", "oldest youngest",
        "locataire bailleur", "employer employee", "arbeitgeber arbeitnehmer", "lender borrower",
        "plaintiff defendant", "gross net", "brutto netto", "brut net", "input output",
        "male female", "men women", "mother father", "son daughter", "husband wife", "left right",
        "main side auxiliary spare", "front rear", "primary secondary", "inlet outlet",
        "links rechts", "vorne hinten", "gauche droite",
        "winter summer", "spring autumn", "morning evening", "day night", "part-time full-time",
        "inbound outbound", "domestic international", "inland ausland", "public private",
        "oral written", "mundlich schriftlich", "import export", "hardware software",
        "directly indirectly", "direct indirect", "paid unpaid", "legal illegal", "sick parental",
        "accepted rejected", "approved rejected", "started ended", "begins ends", "start end",
        "beginn ende", "debut fin", "won lost", "bought sold", "hired fired", "eldest youngest",
        "daily weekly monthly quarterly yearly annual", "gold silver bronze platinum",
        "red blue green yellow orange purple",
        "two three four five six seven eight nine ten eleven twelve",
        "zwei drei vier funf sechs sieben acht neun zehn elf zwolf",
        "deux trois quatre cinq six sept huit neuf dix onze douze",
    )
]  # fmt: skip
_END = re.compile(
    r"\b(?:ends?|ended|ending|expires?|expired?|endet|enden|ende|lauft .*\bab\b|"
    r"ablauf\w*|fin|finit|termine|expire\w*|"
    r"echeance|termina|finaliza|vence|eindigt|einde|afloopt|verloopt)\b"
)
_ENDS = re.compile(
    r"\b(?:end\w*|expir\w*|until|till|through|to|runs?|ran|last day|terminat\w*|bis|endet|"
    r"enden|ende|ablauf\w*|"
    r"lauft|lauf\w*|befristet|fin\w*|jusqu\w*|au|termin\w*|echeance|duree|hasta|al|venc\w*|eind\w*|tot|loopt|"
    r"verloop\w*|years?|months?|jahre?n?|monate?n?|ans?|mois|anos?|meses|jaar|maanden)\b"
)
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th|er|eme|e)\b")


def misses(asked: Asked, passage: Passage) -> bool:
    """Whether the passage speaks of something else than what is asked."""
    near = " ".join((
        _before(passage), passage.opening, passage.about, passage.scope, passage.text,
        passage.hit.filename,
    ))  # fmt: skip
    return (
        _is_no_end(asked, passage)
        or _lacks_name(asked, near)
        or _lacks_number(asked, near)
        or _lacks_thing(asked, near, passage.hit.chunk.text)
        or _is_of_another_kind(asked, near, passage.hit.chunk.text)
        or _is_opposite(asked, passage)
        or _is_other(asked, f"{passage.scope} {passage.text}")
    )


def _is_no_end(asked: Asked, passage: Passage) -> bool:
    """When something ends is not when it was agreed, nor when it begins."""
    ends = asked.wants == "when" and _END.search(fold(asked.text))
    return bool(ends and not _ENDS.search(fold(passage.plain)))


def _before(passage: Passage) -> str:
    """What its chunk says before it: `it` and `they` point there."""
    above = passage.hit.chunk.text[: max(passage.start - passage.hit.chunk.start, 0)]
    return f"{above[:FIRST_CHARS]} {above[-BEFORE_CHARS:]}"


def _lacks_name(asked: Asked, near: str) -> bool:
    words = stems(near, asked.language)
    parts = (part for name in asked.names for part in re.split(r"[-\s]", fold(name)) if part)
    return any(not _said(stem(part, asked.language), words, asked.language) for part in parts)


def _lacks_thing(asked: Asked, near: str, chunk: str) -> bool:
    """`parental leave` is not `leave`."""
    words = stems(near, asked.language)
    strong = {term for term in asked.things if asked.rest.get(term, 0.0) >= 1 and term not in BARE}
    missing = [term for term in strong if not _said(term, words, asked.language)]
    if len(missing) > len(strong) // FORGIVEN:
        return True
    elsewhere = stems(chunk, asked.language)  # it is said there, and of something else
    return any(_said(term, elsewhere, asked.language) for term in missing)


def _is_of_another_kind(asked: Asked, near: str, chunk: str) -> bool:
    """`oak plywood` is asked for and there is `birch plywood` alone; `Mietvertrag`, and it is a
    `Liefervertrag`."""
    said, there = worded(asked.text, asked.language), worded(near, asked.language)
    words = stems(f"{near} {chunk}", asked.language)
    if any(_is_other_compound(thing, words) for thing in asked.things - words):
        return True
    if asked.wants in ("text", "steps") and not asked.attribute:
        return False  # what is told of it may be told in other words
    small = languages.SMALL[asked.language or "en"] | STOP | _EACH
    for kind, thing in pairwise(said):
        one, other = _of(asked, kind), _of(asked, thing)
        if not {one, other} <= asked.things - BARE or kind in small:
            continue
        if _said(one, words, asked.language):
            continue
        before = {a for a, b in pairwise(there) if _of(asked, b) == other}
        if any(len(word) > 2 and word not in small and word.isalpha() for word in before):
            return True
    return False


def _is_other_compound(thing: str, words: frozenset[str]) -> bool:
    if any(word.endswith(thing) for word in words):
        return False
    heads = [w for w in words if len(w) >= _HEAD_MIN and thing.endswith(w) and w != thing]
    return any(
        word.endswith(head) and len(word) >= len(head) + _FIRST_MIN
        for head in heads for word in words
    )  # fmt: skip


def _of(asked: Asked, word: str) -> str:
    return stem(word, asked.language)


def _said(term: str, words: frozenset[str], language: str) -> bool:
    return (
        term in words
        or bool(alike(term, language) & words)
        or resembling(term, words, language) > 0
    )


def _lacks_number(asked: Asked, near: str) -> bool:
    """A number that the question gives (a year, a paragraph, a `18th`) stands near it too."""
    there = set(NUMBER.findall(near)) | {m[1] for m in _ORDINAL.finditer(fold(near))}
    return any(
        number not in there and _plain(number) not in map(_plain, there) for number in asked.numbers
    )


def _plain(number: str) -> str:
    return re.sub(r"[.,](?=\d{3}\b)", "", number)


def _is_opposite(asked: Asked, passage: Passage) -> bool:
    """`not` in the question and nothing like it in the sentence."""
    low = fold(passage.text)
    return bool(_NOT.search(fold(asked.text))) and not (_NOT.search(low) or _EXCLUDES.search(low))


def _is_other(asked: Asked, text: str) -> bool:
    """`second` is asked for and the sentence has `first` alone; `indirectly`, and it has
    `directly`."""
    said, there = frozenset(worded(asked.text)), _all_words(text)
    for group in _GROUPS:
        wanted = said & group
        if len(wanted) == 1 and not wanted & there and there & group:
            return True
    return any(
        word not in there and _opposite(word) & there - said for word in said if len(word) > 5
    )


@lru_cache(maxsize=2_000)
def _all_words(text: str) -> frozenset[str]:
    return frozenset(worded(text))


def _opposite(word: str) -> frozenset[str]:
    """`indirectly` and `directly`, `unpaid` and `paid`: as they may be written."""
    prefixes = ("in", "un", "non", "dis", "im", "ir", "il")
    without = {word[len(p) :] for p in prefixes if word.startswith(p) and len(word) - len(p) >= 4}
    return frozenset(without | {p + word for p in prefixes})
