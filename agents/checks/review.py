"""All checks of an invoice review in one pure function, and the facts that its report reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from agents.checks.duplicates import check_duplicates
from agents.checks.facts import (
    CurrencyTotal,
    DocumentFact,
    ExceptionFact,
    Figure,
    InvoiceFacts,
    LedgerFact,
    MonthTotal,
    Unreadable,
    VendorTotal,
)
from agents.checks.ledger import Ledger, Payment
from agents.checks.orders import check_order
from agents.checks.papers import BILLS, Finding, Paper, money, same_vendor
from agents.checks.payments import check_payment, paid_figure, payments_of
from agents.checks.sums import check_sums
from core.documents import Fields

TOLERANCE = Decimal("0.02")
_NEEDED = {
    "invoice": ("vendor", "invoice_number", "invoice_date", "currency", "total"),
    "credit_note": ("vendor", "invoice_number", "currency", "total"),
    "receipt": ("total",),
}
_WEIGHT = {"high": 0, "medium": 1, "low": 2}
_NONE: Figure = {"value": None, "source": None}
_FIGURES = (
    "vendor", "invoice_number", "po_number", "invoice_date", "due_date", "currency", "subtotal",
    "tax", "total",
)  # fmt: skip


def review(
    papers: Sequence[Paper],
    ledgers: Sequence[Ledger],
    unreadable: Sequence[Unreadable],
    as_of: date,
    tolerance: Decimal = TOLERANCE,
) -> InvoiceFacts:
    """`papers` in the order given by the caller; those that are no bills are left out."""
    bills = [paper for paper in papers if paper.document_type in BILLS]
    ledger = _merged(ledgers)
    paid = {bill.document_id: payments_of(bill, ledger.payments) for bill in bills}
    findings = [
        *(f for bill in bills for f in _of_one(bill, ledger, paid, as_of, tolerance)),
        *check_duplicates(bills),
    ]
    exceptions = [finding.exception() for finding in findings]
    exceptions += [_unreadable(one) for one in unreadable]
    exceptions.sort(key=lambda e: (_WEIGHT[e["severity"]], e["filename"], e["kind"], e["id"]))
    documents = [
        _document(bill, exceptions, paid_figure(
            bill, paid[bill.document_id], bool(ledger.payments), tolerance))
        for bill in bills
    ]  # fmt: skip
    kinds = Counter(exception["kind"] for exception in exceptions)
    return {
        "as_of": as_of.isoformat(),
        "totals": _totals(bills),
        "documents": documents + [_lost(one, exceptions) for one in unreadable],
        "exceptions": exceptions,
        "by_vendor": _by_vendor(bills),
        "by_month": _by_month(bills),
        "by_kind": [{"kind": kind, "count": count} for kind, count in kinds.most_common()],
        "unreadable": list(unreadable),
        "ledger": _ledger_fact(ledgers, ledger),
    }


def _merged(ledgers: Sequence[Ledger]) -> Ledger:
    orders = tuple(order for ledger in ledgers for order in ledger.orders)
    payments = tuple(payment for ledger in ledgers for payment in ledger.payments)
    return Ledger("", "", orders, payments)


def _of_one(
    bill: Paper,
    ledger: Ledger,
    paid: Mapping[str, Sequence[Payment]],
    as_of: date,
    tolerance: Decimal,
) -> Iterator[Finding]:
    yield from check_sums(bill, tolerance)
    if ledger.orders or ledger.payments:
        yield from check_order(bill, ledger.orders, tolerance)
    if ledger.payments:
        yield from check_payment(bill, paid[bill.document_id], as_of, tolerance)
    for name in _NEEDED[bill.document_type]:
        if bill.text(name) is None:
            words = name.replace("_", " ")
            severity = "medium" if name in ("total", "invoice_number") else "low"
            yield Finding(
                "missing_field", "medium" if severity == "medium" else "low",
                f"No {words} was found on this {bill.document_type.replace('_', ' ')}.",
                bill, None, bill.sources("invoice_number", "vendor", "total"), name,
            )  # fmt: skip


def _unreadable(one: Unreadable) -> ExceptionFact:
    paper = Paper(one["document_id"], one["filename"], "other", Fields("other"))
    message = f"{one['filename']} could not be read: {one['error']}"
    return Finding("unreadable_document", "medium", message, paper).exception()


def _document(bill: Paper, exceptions: Sequence[ExceptionFact], paid: Figure) -> DocumentFact:
    ids = [e["id"] for e in exceptions if e["document_id"] == bill.document_id]
    vendor, number, po, issued, due, currency, subtotal, tax, total = map(bill.figure, _FIGURES)
    return {
        "document_id": bill.document_id, "filename": bill.filename,
        "document_type": bill.document_type, "status": "exception" if ids else "ok",
        "vendor": vendor, "invoice_number": number, "po_number": po, "invoice_date": issued,
        "due_date": due, "currency": currency, "subtotal": subtotal, "tax": tax, "total": total,
        "paid": paid, "exceptions": ids,
    }  # fmt: skip


def _lost(one: Unreadable, exceptions: Sequence[ExceptionFact]) -> DocumentFact:
    ids = [e["id"] for e in exceptions if e["document_id"] == one["document_id"]]
    return {
        "document_id": one["document_id"], "filename": one["filename"], "document_type": "other",
        "status": "unreadable", "vendor": _NONE, "invoice_number": _NONE, "po_number": _NONE,
        "invoice_date": _NONE, "due_date": _NONE, "currency": _NONE, "subtotal": _NONE,
        "tax": _NONE, "total": _NONE, "paid": _NONE, "exceptions": ids,
    }  # fmt: skip


def _counted(bills: Sequence[Paper]) -> Iterator[tuple[Paper, str, Decimal]]:
    """Bills with an amount and a currency; a bill that came twice counts once."""
    twice = {finding.paper.document_id for finding in check_duplicates(bills)}
    for bill in bills:
        total, currency = bill.amount("total"), bill.text("currency")
        if total is not None and currency and bill.document_id not in twice:
            yield bill, currency, total


def _totals(bills: Sequence[Paper]) -> list[CurrencyTotal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    counts: Counter[str] = Counter()
    for _, currency, total in _counted(bills):
        sums[currency] += total
        counts[currency] += 1
    return [
        {"currency": currency, "count": counts[currency], "total": money(sums[currency])}
        for currency in sorted(sums)
    ]


def _by_vendor(bills: Sequence[Paper]) -> list[VendorTotal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    names: list[str] = []
    for bill, currency, total in _counted(bills):
        vendor = bill.text("vendor") or "Unknown"
        name = next((known for known in names if same_vendor(known, vendor)), vendor)
        names += [name] if name not in names else []
        sums[name, currency] += total
    ranked = sorted(sums.items(), key=lambda item: (item[0][1], -item[1], item[0][0]))
    return [{"vendor": v, "currency": c, "total": money(total)} for (v, c), total in ranked]


def _by_month(bills: Sequence[Paper]) -> list[MonthTotal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for bill, currency, total in _counted(bills):
        issued = bill.text("invoice_date")
        if issued:
            sums[issued[:7], currency] += total
    return [{"month": m, "currency": c, "total": money(t)} for (m, c), t in sorted(sums.items())]


def _ledger_fact(ledgers: Sequence[Ledger], merged: Ledger) -> LedgerFact | None:
    useful = [ledger for ledger in ledgers if ledger.useful]
    if not useful:
        return None
    return {
        "document_id": useful[0].document_id,
        "filename": ", ".join(ledger.filename for ledger in useful),
        "orders": len(merged.orders),
        "payments": len(merged.payments),
    }
