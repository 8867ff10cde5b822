"""The two sides of a contract, as its first sentence names them."""

from __future__ import annotations

import re

from ingestion.fields.concepts import is_label
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.reading import Candidate

_BETWEEN = re.compile(
    r"(?<!\w)(?:(?:made |entered into )?(?:by and )?between|by and among|zwischen|entre|tussen"
    r"|les soussignés|ondergetekenden|de una parte|reunidos)(?!\w)\s*:?",
    re.IGNORECASE,
)
_AND = re.compile(
    r"[\s,;(–-](?:and|und|et|en|y|and between|de otra parte|enerzijds en|d'autre part)\s*[:,]?\s+",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"[\s,:;.•\-–(]*(?:(?:\(?[1-2a-b][.)]\s*)|(?:(?-i:der|die|the|dem|la|le|de|el)|firma|société"
    r"|company|sociedad|empresa|herrn?|frau|mr\.?|mrs\.?|ms\.?|d\.|dña\.?|de heer|mevrouw|m\.|mme"
    r"|de una parte|enerzijds|d'une part)\b\.?[\s,]+)*",
    re.IGNORECASE,
)
_FORM = r"(?:Inc|Ltd|LLC|L\.L\.C|Corp|Co|S\.L|S\.A|S\.A\.S|B\.V|N\.V|GmbH|L\.P|LP|PLC|plc|SARL|SAS)"
_NAME = re.compile(
    rf"(?P<name>[^\W_][^,;:\n(\"“„«]{{1,90}}(?:\((?-i:[A-Z][a-z]+)\) (?-i:[A-Z])"
    rf"[^,;:\n(\"“„«]{{2,60}})?"
    rf"(?:,\s?{_FORM}\b\.?(?:,? {_FORM}\b\.?)?)?)",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"\s+(?:with (?:its|offices)|whose|an? (?:[\w\-]+ ){0,4}(?:company|corporation|partnership"
    r"|association|organi[sz]ation|trust|bank|individual|charity|limited)|having|located"
    r"|residing|domiciled"
    r"|vertreten|mit sitz|wohnhaft|représentée?|dont le|ayant|demeurant|immatriculée|gevestigd"
    r"|wonende|vertegenwoordigd|kantoorhoudende|con (?:domicilio|sede|cif|nif)|representad[oa]"
    r"|mayor de|hereinafter|nachfolgend|ci-après|hierna|en adelante|als|is made|effective|wird"
    r"|werden"
    r"|geschlossen|gesloten|is|est|se|ha|concluded|conclu|shall|agree|on behalf"
    r"|of \d+|collectively|referred)\b|(?<!\b[A-Z])\.(?=\s)|\.$",
    re.IGNORECASE,
)
_FIRM = re.compile(rf"(?:\.com|,? {_FORM})\b\.?|^\d\w*[A-Z]", re.IGNORECASE)
_NO_NAME = re.compile(
    r"(?:WHEREAS|NOW|the|parties?|each|both|us|you|it|them|one|either|any|such|this|that)\b"
    r"(?! [A-Z])"
    r"|parties to\b|wholly\b|.*\b(?:agreement|contract|conditions|accepts?|appoint\w*|subsidiary)\b"
    r"|(?:buyer|seller|the company|customer|licensor|licensee)$",
    re.IGNORECASE,
)
_TOP = 9000  # characters in which a contract names its parties
_REACH = 1200  # characters between the first side and the second


def sides(sheet: Sheet) -> list[Candidate]:
    """None, one or both of the parties, in the order in which the contract names them."""
    pages = {id(row[0].page): (number, row[0].page) for number, row in reversed(
        list(enumerate(sheet.rows))
    )}  # fmt: skip
    left = _TOP
    for number, page in reversed(pages.values()):
        top, left = max(left, 0), left - len(page.text)
        for match in _BETWEEN.finditer(page.text[:top]):
            window = Segment(
                page, page.text[match.end() : match.end() + _REACH], match.end(), 0, 0, 0
            )
            found = _pair(window, number)
            if len(found) == 2:
                return found
    return []


def _pair(window: Segment, row: int) -> list[Candidate]:
    first = _name(window, 0, row)
    if first is None:
        return []
    for joint in _AND.finditer(window.text, first.end):
        second = _name(window, joint.end(), row)
        if second and second.value.lower() != first.value.lower():
            return [first, second]
    return []


def _name(window: Segment, at: int, row: int) -> Candidate | None:
    lead = _LEAD.match(window.text, at)
    start = lead.end() if lead else at
    match = _NAME.match(window.text, start)
    if match is None:
        return None
    text = match["name"]
    stop = _STOP.search(text)
    text = (text[: stop.start()] if stop else text).strip(" .-–")
    joint = _AND.search(text)
    text = text[: joint.start()].rstrip() if joint else text
    words = text.split()
    if is_label(text) or not words or _NO_NAME.match(text):
        return None
    named = words[0][:1].isupper() or _FIRM.search(text)
    if not named or len(words) > 9 or len(text) < 3:
        return None
    value = " ".join(words)
    return Candidate(value, 0.86, window, start, start + len(text), row)
