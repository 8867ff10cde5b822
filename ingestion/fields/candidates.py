"""From labels to candidates: every value that may be a field's, with the label that says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingestion.fields.context import Context
from ingestion.fields.labels import KINDS, STRONG_TOTALS, Kind, Label
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import READERS, Candidate, Zone, rate_in, read_date
from ingestion.fields.zones import trusted, zones

_OF = re.compile(r"\W*(?:vom|von|dated|of|du|le|van|d\.d\.|de fecha|del|date|from|datum)\W+", re.I)
_OF_END = re.compile(r"^\W*(?:vom|von|dated|of|du|le|van|de|del|date)\W*$", re.IGNORECASE)
_WITHOUT_TAX = re.compile(
    r"\b(?:netto|ohne|excl|exkl|excluding|before|without|net|ht|hors|sin|zonder|ex)\b",
    re.IGNORECASE,
)
_PARTIAL = re.compile(
    r"zuschl|abschl|rabatt|discount|saving|items?\b|quantity|hours|points|remise|korting|descuento"
    r"|\bpage|pieces|weight|previous|rounding|tendered|charges for|usage",
    re.IGNORECASE,
)


_TERM = re.compile(r"(?!(?:of|and|the|conditions?)\W)(?=.{4})[\w(]", re.IGNORECASE)

Found = dict[str, list[Candidate]]


def collect(sheet: Sheet, context: Context) -> Found:
    """Candidates per field, in reading order; `!discount` is collected for the arithmetic."""
    found: Found = {}
    for number, row in enumerate(sheet.rows):
        if sheet.carried(row):
            continue
        for place, segment in enumerate(row):
            for label in segment.labels:
                name = label.name
                if name not in KINDS and name != "!discount":
                    continue
                candidate = _read(sheet, number, place, label, context)
                if candidate:
                    name = _meant(name, segment, label, candidate)
                    found.setdefault(name, []).append(candidate)
                    if name == "invoice_number" and (dated := _dated(candidate, context)):
                        found.setdefault("invoice_date", []).append(dated)
    if not found.get("invoice_number"):
        _bare_numbers(sheet, context, found)
    return found


_BARE = re.compile(
    r"^\W{0,3}(?:[A-ZÄÖÜ][\wÄÖÜäöüß]{3,24}[^\W\d_ ]{0,1}(?: [^\W\d_]{2,16}){0,3}"
    r"(?:\s?\([^()]{1,40}\)){0,2}\s)?(?:n[°ºo]|nr|no|num|number|numéro|nummer)\s?\.?"
    r"\s?[:#]?\s*(?=[A-Z0-9])|^#\s?(?=\w)",
    re.IGNORECASE,
)
_BARE_ONLY = re.compile(r"\W{0,3}(?:n[°ºo]|nr|no|num|number|numéro|nummer)(?!\w)|#", re.IGNORECASE)
_TITLE = re.compile(
    r"^\W*(?:(?:tax|sales|vat|proforma|commercial)\s)?(?:invoice|bill|credit note|receipt"
    r"|[a-zäöüß]{0,16}rechnung|gutschrift|facture|avoir|factuur|creditnota|factura|quittung)\W*$",
    re.IGNORECASE,
)
_TOP = 24  # rows in which a paper says what it is


def _bare_numbers(sheet: Sheet, context: Context, found: Found) -> None:
    """The number of `N° FA-17` next to a title that stands alone, or of `Nr. 17 vom 5.3.2018`."""
    titles = [
        (number, s) for number, row in enumerate(sheet.rows[:_TOP]) for s in row
        if _TITLE.match(s.text)
    ]  # fmt: skip
    for number, row in enumerate(sheet.rows[:_TOP]):
        for segment in row:
            plain = not segment.labels or len(row) == 1
            match = _BARE.match(segment.text)
            if match is None or (segment.first and segment.first.name != "invoice_number"):
                continue
            zone = Zone(segment, match.end(), len(segment.text), 0.8, number)
            value = READERS["id"](zone, context)
            if value is None or value.start > match.end() + 2:
                continue
            dated = _dated(value, context) or _dated_beside(row, value, context)
            near = any(
                0 <= number - at <= 2 and (segment.overlaps(s) or at == number) for at, s in titles
            )
            bare = _BARE_ONLY.match(segment.text)
            if (near and bare and plain) or dated:
                found.setdefault("invoice_number", []).append(value)
            if dated and (plain or not found.get("invoice_date")):
                found.setdefault("invoice_date", []).append(dated)


def _meant(name: str, segment: Segment, label: Label, candidate: Candidate) -> str:
    """A total "without tax" is a subtotal; one "of discounts" is neither."""
    stop = candidate.start if candidate.segment is segment else len(segment.text)
    rest = segment.text[label.end : max(stop, label.end)]
    if name not in ("total", "amount_due"):
        return name
    if _PARTIAL.search(rest):
        return "!partial"
    return "subtotal" if _WITHOUT_TAX.search(rest) else name


def _dated_beside(row: Row, number: Candidate, context: Context) -> Candidate | None:
    """The date that follows `Rechnung Nr. 17 vom` in the next segment."""
    after = row.index(number.segment) + 1
    if after >= len(row) or not _OF_END.search(number.segment.text[number.end :]):
        return None
    other = row[after]
    return read_date(Zone(other, 0, len(other.text), 0.86, number.row), context)


def _dated(number: Candidate, context: Context) -> Candidate | None:
    """The date in `Invoice 471 of 5 March 2018`."""
    rest = number.segment.text[number.end :]
    match = _OF.match(rest)
    if not match:
        return None
    start = number.end + match.end()
    zone = Zone(number.segment, start, min(len(number.segment.text), start + 24), 0.86, number.row)
    dated = read_date(zone, context)
    return dated if dated and dated.start - start <= 1 else None


def _read(
    sheet: Sheet, number: int, place: int, label: Label, context: Context
) -> Candidate | None:
    kind = KINDS.get(label.name, "amount")
    segment = sheet.rows[number][place]
    if not trusted(label, segment, kind):
        return None
    for zone in zones(sheet, number, place, label, kind):
        candidate = READERS[kind](zone, context)
        if candidate and _fits(label, kind, candidate):
            return _named(candidate, label, segment)
    return None


def _named(c: Candidate, label: Label, segment: Segment) -> Candidate:
    text = segment.text[label.start : label.end]
    trust = c.confidence if label.colon or label.loud else c.confidence - 0.08
    if label.name == "total" and not STRONG_TOTALS.search(segment.text):
        trust -= 0.08
    rate = c.rate or rate_in(segment.text)
    return replace(c, confidence=trust, rate=rate, label=text, origin=segment)


def _fits(label: Label, kind: Kind, candidate: Candidate) -> bool:
    if label.name == "payment_terms" and not _TERM.match(candidate.value):
        return False
    if kind != "id":
        return True
    digits = sum(char.isdigit() for char in candidate.value)
    if label.loud or label.colon:
        return digits >= 1
    return digits >= 3 and not re.fullmatch(r"(?:19|20)\d\d", candidate.value)


def best(candidates: Sequence[Candidate]) -> Candidate | None:
    """The surest; a value that is found twice is surer; rivals make it doubtful."""
    if not candidates:
        return None
    first = max(candidates, key=lambda c: (round(c.confidence, 2), -c.row))
    same = sum(c.value == first.value for c in candidates)
    rivals = {c.value for c in candidates if c.confidence > first.confidence - 0.05}
    trust = first.confidence + (0.04 if same > 1 else 0.0) - (0.15 if len(rivals) > 1 else 0.0)
    return replace(first, confidence=min(trust, 0.97))
