"""Puts the readings together: one value per field, with its confidence and its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from core.documents import Document, Fields, FieldValue
from ingestion.fields import breakdown, codes, generic, layout, lines, money, paper, parties
from ingestion.fields.candidates import Found, collect
from ingestion.fields.context import Context, context
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Sheet
from ingestion.fields.reading import Candidate
from ingestion.fields.totals import add_rows_of_three, choose

FIELDS = (
    "vendor", "vendor_tax_id", "customer", "invoice_number", "po_number", "invoice_date",
    "due_date", "currency", "subtotal", "tax", "tax_rate", "total", "amount_due", "iban",
    "payment_terms",
)  # fmt: skip

Chosen = dict[str, Candidate]
_DISCOUNT = re.compile(r"skonto|discount|escompte|korting|descuento", re.IGNORECASE)
_EDITION = re.compile(r"\b(?:[\w-]*version|stand|edition|rev\.)\b", re.IGNORECASE)  # of a form
_UNKNOWN = FieldValue(None)


def extract(
    document: Document, document_id: str, filename: str, *, wanted: Sequence[str] | None = None
) -> Fields:
    """The fields of `FIELDS`, or those `wanted`: any other name is looked up as a label.

    Dates are ISO 8601, amounts plain decimal strings ("1234.50"), the currency ISO 4217; a field
    that was not found is `FieldValue(None)`. Amounts of credit notes are negative. `adjustment` is
    added where shipping, discount or rounding leads from subtotal and tax to the total.
    """
    sheet = layout.sheet(document)
    ctx = context(sheet, document.language)
    found = collect(sheet, ctx)
    kind = paper.kind_of(sheet, found, document.document_type)
    priced = kind in paper.PRICED
    items, whole = _items(sheet, ctx, found) if priced else ([], True)
    chosen = _choose(sheet, ctx, found, items) if priced or wanted else {}
    if kind == "invoice" and "amount_due" not in chosen and (due := money.owed(sheet, chosen)):
        chosen["amount_due"] = due
    sign = _sign(kind, chosen)

    def proved(candidate: Candidate | None) -> FieldValue:
        return _proved(candidate, document_id, filename, sign)

    names = list(wanted) if wanted is not None else list(FIELDS)
    if wanted is None and "adjustment" in chosen:
        names.append("adjustment")
    values = {name: proved(_one(name, chosen, sheet, ctx)) for name in names}
    rows = tuple({column: proved(c) for column, c in item.items()} for item in items)
    currency = chosen["currency"].value if "currency" in chosen else None
    tags = paper.tags_of(kind, ctx.language, currency, found)
    tags += () if whole else ("lines-incomplete",)
    return Fields(kind, values, rows, tags)


def _one(name: str, chosen: Chosen, sheet: Sheet, ctx: Context) -> Candidate | None:
    if name in FIELDS or name in chosen:
        return chosen.get(name)
    return generic.lookup(name, sheet, ctx)


def _items(sheet: Sheet, ctx: Context, found: Found) -> tuple[list[lines.Item], bool]:
    items, whole = lines.items(sheet, ctx)
    if items:
        return items, whole
    goals = {c.number for name in ("subtotal", "total") for c in found.get(name, []) if c.number}
    return lines.unruled(sheet, ctx, goals), True


def _choose(sheet: Sheet, ctx: Context, found: Found, items: list[lines.Item]) -> Chosen:
    add_rows_of_three(found, sheet, ctx)
    breakdown.settle(found, sheet, ctx)
    breakdown.unnamed_tax(found, sheet, ctx)
    amounts = [i["amount"].number or Decimal(0) for i in items if "amount" in i]
    sums = choose(found, sum(amounts, Decimal(0)) if amounts else None)
    chosen = money.chosen(sums, found)
    chosen.update(parties.parties(sheet, found))
    for name in ("invoice_number", "po_number"):
        best = _best(found.get(name, []))
        if best:
            chosen[name] = best
    _dates(chosen, sheet, ctx, found)
    own: dict[str, Callable[[], Candidate | None]] = {
        "iban": lambda: codes.iban(sheet),
        "vendor_tax_id": lambda: codes.tax_id(sheet, found, _value(chosen, "vendor")),
        "payment_terms": lambda: _best(found.get("payment_terms", [])) or codes.terms(sheet),
        "currency": lambda: money.currency(sheet, ctx, chosen),
    }
    chosen.update({name: value for name, read in own.items() if (value := read())})
    if chosen.get("po_number") and chosen["po_number"].value == _value(chosen, "invoice_number"):
        del chosen["po_number"]
    return chosen


def _value(chosen: Chosen, name: str) -> str | None:
    return chosen[name].value if name in chosen else None


def _best(candidates: Sequence[Candidate]) -> Candidate | None:
    """The surest; a value that is found twice is surer; rivals make it doubtful."""
    if not candidates:
        return None
    best = max(candidates, key=lambda c: (round(c.confidence, 2), -c.row))
    same = sum(c.value == best.value for c in candidates)
    rivals = {c.value for c in candidates if c.confidence > best.confidence - 0.05}
    trust = best.confidence + (0.04 if same > 1 else 0.0) - (0.15 if len(rivals) > 1 else 0.0)
    return replace(best, confidence=min(trust, 0.97))


def _dates(chosen: Chosen, sheet: Sheet, ctx: Context, found: Found) -> None:
    for name in ("invoice_date", "due_date"):
        best = _best(found.get(name, []))
        if best:
            chosen[name] = best
    if "due_date" not in chosen and (due := _due(chosen, sheet, ctx, found)):
        chosen["due_date"] = due
    if "invoice_date" not in chosen:
        only = _only_date(sheet, ctx, _value(chosen, "due_date"))
        if only:
            chosen["invoice_date"] = only
    issued, due = chosen.get("invoice_date"), chosen.get("due_date")
    if issued and due and due.value < issued.value:
        worse = issued if issued.confidence < due.confidence else due
        name = "invoice_date" if worse is issued else "due_date"
        chosen[name] = replace(worse, confidence=min(worse.confidence, 0.5))


def _due(chosen: Chosen, sheet: Sheet, ctx: Context, found: Found) -> Candidate | None:
    """The day in the terms of payment, `Payable by: 1 February`, or in a sentence that asks."""
    for terms in found.get("payment_terms", []):
        hits = find_dates(terms.segment.text[terms.start : terms.end])
        if len(hits) == 1 and (hits[0].start == 0 or not _DISCOUNT.search(terms.value)):
            at, value = terms.start, hits[0].read(ctx.order).isoformat()
            if value >= (_value(chosen, "invoice_date") or ""):
                return replace(
                    terms, value=value, confidence=0.75, start=at + hits[0].start,
                    end=at + hits[0].end,
                )  # fmt: skip
    return codes.due_sentence(sheet, ctx)


def _only_date(sheet: Sheet, ctx: Context, due: str | None) -> Candidate | None:
    """The date of a paper that names no date: the first one, if it is the only one near the top."""
    seen: list[Candidate] = []
    for number, row in enumerate(sheet.rows):
        for segment in row:
            if any(label.name in ("!other_date", "due_date") for s in row for label in s.labels):
                continue
            if any(_EDITION.search(s.text) for s in row):
                continue
            hits = find_dates(segment.text)
            for hit in hits if len(hits) == 1 else ():  # two are a period
                value = hit.read(ctx.order).isoformat()
                if value != due:
                    sure = 0.6 if not hit.other or ctx.order else 0.4
                    seen.append(Candidate(value, sure, segment, hit.start, hit.end, number))
    values = {c.value for c in seen}
    if not seen or len(values) > 3:
        return None
    return replace(seen[0], confidence=seen[0].confidence - 0.1 * (len(values) - 1))


def _sign(kind: str, chosen: Chosen) -> bool:
    """Whether the amounts of this paper are to be negated: a credit note that prints them plain."""
    total = chosen.get("total") or chosen.get("subtotal")
    return kind == "credit_note" and total is not None and (total.number or 0) > 0


def _proved(
    candidate: Candidate | None, document_id: str, filename: str, negate: bool
) -> FieldValue:
    if candidate is None:
        return _UNKNOWN
    c = candidate
    value = c.value
    if negate and c.number and "." in value and re.fullmatch(r"[\d.]+", value):
        value = f"-{value}"
    proof = layout.source(c.segment, c.start, c.end, document_id, filename)
    return FieldValue(value, round(min(max(c.confidence, 0.05), 0.99), 2), proof)
