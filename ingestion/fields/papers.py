"""What each kind of paper tells beside an invoice's fields, and which of those it tells at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ingestion.fields import clauses, days, deeds, forms, grids, lines, prose
from ingestion.fields.concepts import CONCEPTS, Concept
from ingestion.fields.context import Context
from ingestion.fields.labels import KINDS, LABELS
from ingestion.fields.layout import Sheet
from ingestion.fields.paper import PRICED
from ingestion.fields.reading import Candidate

OWN: dict[str, tuple[str, ...]] = {
    "contract": (
        "first_party", "second_party", "contract_number", "contract_date", "contract_start",
        "contract_end", "notice_period", "term", "renewal_term", "governing_law", "contract_value",
    ),
    "bank_statement": (
        "bank", "account_holder", "bic", "statement_number", "statement_date", "period",
        "opening_balance", "closing_balance",
    ),
    "payslip": (
        "employer", "employee", "employee_number", "period", "payment_date", "gross_pay", "net_pay",
    ),
    "offer": ("offer_number", "offer_date", "valid_until", "customer_number"),
    "delivery_note": (
        "delivery_note_number", "delivery_date", "order_number", "customer_number", "weight",
    ),
    "purchase_order": ("order_number", "order_date", "delivery_date"),
    "receipt": ("payment_method",),
}  # fmt: skip

# The fields of invoices that these kinds have too; those of `PRICED` have all of them.
_KEPT: dict[str, tuple[str, ...]] = {
    "offer": (
        "vendor", "vendor_tax_id", "customer", "po_number", "currency", "subtotal", "tax",
        "tax_rate", "total", "adjustment", "iban", "payment_terms",
    ),
    "delivery_note": ("vendor", "vendor_tax_id", "customer", "po_number"),
    "bank_statement": ("iban", "currency"),
    "payslip": ("iban", "currency"),
    "contract": (),
}  # fmt: skip
READ = (*PRICED, *_KEPT)

# Where the own label is missing, these say it less surely.
_INSTEAD = {
    "offer_date": ("document_date",), "statement_date": ("document_date",),
    "delivery_date": ("document_date",), "contract_date": ("document_date",),
    "order_date": ("document_date",), "order_number": ("po_number",),
    "po_number": ("order_number",),
    "payment_date": ("document_date",),
}  # fmt: skip
_FALLBACK_KINDS = {
    "delivery_date": ("delivery_note",), "order_date": ("purchase_order",),
    "payment_date": ("payslip",),
}  # fmt: skip
_TRANSACTIONS = (
    grids.Column("date", "date", ("date", "transaction date", "booking date")),
    grids.Column("description", "text", ("description",)),
    grids.Column("amount", "amount", ("amount",)),
    grids.Column("debit", "amount", ("debit",)),
    grids.Column("credit", "amount", ("credit",)),
    grids.Column("balance", "amount", ("balance",)),
)
_EARNINGS = (
    grids.Column("description", "text", ("description",)),
    grids.Column("amount", "amount", ("amount",)),
)


def kept(kind: str, chosen: dict[str, Candidate]) -> dict[str, Candidate]:
    if kind not in _KEPT:
        return chosen
    return {name: chosen[name] for name in _KEPT[kind] if name in chosen}


def rows(kind: str, sheet: Sheet, context: Context) -> list[lines.Item]:
    """The rows of a bank statement or of a payslip; [] for other kinds."""
    columns = {"bank_statement": _TRANSACTIONS, "payslip": _EARNINGS}.get(kind)
    return grids.records(columns, sheet, context) if columns else []


def read(
    name: str, sheet: Sheet, context: Context, chosen: Mapping[str, Candidate], kind: str
) -> Candidate | None:
    """A field by its labels, then by sentences, then by what else tells it."""
    concept = CONCEPTS.get(name) or _of_invoice(name)
    if concept is None:
        return None
    special = _SPECIAL.get(name)
    if special and (value := special(sheet, context, chosen)):
        return value
    if kind == "contract" and context.language == "en" and name in (*clauses.NAMES, *_SIDES):
        agreed = _agreed(name, concept, sheet, context)
        if agreed or not _short(sheet):
            return agreed
    beside = forms.lookup(concept, sheet, context)
    if beside:
        return _weighed(beside)
    said = prose.lookup(concept, sheet, context, free=kind == "contract")
    if said:
        return _weighed(said)
    for other in _INSTEAD.get(name, ()):
        if other == "document_date" and kind not in _FALLBACK_KINDS.get(name, (kind,)):
            continue
        value = chosen.get(other) or read(other, sheet, context, chosen, "")
        if value:
            return replace(value, confidence=value.confidence - 0.2)
    return _last(name, sheet, context, chosen)


_LETTER = 1500  # characters; what a contract of a page says in passing is its term all the same


def _short(sheet: Sheet) -> bool:
    return sum(len(segment.text) for row in sheet.rows for segment in row) <= _LETTER


_SIDES = ("first_party", "second_party")


def _agreed(name: str, concept: Concept, sheet: Sheet, context: Context) -> Candidate | None:
    """Of an English contract: what its table of terms says beside a label, else its clauses."""
    beside = [c for c in forms.lookup(concept, sheet, context) if c.confidence >= 0.79]
    if name in _SIDES:
        beside = _without_alias(beside)
    if beside:
        return _weighed(beside)
    return clauses.read(name, sheet, context) if name in clauses.NAMES else None


def _weighed(candidates: list[Candidate]) -> Candidate:
    """The surest; doubtful where another, as sure, says something else."""
    first = candidates[0]
    rivals = {c.value for c in candidates if c.confidence > first.confidence - 0.05}
    return first if len(rivals) == 1 else replace(first, confidence=first.confidence - 0.14)


def _of_invoice(name: str) -> Concept | None:
    """An invoice's field on a paper that is none."""
    if name not in KINDS:
        return None
    labels = tuple(p.rstrip("+") for words in LABELS[name].values() for p in words)
    return Concept(name, KINDS[name], labels)


def _last(
    name: str, sheet: Sheet, context: Context, chosen: Mapping[str, Candidate]
) -> Candidate | None:
    if name in ("employer", "bank") and (writer := chosen.get("vendor")):
        return replace(writer, confidence=writer.confidence - 0.1)  # the letterhead
    if name in ("offer_date", "contract_date", "statement_date"):
        alone = days.only(sheet, context, None)
        return replace(alone, confidence=alone.confidence - 0.1) if alone else None
    return None


_ALIAS = re.compile(r"\s*\((?:[\"“„«']|the |hereinafter).*$", re.IGNORECASE | re.DOTALL)


def _without_alias(found: list[Candidate]) -> list[Candidate]:
    """`Rise Consulting Ltd. ("Provider")` is called by its name."""
    return [
        replace(c, value=name, end=c.start + len(c.segment.text[c.start : c.end].rstrip()))
        for c in found if (name := _ALIAS.sub("", c.value).strip())
    ]  # fmt: skip


def _side(place: int) -> Callable[[Sheet, Context, Mapping[str, Candidate]], Candidate | None]:
    def read(sheet: Sheet, context: Context, chosen: Mapping[str, Candidate]) -> Candidate | None:
        found = deeds.sides(sheet)
        return found[place] if found else None

    return read


_SPECIAL = {"first_party": _side(0), "second_party": _side(1)}
