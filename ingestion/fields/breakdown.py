"""Tables with one row per tax rate: their sums are the paper's, their rows are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ingestion.fields.candidates import Found
from ingestion.fields.context import Context
from ingestion.fields.layout import Row, Sheet
from ingestion.fields.numbers import plain
from ingestion.fields.reading import Candidate

_CENT = Decimal("0.02")
_USUAL = {Decimal(n) for n in ("5.5", "6", "7", "8.1", "9", "10", "12", "19", "20", "21", "25")}
_SUMS = ("subtotal", "tax", "total")
_DUTY = re.compile(
    r"\b(?:vat|tax|gst|mwst|ust|steuer\w*|tva|taxe|btw|iva|cuota|umsatzsteuer|mehrwertsteuer)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RateRow:
    """Net and tax, and mostly their sum, in one row of the paper."""

    number: int
    rate: Decimal | None
    net: Candidate
    tax: Candidate
    gross: Candidate | None

    @property
    def parts(self) -> tuple[Decimal, Decimal]:
        return _value(self.net), _value(self.tax)


def settle(found: Found, sheet: Sheet, context: Context) -> None:
    """Replaces, in `found`, the amounts of single rates by those of the row that sums them up."""
    for group in _groups(list(_rows(sheet, context)), sheet):
        sums = _sums(group, sheet, context)
        single = {id(s) for row in group for s in sheet.rows[row.number]}
        if sums:
            _forget(found, single, _SUMS)
        else:
            _forget(found, single, ("subtotal", "total"))
            sums = _added(group, found)
            if sums:
                _forget(found, single, ("tax",))
        if sums:
            found.setdefault("subtotal", []).append(sums.net)
            found.setdefault("tax", []).append(sums.tax)
            if sums.gross:
                found.setdefault("total", []).append(sums.gross)


def _forget(found: Found, segments: set[int], names: Sequence[str]) -> None:
    for name in names:
        found[name] = [c for c in found.get(name, []) if id(c.segment) not in segments]


def _added(group: Sequence[RateRow], found: Found) -> RateRow | None:
    """The sums that no row holds, where the total proves them; their sources span the rows."""
    net = sum((row.parts[0] for row in group), Decimal(0))
    tax = sum((row.parts[1] for row in group), Decimal(0))
    totals = [*found.get("total", []), *found.get("amount_due", [])]
    if not any(abs(_value(c) - net - tax) <= _CENT for c in totals):
        return None
    number = group[-1].number
    return RateRow(
        number, None, _spanning([row.net for row in group], net),
        _spanning([row.tax for row in group], tax), None,
    )  # fmt: skip


def _spanning(parts: Sequence[Candidate], value: Decimal) -> Candidate:
    page = parts[0].segment.page
    start = min(c.segment.start + c.start for c in parts)
    end = max(c.segment.start + c.end for c in parts)
    whole = replace(parts[0].segment, text=page.text[start:end], start=start, cell=None)
    first, last = parts[0], parts[-1]
    return Candidate(plain(value), 0.75, whole, 0, end - start, last.row, value, first.currency)


def _rows(sheet: Sheet, context: Context) -> Iterator[RateRow]:
    for number, row in enumerate(sheet.rows):
        read = _read(row, number, context) if len(row) <= 12 else None
        if read:
            yield read


def _read(row: Row, number: int, context: Context) -> RateRow | None:
    """Net, tax and gross where the first two add up to the third; else net and tax that a rate of
    the same row connects."""
    amounts = list(_amounts(row, number, context))
    rates = list(_rates(row, context, {c.segment.start + c.start for c in amounts}))
    for i, net in enumerate(amounts):
        for tax, gross in zip(amounts[i + 1 :], amounts[i + 2 :], strict=False):
            rate = _rate_of(_value(net), _value(tax), rates)
            if rate is not None and abs(_value(net) + _value(tax) - _value(gross)) <= _CENT:
                return RateRow(number, rate, net, tax, gross)
    for a in amounts:
        for b in amounts:
            rate = _rate_of(_value(a), _value(b), rates)
            if a is not b and rate:
                return RateRow(number, rate, a, b, None)
    return None


def _amounts(row: Row, number: int, context: Context) -> Iterator[Candidate]:
    for s in row:
        for a in context.amounts(s.text, parted=True):
            if a.decimals == 2 and not a.percent:
                yield Candidate(
                    plain(a.value), 0.9, s, a.start, a.end, number, a.value, a.currency, label=""
                )


def _rates(row: Row, context: Context, amounts: set[int]) -> Iterator[Decimal]:
    for s in row:
        for a in context.amounts(s.text, parted=True):
            bare = s.start + a.start not in amounts or a.value in _USUAL
            if 0 <= a.value <= 30 and (a.percent or (bare and not a.currency)):
                yield a.value


def _rate_of(net: Decimal, tax: Decimal, rates: Sequence[Decimal]) -> Decimal | None:
    """The rate that leads from `net` to `tax`; None when none of the row does."""
    if net == 0 or abs(tax) > abs(net):
        return None
    return next((r for r in rates if r and abs(net * r / 100 - tax) <= _CENT), None)


def _groups(rows: Sequence[RateRow], sheet: Sheet) -> Iterator[list[RateRow]]:
    """Two or more neighbouring rows of different rates."""
    group: list[RateRow] = []
    for row in rows:
        near = group and row.number - group[-1].number <= 2 and _same_page(sheet, row, group[-1])
        fresh = row.rate not in {other.rate for other in group} and not _is_sum(row, group)
        if group and not (near and fresh):
            if len(group) > 1:
                yield group
            group = []
        group.append(row)
    if len(group) > 1:
        yield group


def _is_sum(row: RateRow, group: Sequence[RateRow]) -> bool:
    parts = [sum((other.parts[i] for other in group), Decimal(0)) for i in (0, 1)]
    return len(group) > 1 and all(
        abs(a - b) <= _CENT for a, b in zip(parts, row.parts, strict=True)
    )


def _same_page(sheet: Sheet, a: RateRow, b: RateRow) -> bool:
    return sheet.rows[a.number][0].page is sheet.rows[b.number][0].page


def _sums(group: Sequence[RateRow], sheet: Sheet, context: Context) -> RateRow | None:
    """The row above or below that holds the sums of the group's nets and taxes."""
    net = sum((row.parts[0] for row in group), Decimal(0))
    tax = sum((row.parts[1] for row in group), Decimal(0))
    after = range(group[-1].number + 1, min(group[-1].number + 4, len(sheet.rows)))
    before = range(group[0].number - 1, max(group[0].number - 3, -1), -1)
    for number in (*after, *before):
        amounts = list(_amounts(sheet.rows[number], number, context))
        a = next((c for c in amounts if abs(_value(c) - net) <= _CENT), None)
        b = next((c for c in amounts if c is not a and abs(_value(c) - tax) <= _CENT), None)
        if a and b:
            whole = (c for c in amounts if abs(_value(c) - net - tax) <= _CENT)
            return RateRow(number, None, a, b, next(whole, None))
    return None


def unnamed_tax(found: Found, sheet: Sheet, context: Context) -> None:
    """The amount between subtotal and total that is their difference, where no label names it."""
    if found.get("tax"):
        return
    for net in found.get("subtotal", []):
        for gross in found.get("total", []):
            gap = _value(gross) - _value(net)
            if not net.row < gross.row <= net.row + 6 or not 0 < gap < abs(_value(net)) * 3 / 10:
                continue
            for number in range(net.row + 1, gross.row):
                row = sheet.rows[number]
                if not any("%" in s.text or _DUTY.search(s.text) for s in row):
                    continue
                found.setdefault("tax", []).extend(
                    c for c in _amounts(row, number, context) if abs(_value(c) - gap) <= _CENT
                )


def _value(c: Candidate) -> Decimal:
    return c.number or Decimal(0)
