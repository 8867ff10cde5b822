"""A value that was seen on a picture is no surer than its least sure word."""

from __future__ import annotations

import pytest

from core.documents import Document, Fields
from ingestion.fields import extract
from ingestion.paging import Look, Raster, Seen
from ingestion.seen import page_seen

PAPER = (
    "Invoice", "Northwind Traders Ltd", "Invoice number: INV-2041", "Invoice date: 2026-03-14",
    "Total: 1,250.00 EUR",
)  # fmt: skip


def fields(**doubts: float) -> Fields:
    """Of a scan on which each word is sure but those named by a part of them."""
    words = []
    for row, line in enumerate(PAPER):
        x = 200.0
        for text in line.split():
            sure = next((doubt for part, doubt in doubts.items() if part in text), 0.98)
            wide = 22.0 * len(text)
            words.append(Seen(text, x, 200 + 90 * row, x + wide, 245 + 90 * row, sure, row))
            x += wide + 20
    page = page_seen(Raster(1, 2480, 3508, 300.0, b""), Look(tuple(words)))
    return extract(Document("png", (page,), document_type="invoice"), "d1", "scan.png")


def test_a_doubtful_number_is_not_told_as_a_fact() -> None:
    sure, doubtful = fields().fields, fields(**{"250": 0.52}).fields
    assert (sure["total"].value, doubtful["total"].value) == ("1250.00", "1250.00")
    assert sure["total"].confidence >= 0.8
    assert doubtful["total"].confidence == pytest.approx(0.52)


def test_only_its_own_words_make_a_value_doubtful() -> None:
    sure, doubtful = fields().fields, fields(**{"250": 0.52}).fields
    assert doubtful["invoice_number"] == sure["invoice_number"]
    assert doubtful["invoice_number"].confidence >= 0.8


def test_a_word_that_is_sure_enough_changes_nothing() -> None:
    assert fields(**{"250": 0.91}).fields == fields().fields
