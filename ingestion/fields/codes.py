"""Values that prove themselves by their own form: IBAN, VAT numbers, payment terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ingestion.fields.candidates import Found
from ingestion.fields.context import Context
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.parties import in_customer_block
from ingestion.fields.reading import Candidate, Zone, read_date

_IBAN = re.compile(
    r"(?<![A-Za-z0-9])([A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]{2,4}){3,8}(?:[ ]?[A-Z0-9]{1,3})?)"
)
_LOOSE = re.compile(
    r"[\s:.\-]{0,6}(?P<value>[A-Z]{2}\d{2}(?:[ \u00a0\-]?[A-Z0-9]{2,4}){2,8}(?:[ ]?\d{1,3})?)(?!\w)"
)
_VAT = re.compile(
    r"(?<![A-Za-z0-9])(?:DE[\s.]?\d(?:[\s.]?\d){8}|ATU?[\s]?U?\d(?:\s?\d){7}"
    r"|NL[\s.]?\d(?:[\s.]?\d){8}[\s.]?B[\s.]?\d\d"
    r"|FR[\s.]?[A-Z0-9]{2}(?:[\s.]?\d){9}|GB[\s.]?\d(?:[\s.]?\d){8}(?:\d{3})?"
    r"|BE[\s.]?[01](?:[\s.]?\d){9}"
    r"|ES[\s\-.]?[A-Z][\s\-.]?\d{7}[A-Z0-9]|ES[\s\-.]?\d{8}[A-Z]|IT[\s.]?\d(?:\s?\d){10}"
    r"|LU\s?\d{8}|PL\s?\d(?:[\s-]?\d){9}"
    r"|IE\s?\d[A-Z0-9]\d{5}[A-Z]{1,2}|CHE[-\s]?\d{3}\.?\d{3}\.?\d{3}(?:\s?(?:MWST|TVA|IVA))?"
    r"|DK\s?\d{2}(?:\s?\d{2}){3}"
    r"|SE\s?\d{12}|PT\s?\d{9}|FI\s?\d{8}|CZ\s?\d{8,10}|EU\s?\d{9})(?![A-Za-z0-9])"
)
_LOCAL = re.compile(
    r"^[\s:.#=\"'/\-]*(?:EIN\s)?(?P<value>\d{2}-\d{7}|\d{2,3}/\d{3}/\d{4,5}|\d{2} \d{3} \d{3}"
    r" \d{3}|\d{3} \d{4} \d{2}"
    r"|[A-HJ-NP-SUVW]-?\d{7}[0-9A-J]|[XYZ]?\d{7,8}-?[A-Z]|\d{12}"
    r"|\d{2}[A-Z]{5}\d{4}[A-Z]\d[A-Z]\w|[A-Z]{0,2}\d[\d\s\-./]{6,16}\d)(?!\w)"
)
_TERMS = re.compile(
    r"(?:\bnet(?:to)?\s?\d{1,3}(?:\s?(?:days|tage))?\b|\b\d{1,3}\s?(?:days?|tage)\s?(?:net|netto)\b"
    r"|\b(?:within|innerhalb(?: von)?|binnen|in)\s\d{1,3}\s(?:days?|tagen|dagen)\b"
    r"|\bsous\s\d{1,3}\sjours\b|\bà\s\d{1,3}\sjours\b|\b\d{1,3}\s(?:jours(?:\snet| fin de"
    r" mois)?|dagen|días)\b"
    r"|\b(?:due|payable) (?:up)?on receipt\b|\b\d{1,3}\s?(?:days|tage)\b)",
    re.IGNORECASE,
)
_PAY_BY = re.compile(
    r"\b(?:überweis|zahlbar|zahlen|zahlung|begleichen|pay|payable|payment|transfer|settle|remit"
    r"|betalen|voldoen"
    r"|régler|payer|paiement|pagar|abonar|pago)(?:(?!skonto|discount|escompte|korting"
    r"|descuento).){0,70}?"
    r"\b(?:bis zum|bis spätestens|bis|by|until|before|no later than|latest|vóór|voor|uiterlijk"
    r"|avant"
    r" le|antes del)\W+",
    re.IGNORECASE,
)
_TIDY = re.compile(r"[\s.\-]")


def iban(sheet: Sheet) -> Candidate | None:
    """The first IBAN whose check digits are right (ISO 13616); else a doubtful one that stands
    behind the word."""
    for number, segment in _segments(sheet):
        for match in _IBAN.finditer(segment.text):
            for end in range(match.end(), match.start() + 14, -1):
                value = re.sub(r"\s", "", segment.text[match.start() : end])
                if end < match.end() and value[:2] not in _LENGTHS:
                    break  # a part of it may fit by chance
                if 15 <= len(value) <= 34 and _checks(value):
                    return Candidate(value, 0.97, segment, match.start(), end, number)
    return _said_iban(sheet)


def _said_iban(sheet: Sheet) -> Candidate | None:
    """What is written behind `IBAN`, although its check digits are wrong."""
    for number, segment in _segments(sheet):
        word = re.search(r"\bIBAN\b", segment.text, re.IGNORECASE)
        if not word:
            continue
        row = sheet.rows[number]
        after = row.index(segment) + 1
        places = [(segment, word.end()), *((other, 0) for other in row[after : after + 1])]
        places += [(other, 0) for other in list(sheet.below(number, segment, 1.8))[:1]]
        for where, start in places:
            match = _LOOSE.match(where.text, start)
            value = re.sub(r"[\s\-]", "", match["value"]) if match else ""
            if match and 15 <= len(value) <= 34 and sum(c.isdigit() for c in value) >= 12:
                right = len(value) == _LENGTHS.get(value[:2])
                trust = 0.6 if right else 0.45
                return Candidate(value, trust, where, match.start("value"), match.end(), number)
    return None


_LENGTHS = {
    "DE": 22, "AT": 20, "CH": 21, "FR": 27, "NL": 18, "BE": 16, "ES": 24, "IT": 27, "GB": 22,
    "IE": 22, "LU": 20, "PL": 28, "PT": 25, "DK": 18, "SE": 24, "NO": 15, "FI": 18,
}  # fmt: skip


def _checks(value: str) -> bool:
    if len(value) != _LENGTHS.get(value[:2], len(value)):
        return False
    moved = value[4:] + value[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def tax_id(sheet: Sheet, found: Found, vendor: str | None) -> Candidate | None:
    """The seller's VAT number: outside the buyer's block and, of several, the nearest to the
    seller's name; else a national tax number behind its label."""
    seen: list[Candidate] = []
    for number, segment in _segments(sheet):
        for match in _VAT.finditer(segment.text):
            if _is_buyers(sheet, found, number, segment, match.start()):
                continue
            value = _TIDY.sub("", match[0])
            seen.append(Candidate(value, 0.9, segment, match.start(), match.end(), number))
    if not seen:
        return _labelled(sheet, found)
    if len({c.value for c in seen}) == 1:
        return seen[0]
    return replace(_nearest(sheet, seen, vendor), confidence=0.6)


