"""Durations, periods, counts, telephone numbers and the like: values that show by their form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ingestion.fields.context import Context
from ingestion.fields.dates import MONTHS, find_dates
from ingestion.fields.numbers import plain
from ingestion.fields.reading import (
    READERS,
    Candidate,
    Reader,
    Zone,
    amounts_in,
    read_amount,
    read_date,
    read_id,
    read_party,
    read_text,
)

_COUNT = (
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|eighteen|twenty-four"
    r"|thirty|sixty|ninety|eine[rmns]?|ein|zwei|drei|vier|fünf|sechs|sieben|acht|zehn|zwölf"
    r"|dreißig|une?|deux|trois|quatre|cinq|sept|huit|dix|douze|trente|een|één|twee|drie|vijf"
    r"|zes|zeven|tien|twaalf|dertig|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|diez|doce"
    r"|treinta)"
)
_UNIT = (
    r"(?:(?:calendar |business |working |full )?(?:days?|weeks?|months?|quarters?|years?)"
    r"|(?:kalender|werk|arbeits)?tage?n?|wochen?|(?:kalender)?monate?n?s?|quartale?n?|jahre?n?s?"
    r"|jours?(?: ouvrés| ouvrables| calendaires| francs)?|semaines?|mois|ans?|années?"
    r"|(?:werk)?dagen|dag|weken|week|maanden|maand|kwartaal|jaar|jaren"
    r"|días?(?: hábiles| naturales)?|semanas?|mes(?:es)?|años?)"
)
DURATION = re.compile(
    rf"(?<!\w){_COUNT}(?:[\s-]*\(\s?{_COUNT}\s?\))?[\s-]{{1,3}}{_UNIT}(?!\w)", re.IGNORECASE
)
_TO_THE_END = re.compile(
    r"\s+(?:zum\s+(?:monats|quartals|jahres|vertrags|halbjahres)?ende(?:\s+(?:eines|des|der)"
    r"\s+\w+)?|to the end of (?:a|the|any) (?:calendar )?(?:month|quarter|year)"
    r"|before the end of the (?:term|month|quarter|year)|tegen het einde van de (?:maand|termijn))",
    re.IGNORECASE,
)
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_PERIOD = re.compile(
    rf"\b(?:{_MONTH})\.?(?:\s+de)?[\s/.-]+(?:20|19)\d\d\b|\b(?:0?[1-9]|1[0-2])[/.-](?:20|19)\d\d\b"
    rf"|\b(?:20|19)\d\d[-/](?:0[1-9]|1[0-2])\b|\bQ[1-4][\s/-]+(?:20)?\d\d\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"(?<![\w.,])\d[\d.,  ]*\s?(?:kg|g|t|lbs?|oz|l|ml|m²|m2|m³|m3|m|cm|mm|km|kwh|hours?|hrs?"
    r"|stunden|std\.?|heures|uren|horas|pcs|stk\.?|stück)(?!\w)",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w,.])\+?\(?\d[\d\s/().\-–]{5,22}\d(?![\w,])")
_EMAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]+(?:\.[\w\-]+)+")
_URL = re.compile(r"(?:https?://|www\.)[\w\-./~%?=&#]+|\b[\w\-]+(?:\.[\w\-]+)*\.[a-z]{2,6}\b", re.I)
_YES = re.compile(
    r"(?P<yes>yes|true|ja|wahr|oui|vrai|sí|si|verdadero|x|☒|☑|✓|✔)|(?P<no>no|false|nein|falsch|non"
    r"|faux|nee|☐|none|keine?|aucune?|geen|ninguna?)",
    re.IGNORECASE,
)


def _matched(match: re.Match[str], zone: Zone, *, end: int | None = None) -> Candidate:
    stop = match.end() if end is None else end
    value = " ".join(zone.text[match.start() : stop].split()).strip(" -")
    at = zone.start
    return Candidate(value, zone.trust, zone.segment, at + match.start(), at + stop, zone.row)


def read_duration(zone: Zone, context: Context) -> Candidate | None:
    """`3 Monate zum Quartalsende`, `thirty (30) days`, as it stands."""
    match = DURATION.search(zone.text)
    if match is None or match.start() > 40:
        return None
    more = _TO_THE_END.match(zone.text, match.end())
    return _matched(match, zone, end=more.end() if more else None)


def read_period(zone: Zone, context: Context) -> Candidate | None:
    """`March 2026`, or the stretch from one date to another, as it stands."""
    dates = find_dates(zone.text)
    if len(dates) >= 2:
        start, end = zone.start + dates[0].start, zone.start + dates[1].end
        value = " ".join(zone.segment.text[start:end].split())
        return Candidate(value, zone.trust, zone.segment, start, end, zone.row)
    match = _PERIOD.search(zone.text)
    return _matched(match, zone) if match and match.start() < 30 else None


def read_number(zone: Zone, context: Context) -> Candidate | None:
    """The first number, without a currency's two decimals where it has none."""
    found = amounts_in(zone, context)
    if not found or found[0].start > 24:
        return None
    first, at = found[0], zone.start
    value = plain(first.value, 0)
    return Candidate(
        value, zone.trust, zone.segment, at + first.start, at + first.end, zone.row, first.value
    )


def read_yes(zone: Zone, context: Context) -> Candidate | None:
    match = re.search(r"[^\s:.,;()\[\]]+", zone.text)
    told = _YES.fullmatch(match[0]) if match else None
    if match is None or told is None:
        return None
    return replace(_matched(match, zone), value="true" if told["yes"] else "false")


def _by(pattern: re.Pattern[str], within: int = 30) -> Reader:
    def read(zone: Zone, context: Context) -> Candidate | None:
        match = pattern.search(zone.text)
        return _matched(match, zone) if match and match.start() <= within else None

    return read


def read_sum(zone: Zone, context: Context) -> Candidate | None:
    """One amount; the first of several, since a sentence names its own first."""
    whole = read_amount(zone, context)
    found = [a for a in amounts_in(zone, context) if not a.percent]
    if whole is None or len(found) < 2 or whole.segment.cell:
        return whole
    first, at = next((a for a in found if a.decimals == 2 or a.currency), found[0]), zone.start
    return replace(
        whole, value=plain(first.value), number=first.value, currency=first.currency,
        start=at + first.start, end=at + first.end,
    )  # fmt: skip


READ: Mapping[str, Reader] = {
    **{str(kind): read for kind, read in READERS.items()},
    "duration": read_duration, "period": read_period, "number": read_number,
    "quantity": _by(_QUANTITY), "phone": _by(_PHONE), "email": _by(_EMAIL), "url": _by(_URL),
    "boolean": read_yes, "date": read_date, "id": read_id, "text": read_text, "party": read_party,
    "amount": read_sum,
}  # fmt: skip
# Kinds whose value shows by its form, so that a sentence may hold it.
TYPED = frozenset({"date", "duration", "amount", "percent", "number", "period", "quantity"})
