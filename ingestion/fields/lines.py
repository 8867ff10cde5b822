"""Line items: rows under a header of known column names, on as many pages as they take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from ingestion.fields.columns import columns, header_at
from ingestion.fields.context import Context
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.numbers import plain
from ingestion.fields.reading import (
    Candidate,
    Zone,
    amounts_in,
    read_amount,
    read_percent,
    read_text,
)

Item = dict[str, Candidate]

_ENDS = ("subtotal", "total", "amount_due", "tax")
_NUMERIC = ("quantity", "unit_price", "amount")
_DESCRIBED = 8  # lines of one description


def items(sheet: Sheet, context: Context) -> tuple[list[Item], bool]:
    """One mapping of column name to candidate per line item, in reading order; and whether every
    row with an amount could be read as one."""
    found: list[Item] = []
    whole = True
    heads: dict[str, Segment] = {}
    after = False  # a subtotal was passed: only what is surely an item counts from here
    skip = 0
    taken_by: set[int] = set()
    for number, row in enumerate(sheet.rows):
        if number < skip:
            continue
        fresh, taken = header_at(sheet, number)
        if taken:
            heads, after, skip = fresh, False, number + taken
        elif heads and _ends(row):
            after = True
        elif heads and _heads_another(row):
            heads = {}
        elif heads and not sheet.carried(row):
            item = _item(row, heads, context, number)
            if item and "amount" in item and id(item["amount"].segment) in taken_by:
                continue  # it completed the row above
            if item and (place := _complete(item, sheet, number, context)):
                taken_by.add(id(place))
            if item and not (after and len(item.keys() & {*_NUMERIC, "tax"}) < 3):
                found.append(item)
                if not after:
                    _describe(item, sheet, number, heads, context)
            elif not after and re.search(r"\d[.,]\d\d\W*$", row[-1].text):
                whole = False
    return found, whole


def _heads_another(row: Row) -> bool:
    """Whether a row heads a table of something else: names of columns, but not of items."""
    if len(row) < 3 or any(re.search(r"\d", s.text) for s in row):
        return False
    return len(columns(row)) >= 2


def _describe(
    item: Item, sheet: Sheet, number: int, heads: dict[str, Segment], context: Context
) -> None:
    """Adds the lines that go on below an item's description to it; the source stays its first."""
    first = item.get("description")
    if first is None or first.segment.cell is not None:
        return
    last, text = first.segment, [first.value]
    for at in range(number + 1, min(number + _DESCRIBED, len(sheet.rows))):
        row = sheet.rows[at]
        own = next((s for s in row if abs(s.x0 - first.segment.x0) <= 0.8 * s.unit), None)
        if own is None or own.page is not last.page or own.y - last.y > 1.7 * last.unit:
            break
        other = own.first is not None and own.first.colon
        if other or _ends(row) or sheet.carried(row) or _item(row, heads, context, at):
            break
        if re.search(r"\d[.,]\d\d\W*$", row[-1].text) or len(own.text) > 120:
            break
        text.append(" ".join(own.text.split()))
        last = own
    if len(text) > 1:
        item["description"] = replace(first, value=" ".join(text))


def _ends(row: Row) -> bool:
    """A row of totals: it begins with such a label, and what follows are amounts only."""
    first = next((s for s in row if re.search(r"[^\W\d_]", s.text)), None)
    label = first.first if first else None
    if first is None or label is None or label.name not in _ENDS:
        return False
    rest = re.sub(r"\([^()]*\)|[A-Z]{3}\b", "", first.text[label.end :])
    return label.colon or not re.search(r"[^\W\d_]{4,}", rest)


def _item(row: Row, heads: dict[str, Segment], context: Context, number: int) -> Item | None:
    item: Item = {}
    near: dict[str, float] = {}
    for segment in row:
        name, closeness = _column(segment, heads)
        if name.startswith("!") or closeness < -6 * segment.unit:
            continue
        value = _value(name, segment, context, number)
        if value and closeness > near.get(name, -1e9):
            item[name], near[name] = value, closeness
    priced = "amount" in item or {"quantity", "unit_price"} <= item.keys()
    named = "description" in item or "sku" in item
    if not named and _is_sum(item):
        return None
    return item if priced and (named or len(item) >= 3) else None


def _is_sum(item: Item) -> bool:
    """Whether two numbers of a row without a name make its amount: net and tax, no item."""
    parts = [item[name].number or Decimal(0) for name in ("tax", "quantity") if name in item]
    amount = item["amount"].number if "amount" in item else None
    return len(parts) == 2 and amount is not None and sum(parts, Decimal(0)) == amount


def _column(segment: Segment, heads: dict[str, Segment]) -> tuple[str, float]:
    """The column that the segment shares most width with, else the nearest edge."""

    def closeness(head: Segment) -> float:
        shared = min(head.x1, segment.x1) - max(head.x0, segment.x0)
        edges = min(abs(head.x0 - segment.x0), abs(head.x1 - segment.x1))
        return shared if shared > 0 else -min(edges, -shared)

    name = max(heads, key=lambda key: closeness(heads[key]))
    return name, closeness(heads[name])


def _value(name: str, segment: Segment, context: Context, number: int) -> Candidate | None:
    zone = Zone(segment, 0, len(segment.text), 0.9, number)
    if name == "quantity":
        return _quantity(zone, context)
    if name in _NUMERIC:
        return read_amount(zone, context)
    if name == "tax":
        return read_percent(zone, context) or read_amount(zone, context)
    return read_text(zone, context)


