"""Was it paid, once, in full and in time. Amounts of two currencies are never compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from agents.checks.facts import Figure, SourceFact
from agents.checks.ledger import Payment
from agents.checks.papers import Finding, Paper, same_code, same_vendor, shown


def payments_of(paper: Paper, payments: Sequence[Payment]) -> list[Payment]:
    """By the invoice's number and vendor; an invoice without number by vendor and exact amount."""
    number = paper.text("invoice_number")
    if number:
        return [
            p for p in payments
            if same_code(p.invoice, number)
            and (same_vendor(p.vendor, paper.text("vendor")) is not False or _same_sum(p, paper))
        ]  # fmt: skip
    return [
        p for p in payments
        if same_vendor(p.vendor, paper.text("vendor")) and _same_sum(p, paper)
    ]  # fmt: skip


def _same_sum(payment: Payment, paper: Paper) -> bool:
    same = payment.amount == paper.amount("total") and payment.amount is not None
    return same and payment.currency in (None, paper.text("currency"))


def check_payment(
    paper: Paper, found: Sequence[Payment], as_of: date, tolerance: Decimal
) -> Iterator[Finding]:
    total, currency = paper.amount("total"), paper.text("currency")
    if not found:
        if paper.document_type == "invoice":
            yield from _overdue(paper, as_of)
        return
    if total is None:
        return
    foreign = [p for p in found if p.currency and currency and p.currency != currency]
    if foreign:
        yield Finding(
            "payment_amount_differs", "medium",
            f"The invoice is in {currency}, but a payment was made in {foreign[0].currency}.",
            paper, None, [*paper.sources("total", "currency"), *_proof(foreign)],
        )  # fmt: skip
        return
    yield from _compare(paper, total, found, tolerance)


def _compare(
    paper: Paper, total: Decimal, found: Sequence[Payment], tolerance: Decimal
) -> Iterator[Finding]:
    currency = paper.text("currency")
    paid = sum((p.amount or Decimal(0) for p in found), Decimal(0))
    full = [p for p in found if p.amount is not None and abs(p.amount - total) <= tolerance]
    if len(full) > 1 or (len(found) > 1 and paid - total > tolerance):
        yield Finding(
            "paid_twice", "high",
            f"The ledger has {len(found)} payments of together {shown(paid, currency)} for an"
            f" invoice of {shown(total, currency)}.",
            paper, paid - total, [*paper.sources("invoice_number", "total"), *_proof(found)],
        )  # fmt: skip
    elif abs(paid - total) > tolerance:
        word = "less" if paid < total else "more"
        yield Finding(
            "payment_amount_differs", "high",
            f"The ledger says {shown(paid, currency)} was paid,"
            f" {shown(abs(total - paid), currency)} {word} than the invoice's"
            f" {shown(total, currency)}.",
            paper, abs(total - paid), [*paper.sources("total"), *_proof(found)],
        )  # fmt: skip


def _overdue(paper: Paper, as_of: date) -> Iterator[Finding]:
    due, names = due_of(paper)
    total = paper.amount("total")
    if due is None or due >= as_of or (total is not None and total <= 0):
        return
    days = (as_of - due).days
    amount = f" of {shown(total, paper.text('currency'))}" if total is not None else ""
    yield Finding(
        "not_paid_overdue", "high" if days > 30 else "medium",
        f"The invoice{amount} was due on {due.isoformat()}, {days} days before"
        f" {as_of.isoformat()}, and the ledger has no payment for it.",
        paper, total, paper.sources(*names, "total"), "overdue",
    )  # fmt: skip


def due_of(paper: Paper) -> tuple[date | None, tuple[str, ...]]:
    """The due date, else invoice date plus the terms' days; and the fields that it comes from."""
    due = paper.day("due_date")
    if due:
        return due, ("due_date",)
    issued, terms = paper.day("invoice_date"), paper.text("payment_terms") or ""
    days = re.search(r"\b(\d{1,3})\b(?!\s*%)", terms)
    if issued and days:
        return issued + timedelta(days=int(days[1])), ("invoice_date", "payment_terms")
    return None, ()


def paid_figure(paper: Paper, found: Sequence[Payment], ledger: bool, tolerance: Decimal) -> Figure:
    """`yes`, `partly`, `no`, or None without a ledger of payments."""
    if not ledger:
        return {"value": None, "source": None}
    if not found:
        return {"value": "no", "source": None}
    proof = _proof(found)
    total = paper.amount("total")
    paid = sum((p.amount or Decimal(0) for p in found), Decimal(0))
    full = total is None or paid + tolerance >= total
    return {"value": "yes" if full else "partly", "source": proof[0] if proof else None}


def _proof(found: Sequence[Payment]) -> list[SourceFact]:
    columns = ("invoice", "amount", "gross", "net", "paid_on")
    return [p.proof[c] for p in found for c in columns if c in p.proof]
