"""Reads one value where it may stand: a date, an amount, a number, a name, a rate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from ingestion.fields.context import Context
from ingestion.fields.dates import find_dates
from ingestion.fields.labels import Kind
from ingestion.fields.layout import Segment
from ingestion.fields.numbers import Amount, find_amounts, plain

_ID = re.compile(
    r"^[\s:#.\-–\"'=№,]*(?:\(\d{3}\)\s*)?(?:(?i:no|nr|n°|nº|num|number|nummer|numéro|número)\b\.?\s*[:#]?\s*)?"
    r"(?P<value>(?:[A-Z]{1,5}[ ]?[-/]?[ ]?)?[A-Za-z0-9][\w\-/.\\]*(?:[ ]?[-/][ ]?[\w\-/]+)*)"
)
# `Tax 15 % on 112.90`: that is what the tax is taken of.
_BASE = re.compile(r"\b(?:on|of|auf|aus|von|sur|over|sobre)\s*$", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:days?|jours?|tagen?|dagen|días|pcs|stk|stück|pieces|items?|hours?|std|months?|x)\b",
    re.I,
)
_ALONE = re.compile(r"[^\w]*(?:[A-Z]{3})?[\d\s.,'’€$£()\-–−]+(?:[A-Z]{3})?\W*")
_FILLER = re.compile(r"[^\W\d_]{2,}")
# Words that may stand between a label and its amount.
_SMALL_WORDS = re.compile(
    r"(?:incl|excl|inkl|exkl|including|excluding|inclusive|exclusive|vat|tax|mwst|ust"
    r"|tva|btw|iva|gst|ttc|ht|eur|usd|gbp|chf|cad|aud"
    r"|rm|myr|sgd|inr|euro|euros|on|of|auf|von|sur|de"
    r"|van|op|in|sales|net|netto|brutto|gross|amount|betrag|at|à"
    r"|the|for|und|and|zzgl|total|due|payable|rate|compris|amt|rs"
    r"|pln|sek|nok|dkk)"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be a field's: `segment.text[start:end]` is what stands on the paper."""

    value: str
    confidence: float
    segment: Segment
    start: int
    end: int
    row: int
    number: Decimal | None = None
    currency: str | None = None
    rate: str | None = None
    label: str = ""
    origin: Segment | None = None  # where the label stands


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of text where a label's value may stand."""

    segment: Segment
    start: int
    end: int
    trust: float
    row: int

    @property
    def text(self) -> str:
        return self.segment.text[self.start : self.end]


Reader = Callable[[Zone, Context], Candidate | None]


def rate_in(text: str) -> str | None:
    rates = [a for a in find_amounts(text) if a.percent and 0 <= a.value < 40]
    return plain(rates[0].value, 0) if rates else None


def read_date(zone: Zone, context: Context) -> Candidate | None:
    typed = zone.segment.cell
    if typed and typed.kind == "date" and isinstance(typed.value, str) and not zone.start:
        end = len(zone.segment.text)
        return Candidate(typed.value[:10], 0.95, zone.segment, 0, end, zone.row)
    hits = find_dates(zone.text, compact=True)
    if not hits or hits[0].start > 28:
        return None
    hit = hits[0]
    value = hit.read(context.order)
    trust = zone.trust
    if hit.other:
        trust = min(trust, 0.8) if context.order else 0.5
    at = zone.start
    return Candidate(value.isoformat(), trust, zone.segment, at + hit.start, at + hit.end, zone.row)


def amounts_in(zone: Zone, context: Context) -> list[Amount]:
    """What stands in a cell by itself, or by its place on the page, is one number."""
    placed = zone.segment.cell is not None or bool(zone.segment.page.words)
    if placed and context.spaced is None and _ALONE.fullmatch(zone.text):
        return replace(context, spaced=True).amounts(zone.text)
    found = context.amounts(zone.text)
    if placed or context.spaced is False:
        return found
    return [one for one in found if not _cut(zone, one)]


_THOUSANDS_CUT = re.compile(r"(?<![\w.,])\d{1,3}[ \u00a0]?\n[ \t]*(?=\d{3}(?![\d/:]))")


def _cut(zone: Zone, one: Amount) -> bool:
    """Whether a line ends within the number: `4` and below it `800 euros`."""
    at = zone.segment.start + zone.start
    text, start, end = zone.segment.page.text, at + one.start, at + one.end
    near = max(start - 8, 0)
    return any(
        near + cut.start() <= start < near + cut.end() + 1
        for cut in _THOUSANDS_CUT.finditer(text[near : end + 16])
    )


