"""Does an invoice add up: lines and subtotal, subtotal and tax and total, price by price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from agents.checks.papers import Finding, Paper, decimal, fact, shown
from core.documents import FieldValue

Item = dict[str, FieldValue]
_USUAL_DISCOUNTS = {Decimal(n) / 100 for n in (2, 3, 5, 10, 15, 20, 25, 30, 33, 40, 50)}


def check_sums(paper: Paper, tolerance: Decimal) -> Iterator[Finding]:
    yield from _total(paper, tolerance)
    yield from _lines(paper, tolerance)
    for number, item in enumerate(paper.fields.line_items, 1):
        yield from _line(paper, number, item, tolerance)


def _total(paper: Paper, tolerance: Decimal) -> Iterator[Finding]:
    net, tax, total = (paper.amount(name) for name in ("subtotal", "tax", "total"))
    if net is None or total is None or tax is None or not paper.sure("subtotal", "tax", "total"):
        return
    extra = paper.amount("adjustment") or Decimal(0)
    made = net + tax + extra
    if abs(made - total) <= tolerance or abs(net - total) <= tolerance:  # tax may be included
        return
    currency = paper.text("currency")
    yield Finding(
        "lines_do_not_add_up", "high",
        f"Subtotal {shown(net, currency)} and tax {shown(tax, currency)} make"
        f" {shown(made, currency)}, but the total says {shown(total, currency)}.",
        paper, abs(total - made), paper.sources("subtotal", "tax", "total"), "total",
    )  # fmt: skip


def _lines(paper: Paper, tolerance: Decimal) -> Iterator[Finding]:
    items = [item for item in paper.fields.line_items if item.get("amount")]
    amounts = [decimal(item["amount"].value) for item in items]
    if not items or None in amounts or "lines-incomplete" in paper.fields.tags:
        return
    made = sum((a for a in amounts if a is not None), Decimal(0))
    name = "subtotal" if paper.amount("subtotal") is not None else "total"
    stated = paper.amount(name)
    if stated is None or not paper.sure(name) or _explained(paper, made, tolerance):
        return
    currency = paper.text("currency")
    lines = [fact(v.source) for item in items if (v := item["amount"]).source]
    yield Finding(
        "lines_do_not_add_up", "high",
        f"The {len(items)} lines add up to {shown(made, currency)}, but the {name} says"
        f" {shown(stated, currency)}.",
        paper, abs(stated - made), [*paper.sources(name), *lines[:20]], "lines",
    )  # fmt: skip


def _explained(paper: Paper, made: Decimal, tolerance: Decimal) -> bool:
    """Whether the lines' sum is the subtotal or the total, before or after tax and adjustment."""
    net, tax, total = (paper.amount(name) for name in ("subtotal", "tax", "total"))
    extra = paper.amount("adjustment") or Decimal(0)
    goals = [g for g in (net, total) if g is not None]
    goals += [total - tax] if total is not None and tax is not None else []
    allowed = tolerance + Decimal("0.005") * len(paper.fields.line_items)
    return any(abs(goal - made) <= allowed or abs(goal - extra - made) <= allowed for goal in goals)


def _line(paper: Paper, number: int, item: Item, tolerance: Decimal) -> Iterator[Finding]:
    parts = [item.get(name) for name in ("quantity", "unit_price", "amount")]
    values = [decimal(part.value) if part else None for part in parts]
    quantity, price, amount = values
    if quantity is None or price is None or amount is None:
        return
    made = quantity * price
    allowed = tolerance + abs(quantity) * Decimal("0.005")
    if abs(abs(made) - abs(amount)) <= allowed or _rated(item, made, amount, allowed):
        return
    currency = paper.text("currency")
    yield Finding(
        "lines_do_not_add_up", "medium",
        f"Line {number}: {quantity.normalize():f} × {shown(price, currency)} make"
        f" {shown(made, currency)}, but the line says {shown(amount, currency)}.",
        paper, abs(amount - made),
        [fact(p.source) for p in parts if p and p.source], f"line {number}",
    )  # fmt: skip


def _rated(item: Item, made: Decimal, amount: Decimal, allowed: Decimal) -> bool:
    """Whether a usual discount, or the line's own tax, explains the difference."""
    if any(abs(made * (1 - rate) - amount) <= allowed for rate in _USUAL_DISCOUNTS):
        return True
    rate = decimal(item["tax"].value) if item.get("tax") else None
    if rate is None or not 0 < rate < 40:
        return False
    factor = 1 + rate / 100
    return abs(made * factor - amount) <= allowed or abs(made / factor - amount) <= allowed
