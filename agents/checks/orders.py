"""Is the purchase order there, is it this vendor's, and does the invoice stay within it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from agents.checks.facts import SourceFact
from agents.checks.ledger import Order
from agents.checks.papers import Finding, Paper, same_code, same_vendor, shown


def check_order(paper: Paper, orders: Sequence[Order], tolerance: Decimal) -> Iterator[Finding]:
    """Invoices only; without orders in the ledger an order's number cannot be looked up."""
    if paper.document_type != "invoice":
        return
    number = paper.text("po_number")
    total = paper.amount("total")
    if number is None:
        yield Finding(
            "po_missing", "medium", "The invoice names no purchase order.", paper, total,
            paper.sources("invoice_number", "total"),
        )  # fmt: skip
        return
    if not orders:
        return
    order = next((o for o in orders if same_code(o.number, number)), None)
    if order is None:
        yield Finding(
            "po_not_in_ledger", "high",
            f"Purchase order {number} is not among the {len(orders)} orders of the ledger.",
            paper, total, paper.sources("po_number", "total"),
        )  # fmt: skip
        return
    yield from _compare(paper, order, tolerance)


def _compare(paper: Paper, order: Order, tolerance: Decimal) -> Iterator[Finding]:
    if same_vendor(paper.text("vendor"), order.vendor) is False and paper.sure("vendor"):
        yield Finding(
            "po_vendor_mismatch", "high",
            f"Purchase order {order.number} was given to {order.vendor},"
            f" but the invoice is from {paper.text('vendor')}.",
            paper, paper.amount("total"),
            [*paper.sources("po_number", "vendor"), *_proof(order, "po", "vendor")],
        )  # fmt: skip
    limit = _limit(paper, order)
    currency = paper.text("currency")
    if limit is None or (order.currency and currency and order.currency != currency):
        return
    billed, allowed, field, column = limit
    if billed - allowed > tolerance:
        yield Finding(
            "po_amount_exceeded", "high",
            f"The invoice's {field} {shown(billed, currency)} is above the"
            f" {shown(allowed, order.currency or currency)} of purchase order {order.number}.",
            paper, billed - allowed,
            [*paper.sources("po_number", field), *_proof(order, "po", column)],
        )  # fmt: skip


def _limit(paper: Paper, order: Order) -> tuple[Decimal, Decimal, str, str] | None:
    """Billed and allowed amount, like with like: net with net where both are known."""
    net, total = paper.amount("subtotal"), paper.amount("total")
    if net is not None and order.net is not None:
        return net, order.net, "subtotal", "net"
    allowed = order.gross if order.gross is not None else order.net
    if total is None or allowed is None:
        return None
    column = "gross" if "gross" in order.proof else "amount" if "amount" in order.proof else "net"
    return total, allowed, "total", column


def _proof(order: Order, *columns: str) -> list[SourceFact]:
    return [order.proof[name] for name in columns if name in order.proof]