def read_amount(zone: Zone, context: Context) -> Candidate | None:
    typed = _typed(zone)
    if typed:
        return typed
    amounts = [a for a in amounts_in(zone, context) if not a.percent]
    amounts = [
        a for a in amounts
        if not _BASE.search(zone.text[: a.start]) and not _COUNTED.match(zone.text[a.end :])
    ]  # fmt: skip
    amounts = [a for a in amounts if a.decimals == 2 or a.currency] or amounts
    if not amounts:
        return None
    last = amounts[-1]
    gap = zone.text[: last.start]
    words = [w for w in _FILLER.findall(gap) if not _SMALL_WORDS.fullmatch(w.lower())]
    weak = last.decimals == 0 and not last.currency
    if len(words) > (0 if weak else 2):
        return None
    at = zone.start
    return Candidate(
        plain(last.value), zone.trust - (0.2 if weak else 0.0), zone.segment,
        at + last.start, at + last.end, zone.row, last.value, last.currency, rate_in(zone.text),
    )  # fmt: skip


def _typed(zone: Zone) -> Candidate | None:
    """The number that a spreadsheet keeps, whatever its cell shows."""
    cell = zone.segment.cell
    if (
        cell is None
        or not cell.address
        or zone.start
        or isinstance(cell.value, (bool, str))
        or cell.value is None
    ):
        return None
    number = Decimal(str(cell.value)).quantize(Decimal("0.0001")).normalize()
    signs = [a.currency for a in find_amounts(cell.text) if a.currency]
    currency = signs[0] if signs else None
    text = zone.segment.text
    return Candidate(plain(number), 0.95, zone.segment, 0, len(text), zone.row, number, currency)


def read_id(zone: Zone, context: Context) -> Candidate | None:
    match = _ID.match(zone.text)
    if not match:
        return None
    start, value = match.start("value"), match["value"].rstrip(".,-/_\\ ")
    if not any(c.isdigit() for c in value):
        value = value.split(" ")[0]
    if len(value) > 40 or not any(c.isdigit() for c in value) or _is_date(value):
        return None
    if re.fullmatch(r"\d+[.,]\d\d", value) or re.fullmatch(r"[a-z]{4,}\d{0,2}", value):
        return None
    at = zone.start + start
    return Candidate(value, zone.trust, zone.segment, at, at + len(value), zone.row)


def _is_date(text: str) -> bool:
    return any(hit.start == 0 and hit.end == len(text) for hit in find_dates(text))


def read_text(zone: Zone, context: Context) -> Candidate | None:
    match = re.match(r"^[\s:;#\-–\"'=|]*(?P<value>.*?)[\s,;:\"']*$", zone.text, re.DOTALL)
    value = match["value"] if match else ""
    if match is None or not re.search(r"[^\W_]{2}", value) or len(value) > 160:
        return None
    at = zone.start + match.start("value")
    shown = " ".join(value.split())
    return Candidate(shown, zone.trust - 0.05, zone.segment, at, at + len(value), zone.row)


def read_party(zone: Zone, context: Context) -> Candidate | None:
    found = read_text(zone, context)
    if found and (named := re.match(r"name\s*[:=]\s*", found.value, re.IGNORECASE)):
        skip = named.end()  # the first line of a nested object
        found = replace(found, value=found.value[skip:], start=found.start + skip)
    found = found and _name_only(found)
    if found is None or len(found.value) > 90 or not re.search(r"[^\W\d_]{2}", found.value):
        return None
    numeric = sum(c.isdigit() for c in found.value) > len(found.value) / 2
    return None if numeric or "@" in found.value else found


def _name_only(c: Candidate) -> Candidate:
    """The name out of `Name, Street 1, Town`; a comma before a company's form stays."""
    parts = c.value.split(", ")
    keep = 2 if len(parts) > 2 and len(parts[1]) <= 6 and not re.search(r"\d", parts[1]) else 1
    name = ", ".join(parts[:keep])
    if len(parts) <= keep or not re.search(r"\d", c.value) or not c.value.startswith(name):
        return c
    return replace(c, value=name, end=min(c.end, c.start + len(name)))


def read_percent(zone: Zone, context: Context) -> Candidate | None:
    rates = [a for a in amounts_in(zone, context) if a.percent or "." in zone.text]
    rates = [a for a in rates if 0 <= a.value < 40]
    if not rates:
        return None
    first, at = rates[0], zone.start
    value = plain(first.value, 0)
    return Candidate(value, zone.trust, zone.segment, at + first.start, at + first.end, zone.row)


READERS: dict[Kind, Reader] = {
    "date": read_date, "amount": read_amount, "id": read_id, "text": read_text,
    "party": read_party, "percent": read_percent, "tax_id": read_id, "iban": read_id,
}  # fmt: skip
