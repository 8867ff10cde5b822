"""Little words by which a question leans on the one before, in five languages."""

from __future__ import annotations

import re

# "and …", "und was ist mit …", "et pour …", "¿y …", "en hoe zit het met …": group `rest` follows.
LEAD = re.compile(
    r"[¿\s]*(?:(?:ok(?:ay)?|so|then|dann|alors|also),?\s+)?"
    r"(?:(?:and|und|et|y|e|en)\b,?(?:\s+also\b)?\s*|(?=what about|how about|was ist mit|"
    r"wie (?:sieht|steht|ist) es|qu['’]en est|qu[eé] (?:hay|pasa)|hoe (?:zit|is) het))"
    r"(?:(?:what|how) about\s+|(?:was ist|wie (?:ist|sieht|steht) es)(?: denn)?(?: aus)? "
    r"(?:mit|bei)\s+|"
    r"qu['’]en est-il (?:de |du |des |d['’])?|qu[eé] (?:hay|pasa) (?:de|con)\s+|"
    r"hoe (?:zit|is) het met\s+)?(?P<rest>\S.*)",
    re.IGNORECASE | re.DOTALL,
)  # fmt: skip
# "And how many in 2024?": what is asked was said before, only the rest is new.
ASKS_AGAIN = re.compile(
    r"(?:how (?:many|much|long|high|often)|when|where|who|wie (?:viele?|hoch|lange|oft)|wann|wo|"
    r"wer|combien|quand|où|qui|cuánt[oa]s?|cuándo|dónde|quién|hoe(?:veel| lang| hoog)|"
    r"wanneer|waar)\s+(?=\w+\s)",
    re.IGNORECASE,
)  # fmt: skip

PREPOSITION = re.compile(
    r"\b(?:in|at|on|for|of|from|to|by|with|during|under|since|before|after|im|am|an|bei|beim|für|von|vom|"
    r"aus|nach|zu|zum|zur|auf|mit|seit|vor|unter|à|au|aux|dans|de|du|des|pour|chez|avec|depuis|"
    r"para|por|con|desde|del|al|en|bij|voor|van|naar|op|met|sinds)\b",
    re.IGNORECASE,
)  # fmt: skip
ARTICLE = re.compile(
    r"\b(?:the|my|our|your|der|die|das|den|dem|des|mein|meine|unser|unsere|le|la|les|mon|ma|notre|"
    r"el|los|las|mi|nuestr[oa]|de|het|mijn|onze?)\s+(?=\w)|\bl['’](?=\w)",
    re.IGNORECASE,
)  # fmt: skip
# A phrase ends where one of these begins.
VERBS = frozenset(
    re.findall(
        r"\w+",
        """is are was were does do did can could must should may has have had will would cost costs
    take takes need needs
    ist sind war waren hat haben hatte kann können muss müssen darf dürfen gilt gelten wird werden
    beträgt betragen beginnt läuft verfällt est sont était sera faut doit peut ont es son fue era
    tiene debe puede hay zijn heeft hebben moet mag wordt""",
    )
)
ASKING = frozenset(
    re.findall(
        r"\w+",
        """how what when where which who whom whose why wie was wann wo wer wen wem warum wieso
    weshalb welche welcher welches welchen wieviel combien quand qui quel quelle quels quelles
    pourquoi
    comment où que qué cuál cuánto cuánta cuántos cuántas cuándo dónde quién quiénes cómo wat
    wanneer waar waarom hoe hoeveel welk""",
    )
)
MONTH = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|"
    r"août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|"
    r"septiembre|octubre|noviembre|diciembre|januari|februari|maart|mei|augustus)\b",
    re.IGNORECASE,
)  # fmt: skip
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
NUMBERED = re.compile(r"\b([^\W\d_]+)\s+(\d{1,3})\b(?!\s*[%€$£])")
# Capitalised words one after another: a name, but in German, where every noun is written so.
NAME = re.compile(r"\b[A-ZÄÖÜÉ][\w&'’-]*(?: [A-ZÄÖÜÉ0-9][\w&'’-]*)*")

# Words that stand for a thing: "it" but not of "how long does it take to", "there" but not of
# "there are".
THING = re.compile(
    r"\b(?:it(?!['’]s\b)(?! takes?\b)|them|they)\b|"
    r"(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were|will)\b)",
    re.IGNORECASE,
)
ITS = re.compile(r"\bits\b|\btheir\b", re.IGNORECASE)
# The same for persons, for what was said, and in other languages: no thing can be put in their
# place.
VAGUE = re.compile(
    r"\b(?:he|she|him|his|her|dort|dafür|davon|daran|darin|dazu|dessen|deren|là-bas|celui-ci|"
    r"celle-ci|allí|ahí|ello|daar|ervan|ervoor|(?:that|this|these|those)(?: \w+)?(?=\s*\?*$))",
    re.IGNORECASE,
)
OF = {"de": "bei", "fr": "de", "es": "de", "nl": "van"}
