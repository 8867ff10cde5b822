"""Any other field by its name: `delivery_date` is looked up as the label "delivery date"."""

from __future__ import annotations

import re

from ingestion.fields.context import Context
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.reading import Candidate, Zone, read_amount, read_date, read_text

_GAP = r"[\s_.-]*"
_DATE = re.compile(r"date|datum|fecha|deadline|_on$|_at$", re.IGNORECASE)
_AMOUNT = re.compile(
    r"amount|price|fee|cost|total|betrag|montant|importe|bedrag|discount|shipping|freight",
    re.IGNORECASE,
)


def lookup(name: str, sheet: Sheet, context: Context) -> Candidate | None:
    """The value right of or below a label that reads like `name`; None when there is none."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [re.escape(word) for word in re.split(r"[\s_\-]+", spaced.strip()) if word]
    if not words:
        return None
    pattern = re.compile(
        rf"(?<!\w)(?:{_GAP.join(words)})(?!\w)\s*(?:no\.?|nr\.?|#|number)?\s*(?P<colon>[:=])?",
        re.IGNORECASE,
    )
    for number, row in enumerate(sheet.rows):
        for place, segment in enumerate(row):
            match = pattern.search(segment.text)
            if match and not re.search(r"\w", segment.text[: match.start()]):
                value = _value(name, sheet, number, place, match, context)
                if value:
                    return value
    return None


def _value(
    name: str, sheet: Sheet, number: int, place: int, match: re.Match[str], context: Context
) -> Candidate | None:
    row = sheet.rows[number]
    segment = row[place]
    rest = segment.text[match.end() :]
    zones = []
    if re.search(r"\w", rest):
        zones = [Zone(segment, match.end(), len(segment.text), 0.85, number)]
        if not match["colon"] and not _typed(name):
            return None
    else:
        zones = [_zone(other, number, 0.85) for other in row[place + 1 : place + 2]]
        zones += [_zone(other, number, 0.7) for other in list(sheet.below(number, segment))[:1]]
    read = read_date if _DATE.search(name) else read_amount if _AMOUNT.search(name) else read_text
    for zone in zones:
        if zone.segment is not segment and zone.segment.first and zone.segment.first.colon:
            continue
        value = read(zone, context)
        if value:
            return value
    return None


def _zone(segment: Segment, number: int, trust: float) -> Zone:
    return Zone(segment, 0, len(segment.text), trust, number)


def _typed(name: str) -> bool:
    return bool(_DATE.search(name) or _AMOUNT.search(name))
