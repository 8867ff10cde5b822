"""The shape of `facts` that the check hands to the report template `invoice-review`.

Amounts are plain decimal strings, dates ISO 8601, currencies ISO 4217; None means not found.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Kind = Literal[
    "lines_do_not_add_up",
    "po_missing",
    "po_not_in_ledger",
    "po_amount_exceeded",
    "po_vendor_mismatch",
    "not_paid_overdue",
    "duplicate_invoice",
    "paid_twice",
    "payment_amount_differs",
    "missing_field",
    "unreadable_document",
]
Severity = Literal["low", "medium", "high"]


class SourceFact(TypedDict):
    """The proof of a figure or a sentence; `quote` is `page.text[start:end]`, `cells` an address
    like `B7`, and None outside spreadsheets."""

    document_id: str
    filename: str
    page: int
    start: int
    end: int
    quote: str
    sheet: str | None
    cells: str | None


class Figure(TypedDict):
    value: str | None
    source: SourceFact | None


class ExceptionFact(TypedDict):
    """One finding. `id` is the same whenever the same documents are checked again."""

    id: str
    kind: Kind
    severity: Severity
    message: str
    document_id: str
    filename: str
    vendor: str | None
    invoice_number: str | None
    amount: str | None
    currency: str | None
    sources: list[SourceFact]


class DocumentFact(TypedDict):
    document_id: str
    filename: str
    document_type: str
    status: Literal["ok", "exception", "unreadable"]
    vendor: Figure
    invoice_number: Figure
    po_number: Figure
    invoice_date: Figure
    due_date: Figure
    currency: Figure
    subtotal: Figure
    tax: Figure
    total: Figure
    paid: Figure  # value: "yes" | "no" | "partly" | None (no ledger); source: the payment's cell
    exceptions: list[str]  # ids of its exceptions


class CurrencyTotal(TypedDict):
    currency: str
    count: int
    total: str


class VendorTotal(TypedDict):
    vendor: str
    currency: str
    total: str


class MonthTotal(TypedDict):
    month: str  # "2026-03"
    currency: str
    total: str


class KindCount(TypedDict):
    kind: Kind
    count: int


class Unreadable(TypedDict):
    document_id: str
    filename: str
    error: str


class LedgerFact(TypedDict):
    document_id: str
    filename: str
    orders: int
    payments: int


class InvoiceFacts(TypedDict):
    """Credit notes count negative in every total; currencies are never added to one another."""

    as_of: str
    totals: list[CurrencyTotal]
    documents: list[DocumentFact]
    exceptions: list[ExceptionFact]
    by_vendor: list[VendorTotal]
    by_month: list[MonthTotal]
    by_kind: list[KindCount]
    unreadable: list[Unreadable]
    ledger: LedgerFact | None
