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
_NAME = re.compile(rf"(?P<name>[^\W\d_][^,;:\n(\"“„«]{{1,90}}(?:,\s?{_FORM}\b\.?)?)")
_STOP = re.compile(
    r"\s+(?:with (?:its|offices)|whose|a (?:company|corporation)|having|located|residing|domiciled"
    r"|vertreten|mit sitz|wohnhaft|représentée?|dont le|ayant|demeurant|immatriculée|gevestigd"
    r"|wonende|vertegenwoordigd|kantoorhoudende|con (?:domicilio|sede|cif|nif)|representad[oa]"
    r"|mayor de|hereinafter|nachfolgend|ci-après|hierna|en adelante|als|is made|effective|wird"
    r"|werden"
    r"|geschlossen|gesloten|is|est|se|ha|concluded|conclu|shall|agree)\b|\.(?=\s)|\.$",
    re.IGNORECASE,
)
_REACH = 700  # characters between the first side and the second


def sides(sheet: Sheet) -> list[Candidate]:
    """None, one or both of the parties, in the order in which the contract names them."""
    pages = {id(row[0].page): (number, row[0].page) for number, row in reversed(
        list(enumerate(sheet.rows))
    )}  # fmt: skip
    for number, page in reversed(pages.values()):
        for match in _BETWEEN.finditer(page.text[:6000]):
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
    if is_label(text) or not words or words[0] in ("WHEREAS", "NOW"):
        return None
    if not words[0][:1].isupper() or len(words) > 9 or len(text) < 3:
        return None
    value = " ".join(words)
    return Candidate(value, 0.66, window, start, start + len(text), row)
