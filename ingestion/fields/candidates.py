"""From a label to the values that may belong to it: to its right, in its row, or below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from ingestion.fields.columns import is_header
from ingestion.fields.context import Context
from ingestion.fields.dates import find_dates
from ingestion.fields.labels import KINDS, STRONG_TOTALS, Kind, Label
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.numbers import Amount, find_amounts, plain

_ID = re.compile(
    r"^[\s:#.\-–\"'=№,]*(?:\(\d{3}\)\s*)?(?:(?i:no|nr|n°|nº|num|number|nummer|numéro|número)\b\.?\s*[:#]?\s*)?"
    r"(?P<value>(?:[A-Z]{1,5}[ ]?[-/]?[ ]?)?[A-Za-z0-9][\w\-/.\\]*(?:[ ]?[-/][ ]?[\w\-/]+)*)"
)
_BEFORE = re.compile(
    r"^[\W\d]*(?:(?:your|our|the|plus|zzgl|zuzüglich|add|davon|less|ihre|notre|votre|uw|su|de|dont)"
    r"\b\.?\s*)?[\d.,]*\s*%?\s*$",
    re.IGNORECASE,
)
_NOT_A_TAX = re.compile(
    r"before|excl|incl|inkl|inc|ex|without|net|of|after|no|hors|sin|zonder|ohne|with|total|gross"
    r"|tax|amount|mit|avec|con|plus|exempt|your|customer|excluding|including"
)
# `Tax 15 % on 112.90`: that is what the tax is taken of.
_BASE = re.compile(r"\b(?:on|auf|aus|von|sur|over|sobre)\s*$", re.IGNORECASE)
_OF = re.compile(r"\W*(?:vom|von|dated|of|du|le|van|d\.d\.|de fecha|del|date|from|datum)\W+", re.I)
_WITHOUT_TAX = re.compile(
    r"\b(?:netto|ohne|excl|exkl|excluding|before|without|net|ht|hors|sin|zonder|ex)\b",
    re.IGNORECASE,
)
_PARTIAL = re.compile(
    r"zuschl|abschl|rabatt|discount|saving|items?\b|quantity|hours|points|remise|korting|descuento"
    r"|\bpage|pieces|weight|previous|rounding|tendered|charges for|usage",
    re.IGNORECASE,
)
_TOWARDS = re.compile(r"\b(?:to|à|a|aan|by|par|von|por)\W*$", re.IGNORECASE)
_FILLER = re.compile(r"[^\W\d_]{2,}")
_SMALL_WORDS = frozenset(
    [
        "incl",
        "excl",
        "inkl",
        "exkl",
        "including",
        "excluding",
        "inclusive",
        "exclusive",
        "vat",
        "tax",
        "mwst",
        "ust",
        "tva",
        "btw",
        "iva",
        "gst",
        "ttc",
        "ht",
        "eur",
        "usd",
        "gbp",
        "chf",
        "cad",
        "aud",
        "rm",
        "myr",
        "sgd",
        "inr",
        "euro",
        "euros",
        "on",
        "of",
        "auf",
        "von",
        "sur",
        "de",
        "van",
        "op",
        "in",
        "sales",
        "net",
        "netto",
        "brutto",
        "gross",
        "amount",
        "betrag",
        "at",
        "à",
        "the",
        "for",
        "und",
        "and",
        "zzgl",
        "total",
        "due",
        "payable",
        "rate",
        "compris",
        "amt",
        "rs",
        "pln",
        "sek",
        "nok",
        "dkk",
    ]
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


Found = dict[str, list[Candidate]]
Reader = Callable[[Zone, Context], Candidate | None]


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
    return found


def _meant(name: str, segment: Segment, label: Label, candidate: Candidate) -> str:
    """A total "without tax" is a subtotal; one "of discounts" is neither."""
    stop = candidate.start if candidate.segment is segment else len(segment.text)
    rest = segment.text[label.end : max(stop, label.end)]
    if name not in ("total", "amount_due"):
        return name
    if _PARTIAL.search(rest):
        return "!partial"
    return "subtotal" if _WITHOUT_TAX.search(rest) else name


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
    rate = c.rate or _rate(segment.text)
    return replace(c, confidence=trust, rate=rate, label=text, origin=segment)


def _rate(text: str) -> str | None:
    rates = [a for a in find_amounts(text) if a.percent and 0 <= a.value < 40]
    return plain(rates[0].value, 0) if rates else None


def trusted(label: Label, segment: Segment, kind: Kind) -> bool:
    """Whether the words of a label are a label here, and not part of a sentence."""
    before = segment.text[: label.start]
    for other in segment.labels:  # `Buyer / Customer:` is one label
        if other.end <= label.start and other.name == label.name:
            before = before.replace(segment.text[other.start : other.end], "")
    starts = bool(_BEFORE.match(before)) or (label.name == "tax" and _named_tax(before))
    alone = not re.search(r"\w", segment.text[label.end :])
    if kind == "party":
        towards = label.loud and _TOWARDS.search(segment.text[label.start : label.end])
        return starts and (label.colon or alone or bool(towards))
    if starts or label.colon:
        return True
    if kind == "amount":
        return False
    return label.loud and (bool(re.search(r"\d", before)) or kind in ("id", "date"))


def _named_tax(before: str) -> bool:
    """`Meals tax`, `State sales tax`; not `before tax`, not `including tax`."""
    words = re.findall(r"\w+", before.lower())
    return 0 < len(words) <= 2 and not any(_NOT_A_TAX.fullmatch(w) or w.isdigit() for w in words)


def zones(sheet: Sheet, number: int, place: int, label: Label, kind: Kind) -> Iterator[Zone]:
    """Right of the label in its segment, then in its row, then below it."""
    row = sheet.rows[number]
    segment = row[place]
    after = [x for x in segment.labels if x.start >= label.end and (x.loud or x.colon)]
    stop = after[0].start if after else len(segment.text)
    trust = 0.92 if label.colon else 0.86
    if kind == "amount" and not label.colon:
        stop = len(segment.text)
    yield Zone(segment, label.end, stop, trust, number)
    rest = segment.text[label.end : stop]
    if kind not in ("amount", "percent") and re.search(r"\w", rest):
        return
    header = heads(row)
    if not after and not (header and kind != "party" and not label.colon):
        yield from _right(row, place, trust, number, kind)
    if not is_header(row) or kind != "amount":
        yield from _below(sheet, number, segment, label, kind, header)


def heads(row: Row) -> bool:
    """Whether a row is nothing but labels, so that its values stand below."""
    firsts = [s for s in row if s.first]
    if len(row) < 2 or any(re.search(r"\d", s.text) for s in row):
        return False
    return len(firsts) == len(row) or (len(row) > 3 and len(firsts) >= 0.6 * len(row))


def _right(row: Row, place: int, trust: float, number: int, kind: Kind) -> Iterator[Zone]:
    others = row[place + 1 :]
    run = []
    for other in others:
        if other.heading:
            break
        run.append(other)
    if kind == "amount":
        run.reverse()
    for other in run[: 6 if kind in ("amount", "percent") else 1]:
        yield Zone(other, 0, len(other.text), trust - 0.02, number)


def _below(
    sheet: Sheet, number: int, segment: Segment, label: Label, kind: Kind, header: bool
) -> Iterator[Zone]:
    if not (label.loud or label.colon or header):
        return
    if label.name in ("tax", "subtotal") and not header:
        return  # over a column of amounts, not over one
    under = list(sheet.below(number, segment))
    if kind == "party":
        under = [value for other in under for value in _party_of(sheet, other)]
    for other in under[:1]:
        if other.heading:
            return
        start, end = 0, len(other.text)
        if header:
            start, end = _column_of(sheet.rows[number], segment, other)
        yield Zone(other, start, end, 0.84 if header or label.colon else 0.74, number)


def _column_of(row: Row, head: Segment, below: Segment) -> tuple[int, int]:
    """The words of `below` that stand under `head`, where it reaches over several columns."""
    right = min((s.x0 for s in row if s.x0 > head.x0), default=float("inf"))
    if below.x0 >= head.x0 - 2 * head.unit and below.x1 <= right:
        return 0, len(below.text)
    width = (below.x1 - below.x0) / max(len(below.text), 1)
    words = list(re.finditer(r"\S+", below.text))
    left = head.x0 - 1.5 * head.unit
    own = [w for w in words if left <= below.x0 + w.start() * width < right - 1.5 * head.unit]
    return (own[0].start(), own[-1].end()) if own else (0, len(below.text))


def _party_of(sheet: Sheet, segment: Segment) -> Iterator[Segment]:
    """The segment, unless it is the key of a line such as `Number : 123`; of `Name : Acme` the
    value."""
    row = next((row for row in sheet.rows if segment in row), (segment,))
    right = [other for other in row if other.x0 > segment.x0][:1]
    key = segment.text.rstrip(" :")
    named = re.fullmatch(r"(?:company )?name|firma|nom|naam|nombre", key, re.IGNORECASE)
    keyed = re.fullmatch(r"(?:\w+ )?(?:nummer|number|nr\.?|no\.?|id|gln|code)", key, re.IGNORECASE)
    if named and right:
        yield from right
    elif right and (keyed or right[0].text.startswith(":")):
        return
    elif not re.match(r"(?!name)[^:]{2,25}:\s*\S", segment.text, re.IGNORECASE):
        yield segment


def _fits(label: Label, kind: Kind, candidate: Candidate) -> bool:
    if kind != "id":
        return True
    digits = sum(char.isdigit() for char in candidate.value)
    if label.loud or label.colon:
        return digits >= 1
    return digits >= 3 and not re.fullmatch(r"(?:19|20)\d\d", candidate.value)


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
    whole = bool(re.fullmatch(r"[\d\s.,'’\u00a0\u202f]+", zone.text.strip()))
    return find_amounts(zone.text, context.decimal, spaced=context.spaced or whole)


def read_amount(zone: Zone, context: Context) -> Candidate | None:
    typed = _typed(zone)
    if typed:
        return typed
    amounts = [a for a in amounts_in(zone, context) if not a.percent]
    amounts = [a for a in amounts if not _BASE.search(zone.text[: a.start])]
    amounts = [a for a in amounts if a.decimals == 2 or a.currency] or amounts
    if not amounts:
        return None
    last = amounts[-1]
    gap = zone.text[: last.start]
    words = [w for w in _FILLER.findall(gap) if w.lower() not in _SMALL_WORDS]
    weak = last.decimals == 0 and not last.currency
    if len(words) > (0 if weak else 2):
        return None
    at = zone.start
    return Candidate(
        plain(last.value), zone.trust - (0.2 if weak else 0.0), zone.segment,
        at + last.start, at + last.end, zone.row, last.value, last.currency, _rate(zone.text),
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
