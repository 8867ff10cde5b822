"""Who sells and who buys: labels first, then letterheads, company forms and mail domains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher

from ingestion.fields import addresses
from ingestion.fields.candidates import Found
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import Candidate
from ingestion.fields.zones import heads

_FORMS = re.compile(
    r"\b(?:GmbH(?: & Co\.? KG)?|AG|KG|OHG|UG|e\.\s?K\.|GbR|mbH|SE|Ltd|Limited|LLC|L\.L\.C|LLP"
    r"|PLC|plc"
    r"|Inc|Corp|Corporation|Company|Co|Pty|SARL|S\.A\.R\.L|SAS|S\.A\.S|SASU|EURL|SNC|SA|S\.A"
    r"|B\.?\s?V"
    r"|BV|N\.?V|VOF|S\.L\.U|S\.?L|SLU|S\.C|SpA|S\.p\.A|S\.?r\.?l|Sdn\.? Bhd|SDN\.? BHD|BHD|ApS"
    r"|A/S|AB|AS"
    r"|Oy|Oyj|Kft|s\.r\.o|a\.s|Sp\. z o\.o|d\.o\.o|Pvt|Pte|K\.K|LP|Partners|Group|Studio|Enterprise"
    r"|ENTERPRISE|S\. de R\.L|INC|CORP|LTD|GMBH|Stiftung|e\.\s?V|Genossenschaft|eG)(?:\.|\b)(?!\w)"
)
_NOISE = re.compile(
    r"^(?:tax |pro ?forma |original |copy |commercial |sales |simplified )?(?:invoice|rechnung"
    r"|facture|factuur|factura|receipt|quittung"
    r"|reçu|recibo|ticket|bon|kassenbon|credit note|credit memo|gutschrift|avoir|creditnota"
    r"|statement|bill|beleg"
    r"|nota de crédito|purchase order|bestellung|order|page|seite|pagina|página|duplicate"
    r"|kopie|copie|from|to"
    r"|creditfactuur|stornorechnung|rechnungs-?korrektur|original|confirmation|welcome|thank"
    r" you)\b.{0,30}$",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b(?:street|st\.|road|rd\.?|avenue|ave\.?|lane|blvd|boulevard|drive|suite|floor"
    r"|p\.?\s?o\.? box|box|rue|allée"
    r"|chemin|place|quai|calle|c/|avda|avenida|plaza|paseo|polígono|postfach|via|unit)\b"
    r"|(?:straße|strasse|str\.|weg|platz"
    r"|allee|gasse|straat|laan|plein|kade|dijk|singel|gracht)\b"
    r"|\b\d{4,5}(?:\s?[A-Z]{2})?\s+[A-ZÄÖÜ]|\b[A-Z]{2} \d{5}\b",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"(?:@|www\.|https?://)([a-z0-9][a-z0-9\-.]*\.[a-z]{2,})", re.IGNORECASE)
_FREE = frozenset(
    [
        "gmail",
        "yahoo",
        "hotmail",
        "outlook",
        "gmx",
        "web",
        "icloud",
        "aol",
        "live",
        "t-online",
        "orange",
        "wanadoo",
        "free",
        "example",
    ]
)
_SENDER = re.compile(r"\s*[·•●|⋅∙*–]\s*|\s+-\s+|,\s*(?=\D{0,40}\d)")


def parties(sheet: Sheet, found: Found) -> dict[str, Candidate]:
    """`vendor` and `customer` where they can be told."""
    chosen: dict[str, Candidate] = {}
    buyers = [c for c in found.get("customer", []) if _is_name(c.value)]
    if buyers:
        chosen["customer"] = max(buyers, key=lambda c: (c.confidence, -c.row))
    elif addressee := _addressee(sheet):
        chosen["customer"] = addressee
        buyers = [addressee]
    labelled = [
        replace(c, confidence=c.confidence - 0.3) if c.value[:1].isdigit() else c
        for c in found.get("vendor", []) if _is_name(c.value)
    ]  # fmt: skip
    taken = {_plain(c.value) for c in buyers}
    vendor = _surest([*labelled, *_guesses(sheet, taken, found)])
    if not buyers and (buyer := _other_address(sheet, vendor)):
        chosen["customer"] = buyer
        vendor = _surest([*labelled, *_guesses(sheet, {_plain(buyer.value)}, found)])
    if vendor:
        chosen["vendor"] = vendor
    return chosen


def _surest(candidates: list[Candidate]) -> Candidate | None:
    return max(candidates, key=lambda c: (round(c.confidence, 3), -c.row), default=None)


def _other_address(sheet: Sheet, vendor: Candidate | None) -> Candidate | None:
    """The name over an address that is not the seller's: the only one, or the first of several."""
    if vendor is None:
        return None
    mine = _plain(vendor.value)
    for block in addresses.blocks(sheet):
        lines = [_plain(s.text) for _, s in block.lines]
        name = block.name.text.strip(" ,;")
        theirs = any(mine and (mine in line or (line and line in mine)) for line in lines)
        if block.own or theirs or block.name.heading or not _is_name(name) or name.endswith(":"):
            continue
        start = block.name.text.find(name)
        return Candidate(name, 0.55, block.name, start, start + len(name), block.row)
    return None


