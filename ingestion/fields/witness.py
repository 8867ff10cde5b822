"""Whether a value that a model read stands in the text, and where: it is kept only so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from ingestion.fields.context import Context
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.numbers import plain
from ingestion.fields.reading import Candidate

CONFIDENCE = 0.5
_ADDRESS = re.compile(r"://|www\.|\S@\S", re.IGNORECASE)
_LEAST = 2  # characters


def witness(value: str, kind: str, sheet: Sheet, context: Context) -> Candidate | None:
    """The place of `value`, read as `kind`; None where the text does not hold it. A name must
    stand as whole words; an amount or a date may be written in any way that reads the same."""
    text = " ".join(value.split())
    if len(text) < _LEAST or len(text) > 300:
        return None
    if _ADDRESS.search(text) and kind not in ("email", "url"):
        return None  # an address that nobody asked for is what an order in the text wants told
    places = {"date": _dates, "amount": _amounts, "number": _amounts}.get(kind, _words)
    return next(places(text, sheet, context), None)


def _dates(text: str, sheet: Sheet, context: Context) -> Iterator[Candidate]:
    for number, segment in _segments(sheet):
        for hit in find_dates(segment.text):
            if hit.read(context.order).isoformat() == text:
                yield Candidate(text, CONFIDENCE, segment, hit.start, hit.end, number)


def _amounts(text: str, sheet: Sheet, context: Context) -> Iterator[Candidate]:
    try:
        wanted = Decimal(text)
    except InvalidOperation:
        return
    for number, segment in _segments(sheet):
        for amount in context.amounts(segment.text):
            if amount.value == wanted and not amount.percent:
                value = plain(amount.value, 2 if amount.decimals else 0)
                yield Candidate(value, CONFIDENCE, segment, amount.start, amount.end, number,
                                amount.value, amount.currency)  # fmt: skip


def _words(text: str, sheet: Sheet, context: Context) -> Iterator[Candidate]:
    pattern = re.compile(
        r"(?<!\w)" + r"\s+".join(map(re.escape, text.split())) + r"(?!\w)", re.IGNORECASE
    )
    for number, segment in _segments(sheet):
        if match := pattern.search(segment.text):
            value = " ".join(match[0].split())
            yield Candidate(value, CONFIDENCE, segment, match.start(), match.end(), number)


def _segments(sheet: Sheet) -> Iterator[tuple[int, Segment]]:
    return ((number, segment) for number, row in enumerate(sheet.rows) for segment in row)
