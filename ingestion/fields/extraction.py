"""Puts the readings together: one value per field, with its confidence and its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.documents import Document, Fields, FieldValue
from ingestion.fields import (
    breakdown,
    codes,
    days,
    forms,
    layout,
    lines,
    money,
    paper,
    papers,
    parties,
    prose,
    trust,
)
from ingestion.fields.candidates import Found, best, collect
from ingestion.fields.concepts import Concept, asked, guess_kind, kind_named, resolve
from ingestion.fields.context import Context, context
from ingestion.fields.layout import Sheet
from ingestion.fields.reading import Candidate
from ingestion.fields.stated import stated
from ingestion.fields.totals import add_rows_of_three, choose
from ingestion.fields.witness import witness

FIELDS = (
    "vendor", "vendor_tax_id", "customer", "invoice_number", "po_number", "invoice_date",
    "due_date", "currency", "subtotal", "tax", "tax_rate", "total", "amount_due", "iban",
    "payment_terms",
)  # fmt: skip

Chosen = dict[str, Candidate]
_UNKNOWN = FieldValue(None)


@dataclass(slots=True)
class Reading:
    """A document as it was read once: what was chosen, and where more can be looked up."""

    sheet: Sheet
    context: Context
    found: Found
    kind: str
    items: list[lines.Item]
    chosen: Chosen
    every: Chosen  # with what this kind of paper is not said to have
    whole: bool  # every row with an amount is among the items
    document_id: str
    filename: str
    negate: bool
    _own: dict[str, Candidate | None] = field(default_factory=dict)

    @property
    def tags(self) -> tuple[str, ...]:
        tags = paper.tags_of(self.kind, self.context.language, self.chosen, self.found)
        return tags + (() if self.whole else ("lines-incomplete",))

    @property
    def rows(self) -> tuple[dict[str, FieldValue], ...]:
        return tuple({column: self.proved(c) for column, c in i.items()} for i in self.items)

    def proved(self, candidate: Candidate | None) -> FieldValue:
        if candidate is None:
            return _UNKNOWN
        c = candidate
        value = c.value
        if self.negate and c.number and "." in value and re.fullmatch(r"[\d.]+", value):
            value = f"-{value}"
        proof = layout.source(c.segment, c.start, c.end, self.document_id, self.filename)
        certainty = trust.certainty(c.segment.page, proof.start, proof.end)
        return FieldValue(value, trust.calibrated(min(c.confidence, certainty)), proof)

    def field(self, name: str) -> Candidate | None:
        """A field of invoices, or one of `concepts.toml`."""
        if name in self.chosen:
            return self.chosen[name]
        if name not in self._own:
            self._own[name] = papers.read(name, self.sheet, self.context, self.every, self.kind)
        return self._own[name]

    def labelled(self, concept: Concept) -> Candidate | None:
        return next(iter(self.all_labelled(concept)), None)

    def all_labelled(self, concept: Concept) -> list[Candidate]:
        beside = forms.lookup(concept, self.sheet, self.context)
        return beside or prose.lookup(concept, self.sheet, self.context)

    def witnessed(self, name: str, value: str) -> Candidate | None:
        return witness(value, kind_named(name), self.sheet, self.context)

    def title(self) -> Candidate | None:
        return paper.title_of(self.sheet, self.kind)


def read(
    document: Document, document_id: str, filename: str, *, asked_for: bool = False
) -> Reading:
    """`asked_for`: fields of invoices are looked for although the document is none."""
    sheet = layout.sheet(document)
    ctx = context(sheet, document.language)
    found = collect(sheet, ctx)
    kind = paper.kind_of(sheet, found, document.document_type)
    listed = kind in (*paper.PRICED, "delivery_note", "offer")
    items, whole = _items(sheet, ctx, found) if listed else ([], True)
    every = _choose(sheet, ctx, found, items) if asked_for or kind in papers.READ else {}
    chosen = every if asked_for else papers.kept(kind, every)
    if kind == "invoice" and "amount_due" not in chosen and (due := money.owed(sheet, chosen)):
        chosen["amount_due"] = due
    if (told := stated(document)) is not None:
        kind, (every, items) = document.document_type, told
        chosen, whole = every, True
    sign = _sign(kind, chosen)
    items = papers.rows(kind, sheet, ctx) or items
    return Reading(
        sheet, ctx, found, kind, items, chosen, every, whole, document_id, filename, sign
    )


def extract(
    document: Document, document_id: str, filename: str, *, wanted: Sequence[str] | None = None
) -> Fields:
    """The fields of `FIELDS` and those of the document's kind, or those `wanted`, by any name and
    in any language: what no field means is looked up as a label.

    Dates are ISO 8601, amounts plain decimal strings ("1234.50"), the currency ISO 4217; a field
    that was not found is `FieldValue(None)`. Amounts of credit notes are negative. `adjustment` is
    added where shipping, discount or rounding leads from subtotal and tax to the total.
    """
    reading = read(document, document_id, filename, asked_for=wanted is not None)
    if wanted is None:
        names = [*FIELDS, *papers.OWN.get(reading.kind, ())]
        names += ["adjustment"] if "adjustment" in reading.chosen else []
        values = {name: reading.proved(_own(name, reading)) for name in names}
    else:
        values = named(reading, wanted)
    return Fields(reading.kind, values, reading.rows, reading.tags)


def _own(name: str, reading: Reading) -> Candidate | None:
    return reading.chosen.get(name) if name in FIELDS else reading.field(name)


def named(reading: Reading, names: Sequence[str]) -> dict[str, FieldValue]:
    """The values of any names: fields, concepts in five languages, else labels of the paper."""
    return {name: reading.proved(_asked(name, reading)) for name in names}


def seen(reading: Reading, name: str, value: str) -> FieldValue:
    """`value` with its place, where the document holds it; else nothing."""
    return reading.proved(reading.witnessed(name, value))


def _asked(name: str, reading: Reading) -> Candidate | None:
    if name in reading.chosen:
        return reading.chosen[name]
    meant = resolve(name)
    found = reading.field(meant) if meant else None
    return found or reading.labelled(asked(name, guess_kind(name)))


def _items(sheet: Sheet, ctx: Context, found: Found) -> tuple[list[lines.Item], bool]:
    items, whole = lines.items(sheet, ctx)
    if items:
        return items, whole
    goals = {c.number for name in ("subtotal", "total") for c in found.get(name, []) if c.number}
    return lines.proved(sheet, ctx, goals) or lines.unruled(sheet, ctx, goals), True


def _choose(sheet: Sheet, ctx: Context, found: Found, items: list[lines.Item]) -> Chosen:
    add_rows_of_three(found, sheet, ctx)
    breakdown.settle(found, sheet, ctx)
    breakdown.unnamed_tax(found, sheet, ctx)
    amounts = [i["amount"].number or Decimal(0) for i in items if "amount" in i]
    sums = choose(found, sum(amounts, Decimal(0)) if amounts else None)
    chosen = money.chosen(sums, found)
    chosen.update(parties.parties(sheet, found))
    for name in ("invoice_number", "po_number"):
        surest = best(found.get(name, []))
        if surest:
            chosen[name] = surest
    if "po_number" not in chosen and (order := codes.order_by_reference(sheet)):
        chosen["po_number"] = order
    days.add(chosen, sheet, ctx, found)
    own: dict[str, Callable[[], Candidate | None]] = {
        "iban": lambda: codes.iban(sheet),
        "vendor_tax_id": lambda: codes.tax_id(sheet, found, _value(chosen, "vendor")),
        "payment_terms": lambda: best(found.get("payment_terms", [])) or codes.terms(sheet),
        "currency": lambda: money.currency(sheet, ctx, chosen),
    }
    chosen.update({name: value for name, look in own.items() if (value := look())})
    if chosen.get("po_number") and chosen["po_number"].value == _value(chosen, "invoice_number"):
        del chosen["po_number"]
    return chosen


def _value(chosen: Mapping[str, Candidate], name: str) -> str | None:
    return chosen[name].value if name in chosen else None


def _sign(kind: str, chosen: Chosen) -> bool:
    """Whether the amounts of this paper are to be negated: a credit note that prints them plain."""
    total = chosen.get("total") or chosen.get("subtotal")
    return kind == "credit_note" and total is not None and (total.number or 0) > 0