_GREETING = re.compile(
    r"(?:dear|sehr geehrte|liebe|hallo|hello|bonjour|cher|chère|madame, monsieur|geachte|beste"
    r"|estimad|apreciad"
    r"|pay by|pay to the|guten tag|kind regards|mit freundlichen|bitte|please|vielen dank)\b",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"(?:tax|sample|credit|cash|your|sales|commercial|gst|vat|proforma|simplified|copy|total|terms"
    r"|(?:ship(?:ping)?|bill(?:ing)?|delivery|company) (?:to|add?ress|details|information)"
    r"|\(?(?:original|duplicate|triplicate|customer|office)?[ -]?(?:copy|for recipient)\)?"
    r"|shipping|billing|details|information|e-?way bill|bill of supply|customer|kunde|client"
    r"|rechnungsanschrift|lieferanschrift|adresse|anschrift|dirección|adres|page \d+)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"lot (?:[a-z]\.? ?)*\d|www\.|visit us|goods sold|\d+(?:st|nd|rd|th) (?:fl|floor)",
    re.IGNORECASE,
)
# Who answers questions is seldom who sells.
_DESK = re.compile(
    r"\b(?:support|help ?desk|service (?:desk|team)|customer (?:service|care)|hotline"
    r"|kundenservice|kundendienst|service client|klantenservice|atención al cliente"
    r"|accounts (?:payable|receivable)|billing department|buchhaltung)\b",
    re.IGNORECASE,
)
_HOUSE = re.compile(r"[^\W\d_]{3,}\.?,? \d{1,4} ?[a-zA-Z]?$|^\d{1,5}[a-z]?,? [^\W\d_]")
_TITLE = re.compile(r"(?:herrn?|frau|firma|mr\.?|mrs\.?|ms\.?)$", re.IGNORECASE)


def _addressee(sheet: Sheet) -> Candidate | None:
    """The first line of an address under a sender's line, as a window envelope shows it."""
    for number, row in enumerate(sheet.rows[:14]):
        sender = _whole_line(row)
        parts = [p for p in _SENDER.split(sender.text) if p]
        if len(parts) < 3 or not _STREET.search(sender.text):
            continue
        block = _block_under(sheet, number, sender)
        if len(block) >= 3 and any(addresses.TOWN.search(s.text) for _, s in block[2:]):
            at, first = block[0]
            at, first = block[1] if _TITLE.match(first.text) else block[0]
            name = first.text.strip()
            if _is_name(name) and _plain(name) != _plain(parts[0]):
                return Candidate(name, 0.6, first, first.text.find(name), len(first.text), at)
    return None


def _whole_line(row: Row) -> Segment:
    """A sender's line that its bullets broke into segments, as one."""
    first, last = row[0], row[-1]
    run = [s for s in row if s.unit <= 1.3 * first.unit and s.x0 - first.x0 < 40 * first.unit]
    if len(run) < 3 or not any(s.text.strip() in "·•●|⋅∙*–" for s in run):
        return first
    last = run[-1]
    text = first.page.text[first.start : last.end]
    return replace(first, text=text, x1=last.x1) if len(text) < 160 else first


def _block_under(sheet: Sheet, number: int, sender: Segment) -> list[tuple[int, Segment]]:
    """Lines that begin where `sender` begins, without a wide gap or a label between them."""
    block: list[tuple[int, Segment]] = []
    last = sender
    for at, row in enumerate(sheet.rows[number + 1 : number + 12], number + 1):
        segment = row[0]
        if segment.page is not sender.page or segment.y - last.y > 3.5 * max(last.unit, 1.0):
            break
        if abs(segment.x0 - sender.x0) > 2 * max(sender.unit, 1.0):
            continue
        if segment.heading or len(block) == 7:
            break
        block.append((at, segment))
        last = segment
    return block


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", _FORMS.sub("", name).lower())