_UNIT = re.compile(r"\W*(?:[^\W\d_][\w²³./()]{0,14}\W*)?")


def _quantity(zone: Zone, context: Context) -> Candidate | None:
    """`3`, `2.5`, `20 Stk`, `3 m²`, `5 Unit(s)`: a number and at most its unit."""
    found = amounts_in(zone, context)
    if len(found) != 1 or found[0].percent or re.search(r"\w", zone.text[: found[0].start]):
        return None
    one, at = found[0], zone.start
    if not _UNIT.fullmatch(zone.text, one.end):
        return None
    return Candidate(plain(one.value, 0), 0.9, zone.segment, at + one.start, at + one.end,
                     zone.row, one.value, one.currency)  # fmt: skip


def _complete(item: Item, sheet: Sheet, number: int, context: Context) -> Segment | None:
    """An amount that stands a little lower than its row, or under no head: it is the product of
    quantity and price. Gives the segment that is taken by it."""
    if "amount" in item or not {"quantity", "unit_price"} <= item.keys():
        return None
    if own := _proved(sheet.rows[number], context, number):
        item |= {name: own[name] for name in _NUMERIC}
        return own["amount"].segment
    product = (item["quantity"].number or Decimal(0)) * (item["unit_price"].number or Decimal(0))
    first = sheet.rows[number][0]
    for at in range(number, min(number + 3, len(sheet.rows))):
        row = sheet.rows[at]
        if row[0].page is not first.page or row[0].y - first.y > 1.6 * first.unit:
            return None
        for segment in reversed(row):
            value = read_amount(Zone(segment, 0, len(segment.text), 0.85, at), context)
            same = value and value.number and abs(value.number - product) <= _ROUNDED
            if value and same and value.segment is not item["unit_price"].segment:
                item["amount"] = value
                return segment
    return None


def proved(sheet: Sheet, context: Context, goals: set[Decimal]) -> list[Item]:
    """Rows whose numbers prove one another: quantity times price, less a discount, is the amount.
    Without a known header that is proof enough where they add up to a goal, or are two or more."""
    found: list[Item] = []
    for number, row in enumerate(sheet.rows):
        if not (_ends(row) or sheet.carried(row)) and (item := _proved(row, context, number)):
            found.append(item)
    total = sum((item["amount"].number or Decimal(0) for item in found), Decimal(0))
    return found if total in goals or len(found) > 1 else []


def _proved(row: Row, context: Context, number: int) -> Item | None:
    """Description, quantity, price and amount of a row by its arithmetic alone."""
    named = next((s for s in row if re.search(r"[^\W\d_]{3}", s.text)), None)
    if named is None or not 3 <= len(row) <= 12:
        return None
    values = [
        (a, s) for s in row if s is not named and len(s.text) < 24
        for a in context.amounts(s.text, parted=True)
    ]  # fmt: skip
    factors = [(a, s) for a, s in values if not a.percent and a.value > 0]
    rates = [Decimal(0), *(a.value for a, _ in values if a.percent and 0 < a.value < 100)]
    for last, place in reversed(values):
        if last.percent or last.decimals != 2 or not last.value:
            continue
        for i, (count, left) in enumerate(factors):
            for price, right in factors[i + 1 :]:
                if place in (left, right) or count.decimals > 3 or price.decimals < 2:
                    continue
                if any(_is_product(count.value, price.value, last.value, r) for r in rates):
                    text = read_text(Zone(named, 0, len(named.text), 0.85, number), context)
                    made = {"quantity": (count, left), "unit_price": (price, right),
                            "amount": (last, place)}  # fmt: skip
                    item = {
                        name: Candidate(
                            plain(a.value, 0 if name == "quantity" else 2), 0.87, s, a.start,
                            a.end, number, a.value, a.currency,
                        )
                        for name, (a, s) in made.items()
                    }  # fmt: skip
                    return {"description": text, **item} if text else item
    return None


_ROUNDED = Decimal("0.011")


def _is_product(count: Decimal, price: Decimal, amount: Decimal, rate: Decimal) -> bool:
    if count == 1 and price == abs(amount) and rate:
        return False
    return abs(count * price * (100 - rate) / 100 - abs(amount)) <= _ROUNDED


def unruled(sheet: Sheet, context: Context, goals: set[Decimal]) -> list[Item]:
    """Lines of text that end with amounts, above the totals; only when they add up to a goal."""
    found: list[Item] = []
    total = Decimal(0)
    for item in _endings(sheet, context):
        found.append(item)
        total += item["amount"].number or 0
        if total in goals and total:
            return found
    return []


def _endings(sheet: Sheet, context: Context) -> Iterator[Item]:
    for number, row in enumerate(sheet.rows):
        if _ends(row):
            return
        last = row[-1]
        amount = read_amount(Zone(last, 0, len(last.text), 0.75, number), context)
        if amount is None or len(last.text) - amount.end > 2 or sheet.carried(row):
            continue
        if any(s.first and s.first.name in (*_ENDS, "!discount") for s in row):
            continue
        if "." not in amount.value or not re.search(r"[.,]\d\d\b", last.text[amount.start :]):
            continue
        text = read_text(Zone(row[0], 0, amount.start if last is row[0] else len(row[0].text),
                              0.7, number), context)  # fmt: skip
        if text and re.search(r"[^\W\d_]{3}", text.value):
            yield {"description": text, "amount": amount}
