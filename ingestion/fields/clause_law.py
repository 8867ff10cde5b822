"""Whose law governs a contract; not under whose law its parties were founded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.fields.clause import THIS, words
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.prose import sentences
from ingestion.fields.reading import Candidate

_PLACE = (
    r"(?-i:[A-Z][\w’'\-]*(?:\.(?=\s?[A-Z]))?(?:(?:,? (?:and |of |of the |the )?)"
    r"(?!The|This|Section|Article|Any|Each|If|In\b)[A-Z][\w’'\-]*){0,4})"
)
_GOVERNED = words(
    r"(?:govern\w*|constru\w*|interpret\w*|enforce\w*|accordance|subject|pursuant)\b[^.;]{0,200}?"
    r"\b(?:internal |substantive )?(?:laws?|statutes)\W+(?:in force |applicable |as applied )*"
    r"(?:of|in) (?:the )?"
    r"(?:(?:state|commonwealth|province|republic|kingdom|federal republic|country|territory)"
    rf" of )?(?:the )?(?P<place>{_PLACE})"
)
_BY_NAME = words(
    rf"governed(?: by)?[^.;]{{0,60}}? by (?:the )?(?P<place>{_PLACE})(?-i: [Ll]aws?\b)"
)
_FOUNDED = words(
    r"\b(?:organi[sz]ed|existing|incorporated|formed|registered|standing|arising|validity"
    r"|corporation|chartered)\b[^.;]{0,50}$"
)
_NO_PLACE = re.compile(
    r"^(?:Section|Article|Clause|Subsection|Applicable|Federal|Such|This|Agreement|Law|Laws|Any|All"
    r"|The|State|Party|Seller|Buyer|Licensor|Schedule|Exhibit|Treasury|Conflict)\b"
)


_OF_DEED = words(THIS + r"|\bhereof\b|\bhereunder\b")
_SPEAKS = re.compile(r"govern|constru|interpret|enforc", re.IGNORECASE)


def law(sheet: Sheet) -> Iterator[Candidate]:
    """The countries and states whose law a sentence puts the contract under."""
    for segment, row in sentences(sheet):
        if re.search(r"\blaws?\b", segment.text, re.IGNORECASE) and _SPEAKS.search(segment.text):
            yield from _named(segment, row)


def _named(segment: Segment, row: int) -> Iterator[Candidate]:
    text = segment.text
    of_deed = bool(_OF_DEED.search(text))
    for pattern in (_GOVERNED, _BY_NAME):
        for match in pattern.finditer(text):
            at = text.lower().rfind("law", 0, match.start("place"))
            founded = pattern is _GOVERNED and _FOUNDED.search(text[max(0, at - 60) : max(at, 0)])
            place = " ".join(match["place"].split())
            if founded or _NO_PLACE.match(place):
                continue
            governed = bool(re.search(r"govern|constru", match[0], re.IGNORECASE))
            sure = 0.66 + 0.12 * governed + 0.14 * of_deed
            yield Candidate(place, sure, segment, *match.span("place"), row)
