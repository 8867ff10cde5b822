"""What exactly is asked of a thing: the attribute that a source has to name to answer."""

from __future__ import annotations

import re
from itertools import pairwise

from agents.answers import languages
from agents.answers.implied import QUALITIES
from agents.answers.words import WORD, stem, worded
from vectorstore.words import STOP, fold

# "What is the PASSWORD of …", "How much is the insurance DEDUCTION for …"
_OF = re.compile(
    r"\b(?:what|how much|how (?:high|large|big|low)|which|who|when) (?:is|are|was|were) "
    r"(?:(?:the|our|your|my|a|an) )?(?P<noun>[^?,;:]+?)"
    r"(?= (?:of|for|in|at|on|from|to|by|per|with|when|if|after|before|who|that|which|needed|"
    r"required|called|named|allowed|used|between|during|under|until)\b|[?,;:]|$)"
)
# "When was … RELEASED?", "How often are … ROTATED?"
_DONE = re.compile(
    r"\b(?:is|are|was|were|be|been|get) [^?]*?\b"
    r"(?P<verb>\w+ed|built|kept|held|sent|paid|sold|bought|written|hidden|stolen|broken|chosen)\s*(?:\?|$)"
)
# "What MODE must …", "Which FEE does …"
_WHICH = re.compile(
    r"^(?:what|which) (?P<noun>[\w-]+(?: [\w-]+)?) (?:must|does|do|did|should|can|will|has|have)\b"
)
# "How LOUD is …"
_HOW = re.compile(r"\bhow (?P<quality>[a-z]+) (?:is|are|was|were|can|may|must)\b")
# They say nothing alone: the name of a thing, its amount, its state.
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """name amount value default time date day total number maximum minimum limit kind type sort
        difference purpose meaning way person team role thing content list place called named
        located allowed needed required used done made given taken provided main share percentage
        percent rate people happen happened current new next first last procedure process steps
        step address point idea example rule rules unit company cause reason version release
        period duration group organization organisation institution entity member party country city
        state language agency fixed fix solved resolved changed supposed""",
    )
)
_SMALL = STOP | languages.SMALL["en"] | {"about"}
BARE = frozenset(map(stem, _WORDS))


def attribute(text: str) -> frozenset[str]:
    """Stems of the words that stand for what is asked; empty when the question names none."""
    low = fold(text)
    found: set[str] = set()
    for sign in (_OF, _WHICH):
        for match in sign.finditer(low):
            words = [w for w in WORD.findall(match["noun"]) if w not in STOP]
            if words and _tells(words[-1]):
                found.add(stem(words[-1]))
    if (how := _HOW.search(low)) and how["quality"] in QUALITIES:
        found.add(stem(how["quality"]))
    if (done := _DONE.search(low)) and _tells(done["verb"]):
        found.add(stem(done["verb"]))
    return frozenset(found)


def _tells(word: str) -> bool:
    return stem(word) not in BARE and word not in _SMALL and len(word) > 2 and not word.isdigit()


def pairs(text: str, terms: frozenset[str], language: str = "") -> frozenset[tuple[str, str]]:
    """Asked words that stand together but for small words: `days of vacation`."""
    small = languages.SMALL[language] if language else STOP
    words = [stem(word, language) for word in worded(text, language) if word not in small]
    plain = [word for word in words if not word.isdigit()]
    both = (*pairwise(words), *pairwise(plain))
    return frozenset((a, b) for a, b in both if a in terms and b in terms)