def _nearest(sheet: Sheet, seen: list[Candidate], vendor: str | None) -> Candidate:
    named = [n for n, s in _segments(sheet) if vendor and vendor.lower() in s.text.lower()]
    if not named:
        return seen[0]
    return min(seen, key=lambda c: min(abs(c.row - n) for n in named))


def _is_buyers(sheet: Sheet, found: Found, number: int, segment: Segment, at: int) -> bool:
    own = [label for label in segment.labels if label.end <= at]
    row = sheet.rows[number]
    left = own or [label for s in row if s.x1 <= segment.x0 for label in s.labels]
    if any(label.name == "customer" for label in own):
        return True
    said = bool(left) and left[-1].name in ("!other_id", "customer", "iban")
    text = segment.text[:at].lower()
    yours = re.search(
        r"\b(?:your|customer|client|ihre|kunden?|votre|klant|uw|cliente|buyer)\b", text
    )
    return said or bool(yours) or in_customer_block(found, segment)


def _labelled(sheet: Sheet, found: Found) -> Candidate | None:
    for number, segment in _segments(sheet):
        for label in segment.labels:
            if label.name != "vendor_tax_id" or in_customer_block(found, segment):
                continue
            place = [(segment, label.end)]
            row = sheet.rows[number]
            after = row.index(segment) + 1
            place += [(row[after], 0)] if after < len(row) else []
            place += [(s, 0) for s in list(sheet.below(number, segment, 1.8))[:1]]
            for where, at in place:
                match = _LOCAL.match(where.text[at:])
                if match:
                    start, end = at + match.start("value"), at + match.end("value")
                    value = " ".join(match["value"].split())
                    return Candidate(value, 0.82, where, start, end, number)
    return None


_YOURS = re.compile(
    r"^\W*(?:votre r[ée]f[ée]rence|vos r[ée]f(?:[ée]rences)?|your ref(?:erence)?|ihre? (?:zeichen"
    r"|referenz)|uw (?:referentie|kenmerk)|su referencia)\W*",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"(?:PO|P\.O\.|BC|CDE|CMD|COMPRA|PED|BEST|ORD|INK)[-/ ]?\d[\w\-/]*", re.IGNORECASE
)


def order_by_reference(sheet: Sheet) -> Candidate | None:
    """`Your reference: PO-445`: a reference that is an order's number by its form."""
    for number, segment in _segments(sheet):
        match = _YOURS.match(segment.text)
        if match is None:
            continue
        row = sheet.rows[number]
        after = row.index(segment) + 1
        for where, at in ((segment, match.end()), *((s, 0) for s in row[after : after + 1])):
            found = _ORDERED.fullmatch(where.text) if not at else _ORDERED.match(where.text, at)
            if found:
                return Candidate(found[0], 0.75, where, found.start(), found.end(), number)
    return None


def terms(sheet: Sheet) -> Candidate | None:
    """`Net 30`, `14 Tage netto`, `30 jours` where no label names the terms."""
    for number, segment in _segments(sheet):
        match = _TERMS.search(segment.text)
        if match and len(segment.text) < 200:
            value = " ".join(match[0].split())
            return Candidate(value, 0.7, segment, match.start(), match.end(), number)
    return None


def due_sentence(sheet: Sheet, context: Context) -> Candidate | None:
    """The date in `Please transfer the amount by 4 July 2015`; None when two sentences disagree."""
    found = []
    for number, segment in _segments(sheet):
        for match in _PAY_BY.finditer(segment.text):
            end = min(len(segment.text), match.end() + 24)
            date = read_date(Zone(segment, match.end(), end, 0.8, number), context)
            if date and date.start - match.end() <= 2:
                found.append(date)
                break
    return found[0] if found and len({c.value for c in found}) == 1 else None


def _segments(sheet: Sheet) -> Iterator[tuple[int, Segment]]:
    return ((number, segment) for number, row in enumerate(sheet.rows) for segment in row)
