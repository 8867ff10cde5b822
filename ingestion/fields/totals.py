"""Which of several amounts are subtotal, tax and total: those that agree with one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from ingestion.fields.candidates import Found
from ingestion.fields.context import Context
from ingestion.fields.layout import Sheet
from ingestion.fields.numbers import plain
from ingestion.fields.reading import Candidate

CENT = Decimal("0.02")
_KEEP = 8
_LESSER = 0.35


@dataclass(frozen=True, slots=True)
class Sums:
    """The chosen amounts; `agree` counts the equations that they satisfy. `tax` holds one candidate
    per rate, to be added."""

    subtotal: Candidate | None = None
    tax: tuple[Candidate, ...] = ()
    total: Candidate | None = None
    adjustment: Candidate | None = None  # shipping, discount or rounding that closes the gap
    agree: int = 0
    score: float = 0.0
    clash: bool = False  # subtotal and tax do not lead to the total


def choose(found: Found, lines: Decimal | None) -> Sums:
    """The most agreeing reading; `lines` is the sum of the line items where they were found."""
    totals = _ranked(_total_candidates(found))
    subtotals = _ranked([*found.get("subtotal", []), *_lesser(totals)])
    taxes = list(_tax_sets(_ranked(found.get("tax", []))))
    extras = [c for c in found.get("!discount", []) if c.number]
    readings = (
        _reading(subtotal, tax, total, lines, extras)
        for total in [*totals, None]
        for subtotal in [*subtotals, None]
        for tax in [*taxes, ()]
    )
    return max(readings, key=lambda sums: sums.score, default=Sums())


def add_rows_of_three(found: Found, sheet: Sheet, context: Context) -> None:
    """A row that reads `net tax gross`, with the total as its gross, names all three."""
    totals = {c.number for c in [*found.get("total", []), *found.get("amount_due", [])]}
    for number, row in enumerate(sheet.rows):
        if len(row) > 8 or sum(len(s.text) for s in row) > 160:
            continue
        three = [
            Candidate(plain(a.value), 0.8, s, a.start, a.end, number, a.value, a.currency)
            for s in row
            for a in context.amounts(s.text, parted=True)
            if a.decimals == 2 and not a.percent
        ]
        values = [c.number or Decimal(0) for c in three]
        if len(three) != 3 or values[2] not in totals or not 0 < values[1] < values[0]:
            continue
        if values[0] + values[1] == values[2]:
            found.setdefault("subtotal", []).append(three[0])
            found.setdefault("tax", []).append(three[1])


def _total_candidates(found: Found) -> list[Candidate]:
    due = [replace(c, confidence=c.confidence - 0.06) for c in found.get("amount_due", [])]
    return found.get("total", []) + due


def _lesser(totals: Sequence[Candidate]) -> list[Candidate]:
    """Of several totals the smaller ones, which may be sums before tax."""
    most = max((abs(c.number) for c in totals if c.number), default=Decimal(0))
    return [
        replace(c, confidence=c.confidence - 0.6)
        for c in totals
        if c.number and abs(c.number) < most
    ]


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate per value, the surest first; of equals the last on the paper."""
    best: dict[Decimal, Candidate] = {}
    for c in candidates:
        if c.number is None:
            continue
        known = best.get(c.number)
        if known is None or c.confidence >= known.confidence:
            best[c.number] = c
    ranked = sorted(best.values(), key=lambda c: (c.confidence, c.row), reverse=True)
    return ranked[:_KEEP]


def _tax_sets(taxes: Sequence[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    for size in (1, 2, 3):
        for combination in combinations(taxes[:5], size):
            pages = {c.segment.page.number for c in combination}
            rates = [c.rate for c in combination if c.rate]
            signs = {(c.number or 0) > 0 for c in combination}
            alike = len(pages) == 1 and len(signs) == 1 and len(rates) == len(set(rates))
            if size == 1 or alike:
                yield tuple(sorted(combination, key=lambda c: c.row))


def _reading(
    subtotal: Candidate | None,
    tax: tuple[Candidate, ...],
    total: Candidate | None,
    lines: Decimal | None,
    extras: Sequence[Candidate],
) -> Sums:
    parts = [c for c in (subtotal, total) if c]
    score = sum(c.confidence for c in parts) + (0.4 if tax else 0.0) - 0.25 * max(len(tax) - 1, 0)
    net = subtotal.number if subtotal and subtotal.number is not None else None
    gross = total.number if total and total.number is not None else None
    duty = sum((c.number or Decimal(0) for c in tax), Decimal(0))
    extra = _closing(net, duty, gross, extras)
    closed = _closed(net, duty if tax else None, gross, extra)
    summed = _summed(net, duty if tax else None, gross, lines)
    score += 1.3 * closed + 0.9 * summed
    clash = net is not None and gross is not None and not closed
    if subtotal and subtotal.confidence < _LESSER and not tax:
        score -= 3.0  # a smaller total is a subtotal only before a tax
    if clash:
        score -= 0.5 if tax else 0.2
    if net is not None and gross is not None and abs(net) > abs(gross) + CENT:
        score -= 0.8
    if gross is not None and tax and abs(duty) > abs(gross) * Decimal("0.4"):
        score -= 1.0
    agree = 0 if clash and tax else closed + summed
    return Sums(subtotal, tax, total, extra, agree, score, clash)


def _closing(
    net: Decimal | None, tax: Decimal, gross: Decimal | None, extras: Sequence[Candidate]
) -> Candidate | None:
    """The one other amount that leads from subtotal and tax to the total, with its sign."""
    if net is None or gross is None or abs(gross - net - tax) <= CENT:
        return None
    gap = gross - net - tax
    for c in extras:
        if c.number is not None and abs(abs(c.number) - abs(gap)) <= CENT:
            return replace(c, value=plain(gap), number=gap)
    return None


def _closed(
    net: Decimal | None, tax: Decimal | None, gross: Decimal | None, extra: Candidate | None
) -> int:
    """1 where subtotal and tax, with the one adjustment, lead to the total."""
    if net is None or gross is None:
        return 0
    if abs(gross - net - (tax or 0)) <= CENT:
        return 1 if tax is not None or net == gross else 0
    return 1 if extra else 0


def _summed(
    net: Decimal | None, tax: Decimal | None, gross: Decimal | None, lines: Decimal | None
) -> int:
    """1 where the line items add up to the subtotal, to the total, or to the total without tax."""
    if not lines:
        return 0
    goals = [goal for goal in (net, gross) if goal is not None]
    if gross is not None and tax is not None:
        goals.append(gross - tax)
    return 1 if any(abs(goal - lines) <= CENT for goal in goals) else 0
