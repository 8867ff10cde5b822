"""Where the value of a label may stand: right of it, in its row, or below it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.fields.columns import in_header
from ingestion.fields.labels import Kind, Label
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import Zone

_BEFORE = re.compile(
    r"^[\W\d]*(?:(?:your|our|the|plus|zzgl|zuzüglich|add|davon|less|ihre|notre|votre|uw|su|de|dont)"
    r"\b\.?\s*)?[\d.,]*\s*%?\s*$",
    re.IGNORECASE,
)
_NOT_A_TAX = re.compile(
    r"before|excl|incl|inkl|inc|ex|without|net|of|after|no|hors|sin|zonder|ohne|with|total|gross"
    r"|tax|amount|mit|avec|con|plus|exempt|your|customer|excluding|including"
)
_PERIOD = re.compile(r"\d\W*(?:bis|until|to|till|au|tot|hasta|[-–])\W*\d", re.IGNORECASE)
_TOWARDS = re.compile(r"\b(?:to|à|a|aan|by|par|von|por)\W*$", re.IGNORECASE)


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
    if kind == "date" and not label.loud and not label.colon:
        after = segment.text[label.end : label.end + 40]
        if re.search(r"\w", before) or _PERIOD.search(after):
            return False
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
    loud = kind != "party"  # names are made of words that may be labels elsewhere
    after = [x for x in segment.labels if x.start >= label.end and ((x.loud and loud) or x.colon)]
    stop = after[0].start if after else len(segment.text)
    trust = 0.92 if label.colon else 0.86
    if kind == "amount" and not label.colon:
        stop = len(segment.text)
    yield Zone(segment, label.end, stop, trust, number)
    rest = segment.text[label.end : stop]
    if kind not in ("amount", "percent") and re.search(r"\w", rest):
        return
    header = heads(row)
    if kind == "party" and _stands_over(sheet, number, place, label):
        yield from _below(sheet, number, segment, label, kind, header)
    if not after and not (header and kind != "party" and not label.colon):
        yield from _right(row, place, trust, number, kind)
    if kind != "amount" or not in_header(sheet, number):
        yield from _below(sheet, number, segment, label, kind, header)


def _stands_over(sheet: Sheet, number: int, place: int, label: Label) -> bool:
    """Whether a label that stands alone has its value rather below than far to the right."""
    row = sheet.rows[number]
    segment = row[place]
    far = place + 1 < len(row) and row[place + 1].x0 - segment.x1 > 4 * segment.unit
    under = next(sheet.below(number, segment, 1.9), None)
    aligned = under is not None and abs(under.x0 - segment.x0) <= 0.5 * segment.unit
    return far and aligned and segment.cell is None and not label.colon


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
        if re.search(r"\w", other.text):  # a colon may have a column of its own
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
    under = list(sheet.below(number, segment, 5.5 if kind == "party" else 3.2))
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
    if not any(below.overlaps(other) for other in row if other is not head):
        return 0, len(below.text)
    width = (below.x1 - below.x0) / max(len(below.text), 1)
    words = list(re.finditer(r"\S+", below.text))
    left = head.x0 - 1.5 * head.unit
    own = [w for w in words if left <= below.x0 + w.start() * width < right - 1.5 * head.unit]
    return (own[0].start(), own[-1].end()) if own else (0, len(below.text))


_NAMED = re.compile(r"(?:company )?name|firma|nom|naam|nombre", re.IGNORECASE)


def _party_of(sheet: Sheet, segment: Segment) -> Iterator[Segment]:
    """The segment, unless it is the key of a line such as `Number : 123`; of `Name : Acme` the
    value."""
    row = next((row for row in sheet.rows if segment in row), (segment,))
    right = [other for other in row if other.x0 > segment.x0][:1]
    key = segment.text.rstrip(" :")
    named = _NAMED.fullmatch(key)
    keyed = re.fullmatch(
        r"(?:\w+ )?(?:nummer|number|nr\.?|no\.?|id|gln|code)|globale?", key, re.IGNORECASE
    )
    if segment.text.startswith(":"):  # the value of a key that stands left of it
        left = [other for other in row if other.x1 <= segment.x0][-1:]
        if left and _NAMED.fullmatch(left[0].text.rstrip(" :")):
            yield segment
    elif named and right:
        yield from right
    elif right and (keyed or right[0].text.startswith(":")):
        return
    elif not re.match(r"(?!name)[^:]{2,25}:\s*\S", segment.text, re.IGNORECASE):
        yield segment
