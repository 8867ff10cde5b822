"""What the PDF, the XLSX and the CSV say is the same, figure by figure."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import Source
from reports import Report, render
from reports.csv import guarded
from reports.value import Column, Table, Tone, Value
from reports.wording import words
from tests.reports.reading import csv_rows, pdf, pdf_text, workbook
from tests.reports.samples import invoice_report

AMOUNTS = st.decimals(-(10**11), 10**11, places=2, allow_nan=False)
NUMBERS = st.one_of(st.integers(-(10**12), 10**12).map(Decimal),
                    st.decimals(-(10**6), 10**6, places=3, allow_nan=False))  # fmt: skip
SHARES = st.decimals(-2, 5, places=4, allow_nan=False)
DAYS = st.dates(date(1901, 1, 1), date(2199, 12, 31))
TONES: st.SearchStrategy[Tone] = st.sampled_from(("good", "warn", "bad", "info", "neutral"))
# A hyphen at a line's end reads back as a soft one, so words have none here.
WORDS = st.text("abcdeXYZäöüßłŁéçñΩЖ0123456789=+@'\"<>&;,€“”.", min_size=1, max_size=40)
SOURCES = st.lists(st.integers(1, 5), max_size=3, unique=True).map(tuple)
COLUMNS = (
    Column("Name", "text"), Column("Sum", "money"), Column("Count", "number"),
    Column("Share", "percent"), Column("Day", "date"), Column("State", "status"),
)  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> tuple[Value, ...]:
    unit = draw(st.sampled_from(("EUR", "USD", "JPY", "")))
    return (
        Value("text", draw(WORDS), sources=draw(SOURCES)),
        draw(
            st.just(Value("money", None))
            | st.builds(Value, st.just("money"), AMOUNTS, st.just(unit), SOURCES)
        ),
        Value("number", draw(NUMBERS), sources=draw(SOURCES)),
        Value("percent", draw(SHARES), sources=draw(SOURCES)),
        Value("date", draw(DAYS), sources=draw(SOURCES)),
        Value("status", draw(st.sampled_from(("ok", "late"))), tone=draw(TONES)),
    )


def _report(table: Table) -> Report:
    sources = tuple(Source(f"d{n}", f"f{n}.pdf", n, 0, 5, f"quote {n}") for n in range(1, 6))
    return Report("Agreement", 1_795_000_000_000, sections=(table,), sources=sources)


def _same(held: Any, value: Value, number_format: str) -> bool:
    if value.value is None:
        return held is None
    if isinstance(value.value, Decimal):
        unit = re.search(r'"(.*)"', number_format)
        return Decimal(str(held)) == value.value and (unit[1] if unit else "") == value.currency
    if isinstance(held, datetime):
        return held.date() == value.value
    return bool(held == value.value)


def _csv_cells(row: tuple[Value, ...]) -> list[Any]:
    cells: list[Any] = []
    for value in row:
        cells.append(value.value)
        if value.kind == "money":
            cells.append(value.currency)
    return cells


def _matches(text: str, expected: Any) -> bool:
    if expected is None:
        return text == ""
    if isinstance(expected, Decimal):
        return Decimal(text) == expected
    if isinstance(expected, date):
        return text == expected.isoformat()
    return text == guarded(expected)


@settings(max_examples=25, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=6))
def test_three_renderings_agree_on_every_figure(values: list[tuple[Value, ...]]) -> None:
    table = Table("Rows", COLUMNS, tuple(values), role="main")
    report = _report(table)

    sheet = workbook(report)["Rows"]
    for index, row in enumerate(values, 2):
        for cell, value in zip(sheet[index], row, strict=False):
            assert _same(cell.value, value, cell.number_format), (cell.coordinate, value)

    for line, row in zip(csv_rows(report)[1:], values, strict=False):
        for text, expected in zip(line, _csv_cells(row), strict=False):
            assert _matches(text, expected), (text, expected)

    with pdf(report) as document:
        text = pdf_text(document)
    for row in values:
        printed = "".join(
            words(value) + "".join(f"[{number}]" for number in value.sources) for value in row
        )
        assert re.sub(r"\s+", "", printed) in text


def test_sources_have_the_same_numbers_everywhere() -> None:
    report = invoice_report()
    lines = csv_rows(report)
    start = lines.index(["Sources"]) + 2
    sheet = workbook(report)["Sources"]
    with pdf(report) as document:
        text = pdf_text(document)
    assert len(report.sources) == sheet.max_row - 1 == len(lines) - start
    for number, source in enumerate(report.sources, 1):
        assert lines[start + number - 1][:2] == [str(number), source.filename]
        assert [cell.value for cell in sheet[number + 1][:2]] == [number, source.filename]
        assert re.sub(r"\s+", "", f"[{number}]{source.label()}") in text


def test_key_figures_agree() -> None:
    report = invoice_report()
    summary = {row[0].value: row[1].value for row in workbook(report)["Summary"].iter_rows()}
    table = {line[0]: line[1] for line in csv_rows(report) if len(line) == 4}
    assert Decimal(str(summary["Invoiced in EUR"])) == Decimal(table["Invoiced in EUR"])
    assert table["Invoiced in EUR"] == "48210.55"
    with pdf(report) as document:
        assert "48,210.55EUR" in pdf_text(document)


@pytest.mark.parametrize("format", ["pdf", "xlsx", "csv"])
def test_equal_reports_are_equal_files_also_from_four_threads(format: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: render(invoice_report(), format), range(8)))
    assert len(set(made)) == 1