def _is_name(text: str) -> bool:
    return (
        2 <= len(text) <= 80
        and bool(re.search(r"[^\W\d_]{2}", text))
        and not _NOISE.match(text)
        and "@" not in text
        and not find_dates(text)
        and not _GREETING.match(text)
        and not _PLACE.match(text)
        and not _GENERIC.fullmatch(text.strip(" .:"))
        and not re.search(r"\d[.,]\d\d\b", text)
        and not re.search(r"\d{5,}|www\.|https?:|\.com$", text)
    )


def _guesses(sheet: Sheet, taken: set[str], found: Found) -> Iterator[Candidate]:
    domains = _domains(sheet)
    buyers = {id(c.segment) for c in found.get("customer", [])}
    biggest = _biggest(sheet)
    seen = 0
    for number, row in enumerate(sheet.rows):
        if len(row) > 2 and heads(row):
            continue
        for segment in row:
            name, start = _name_in(segment)
            if name is None or _plain(name) in taken or not _plain(name):
                continue
            if id(segment) in buyers or segment.heading or in_customer_block(found, segment):
                continue
            seen += 1
            trust = _trust(name, segment, domains, biggest, seen)
            if trust >= 0.4:
                value = " ".join(name.split())
                yield Candidate(value, trust, segment, start, start + len(name), number)


def _name_in(segment: Segment) -> tuple[str | None, int]:
    """The name at the start of a segment; of a sender's line ("Firm · Street 1 · 12345 Town") the
    first part."""
    text = segment.text
    pieces = [p for p in _SENDER.split(text) if p]
    name = pieces[0] if len(pieces) > 1 and _STREET.search(text) else text
    name = re.sub(r"\s+(?:invoice|rechnung|facture|factuur|factura|receipt)$", "", name, flags=re.I)
    name = re.sub(r"^(?:©|\(c\))\s*(?:\d{4}\s*)?", "", name).strip(" ,;:|·•-")
    if not _is_name(name) or len(name.split()) > 8:
        return None, 0
    if (_STREET.search(name) or addresses.TOWN.search(name)) and not _FORMS.search(name):
        return None, 0
    return name, text.find(name)


def _trust(
    name: str, segment: Segment, domains: set[str], biggest: Segment | None, seen: int
) -> float:
    trust = 0.3
    if _FORMS.search(name):
        trust += 0.25 if name[:1].isupper() and len(name.split()) <= 6 else 0.1
    if any(_alike(name, domain) for domain in domains):
        trust += 0.3
    if seen == 1:
        trust += 0.22
    elif seen <= 4:
        trust += 0.06
    if biggest is segment:
        trust += 0.1
    if segment.page.number > 1:
        trust -= 0.15
    if _DESK.search(name) or segment.text.lstrip().startswith(("©", "(c)")):
        trust -= 0.3
    if re.search(r"\d", name) and not _FORMS.search(name) and _HOUSE.search(name):
        trust -= 0.35
    if len(_SENDER.split(segment.text)) > 2 and _STREET.search(segment.text):
        trust += 0.15
    if re.search(r"[.!?]$", name) and not _FORMS.search(name):
        trust -= 0.3
    return min(trust, 0.9)


def _alike(name: str, domain: str) -> bool:
    short, plain = re.sub(r"[^a-z0-9]", "", domain.lower()), _plain(name)
    if len(short) < 3 or len(plain) < 3:
        return False
    first = re.sub(r"[^a-z0-9]", "", name.lower().split()[0])
    if short in plain or short.startswith(plain) or (len(first) > 3 and short.startswith(first)):
        return True
    return SequenceMatcher(None, short, plain).ratio() > 0.8


def _domains(sheet: Sheet) -> set[str]:
    found = set()
    for row in sheet.rows:
        for segment in row:
            for match in _DOMAIN.finditer(segment.text):
                parts = match[1].lower().split(".")
                name = parts[-3] if len(parts) > 2 and parts[-2] in ("co", "com") else parts[-2]
                if name not in _FREE:
                    found.add(name)
                elif name == "example" and len(parts) > 2:
                    found.add(parts[-3])
    return found | {d.removesuffix("-gmbh") for d in found}


def _biggest(sheet: Sheet) -> Segment | None:
    """The tallest name of the first page, where heights are known."""
    first = [s for row in sheet.rows for s in row if s.page.number == 1 and s.page.words]
    names = [s for s in first if _name_in(s)[0]]
    return max(names, key=lambda s: s.unit, default=None)


def in_customer_block(found: Found, segment: Segment) -> bool:
    """Whether a segment stands in the block of lines under the customer's label."""
    for buyer in found.get("customer", []):
        same_page = buyer.segment.page is segment.page
        near = 0 <= segment.y - buyer.segment.y <= 9 * max(segment.unit, 1.0)
        if same_page and near and segment.overlaps(buyer.segment):
            return True
    return False
