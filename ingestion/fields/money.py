"""From the agreed sums to the fields subtotal, tax, tax rate, total, amount due and currency."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from ingestion.fields.candidates import Found
from ingestion.fields.context import Context
from ingestion.fields.layout import Sheet
from ingestion.fields.numbers import CODES, find_amounts, plain
from ingestion.fields.reading import Candidate
from ingestion.fields.totals import Sums


def chosen(sums: Sums, found: Found) -> dict[str, Candidate]:
    """Amounts that agree with one another are sure; several that do not are doubtful."""
    fields: dict[str, Candidate] = {}
    for name, candidate in (("total", sums.total), ("subtotal", sums.subtotal)):
        if candidate:
            fields[name] = _weighed(candidate, found.get(name, []), sums)
    net = fields.get("subtotal")
    taxed = any(c.number and c.number > 0 for c in found.get("tax", []))
    if net and taxed and not sums.tax and sums.total and net.number == sums.total.number:
        fields["subtotal"] = replace(net, confidence=min(net.confidence, 0.6))  # one is not net
    tax = _tax(sums)
    if tax:
        fields["tax"] = _weighed(tax, found.get("tax", []), sums)
    if sums.adjustment:
        fields["adjustment"] = replace(sums.adjustment, confidence=0.85)
    due = found.get("amount_due", [])
    if due:
        fields["amount_due"] = max(due, key=lambda c: (c.confidence, c.row))
    rate = _rate(sums, found, fields)
    if rate:
        fields["tax_rate"] = rate
    return fields


_PAID = re.compile(
    r"\b(?:paid|prepaid|deposit|tendered|change|bezahlt|beglichen|zahlung(?:en)? erhalten"
    r"|voraus(?:be)?zahl\w*|anbezahlt|anzahlung\w*|payée?|acquittée?|acomptes?|betaald"
    r"|aanbetaling|voldaan|pagad[oa]|anticipo|abgebucht)\b",
    re.IGNORECASE,
)


def owed(sheet: Sheet, fields: dict[str, Candidate]) -> Candidate | None:
    """The total as the amount due, less surely, where nothing says that some of it is paid."""
    total = fields.get("total")
    if total is None or total.confidence < 0.8 or (total.number or 0) <= 0:
        return None
    short = (s.text for row in sheet.rows for s in row if len(s.text) < 60)
    if any(_PAID.search(text) for text in short):
        return None
    return replace(total, confidence=min(total.confidence - 0.2, 0.7))


def _weighed(c: Candidate, rivals: list[Candidate], sums: Sums) -> Candidate:
    if sums.agree and not sums.clash:
        return replace(c, confidence=min(0.99, max(c.confidence, 0.92) + 0.03 * sums.agree))
    values = {r.number for r in rivals if r.number is not None}
    if sums.clash and sums.tax:  # read alike twice, or the paper itself is wrong
        return replace(c, confidence=min(c.confidence, 0.55 if len(values) > 1 else 0.75))
    if sums.agree:
        return replace(c, confidence=min(c.confidence, 0.85))
    return replace(c, confidence=min(c.confidence, 0.55 if len(values) > 1 else 0.85))


def _tax(sums: Sums) -> Candidate | None:
    """The tax, or the sum of the taxes of several rates with a source that spans them."""
    if len(sums.tax) <= 1:
        return sums.tax[0] if sums.tax else None
    first, last = sums.tax[0], sums.tax[-1]
    start = min(c.segment.start + c.start for c in sums.tax)
    end = max(c.segment.start + c.end for c in sums.tax)
    if not sums.agree or end - start > 400:
        return None
    total = sum((c.number or Decimal(0) for c in sums.tax), Decimal(0))
    page = first.segment.page
    whole = replace(first.segment, text=page.text[start:end], start=start, cell=None)
    return Candidate(plain(total), 0.85, whole, 0, end - start, last.row, total, first.currency)


def _rate(sums: Sums, found: Found, fields: dict[str, Candidate]) -> Candidate | None:
    """The rate beside the chosen tax, else one behind its own label; None for several rates."""
    if len(sums.tax) > 1:
        return None
    for tax in sums.tax:
        spot = _percent_near(tax)
        if spot and _possible(spot, fields):
            return spot
    rates = {c.value: c for c in found.get("tax_rate", []) if _possible(c, fields)}
    return next(iter(rates.values())) if len(rates) == 1 else None


def _percent_near(tax: Candidate) -> Candidate | None:
    segment = tax.segment
    for where in (tax.origin or segment, segment):
        for amount in find_amounts(where.text):
            if amount.percent and 0 <= amount.value < 40:
                value = plain(amount.value, 0)
                return Candidate(value, 0.9, where, amount.start, amount.end, tax.row)
    return None


def _possible(rate: Candidate, fields: dict[str, Candidate]) -> bool:
    """Whether the rate leads from the subtotal to the tax, where both are known."""
    net, tax = fields.get("subtotal"), fields.get("tax")
    if not net or not tax or not net.number or tax.number is None:
        return True
    return abs(net.number * Decimal(rate.value) / 100 - tax.number) <= max(
        Decimal("0.05"), abs(tax.number) * Decimal("0.02")
    )


def currency(sheet: Sheet, ctx: Context, fields: dict[str, Candidate]) -> Candidate | None:
    """The currency written beside the total, else beside another chosen amount, else the one that
    is written most often; a bare $ is settled by the addresses."""
    for name in ("total", "amount_due", "subtotal", "tax"):
        c = fields.get(name)
        if c and c.currency:
            for a in ctx.amounts(c.segment.text):
                if a.currency == c.currency and a.sign_start >= 0:
                    return _written(c, a.sign_start, a.sign_end, a.currency, ctx, 0.95)
    return _label_or_most(sheet, ctx)


def _written(
    c: Candidate, start: int, end: int, code: str, ctx: Context, trust: float
) -> Candidate:
    sign = c.segment.text[start:end]
    if sign == "$":
        code, trust = ctx.dollar, trust if ctx.dollar_sure else 0.8
    return Candidate(code, trust, c.segment, start, end, c.row)


def _label_or_most(sheet: Sheet, ctx: Context) -> Candidate | None:
    if not ctx.currency:
        return None
    for number, row in enumerate(sheet.rows):
        for segment in row:
            at = segment.text.find(ctx.currency)
            base = Candidate(ctx.currency, 0.85, segment, at, at + 3, number)
            if at >= 0 and ctx.currency in CODES and _stands_alone(segment.text, at):
                return base
            for a in ctx.amounts(segment.text):
                sign = segment.text[a.sign_start : a.sign_end] if a.sign_start >= 0 else ""
                if a.currency == ctx.currency or sign == "$":
                    code = a.currency or ctx.currency
                    return _written(base, a.sign_start, a.sign_end, code, ctx, 0.85)
    return None


def _stands_alone(text: str, at: int) -> bool:
    around = text[max(at - 1, 0) : at] + text[at + 3 : at + 4]
    return not any(c.isalnum() for c in around)
