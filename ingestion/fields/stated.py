"""Values that the file itself states, as electronic invoices do: nothing else is guessed there."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from core.documents import Document
from ingestion.fields.layout import Segment
from ingestion.fields.reading import Candidate

_SURE = 0.99


def stated(
    document: Document,
) -> tuple[dict[str, Candidate], list[dict[str, Candidate]]] | None:
    """The fields and the line items; None where the file states none."""
    told = document.metadata.get("stated")
    if not isinstance(told, dict) or not document.pages:
        return None
    fields = {name: _candidate(document, one, 0) for name, one in told["fields"].items()}
    items = [
        {name: _candidate(document, one, row) for name, one in item.items()}
        for row, item in enumerate(told["items"], 1)
    ]
    return fields, items


def _candidate(document: Document, told: dict[str, Any], row: int) -> Candidate:
    page = document.pages[0]
    start, end = told["start"], told["end"]
    segment = Segment(page, page.text[start:end], start, 0.0, 1.0, float(row))
    return Candidate(
        told["value"], _SURE, segment, 0, end - start, row, number=_number(told["value"])
    )


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
