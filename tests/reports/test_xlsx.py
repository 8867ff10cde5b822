from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from reports import Report
from reports.value import Column, Table, Value
from tests.reports.reading import workbook
from tests.reports.samples import invoice_report


def _headed(sheet: Any) -> dict[str, int]:
    return {str(cell.value): cell.column for cell in sheet[1]}


def test_sheets_are_typed_filtered_and_frozen() -> None:
    book = workbook(invoice_report())
    assert book.sheetnames == ["Summary", "Documents", "Exceptions", "Documents not readable",
                               "Charts", "Sources"]  # fmt: skip
    sheet = book["Documents"]
    columns = _headed(sheet)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:L7"
    assert isinstance(sheet.cell(2, columns["Date"]).value, datetime)
    total = sheet.cell(3, columns["Total"])
    assert (total.value, total.number_format) == (1207.57, '#,##0.00 "EUR"')
    assert sheet.column_dimensions["A"].width > 10


def test_every_figure_links_to_its_row_in_sources_and_back() -> None:
    report = invoice_report()
    book = workbook(report)
    sheet, sources = book["Documents"], book["Sources"]
    column = _headed(sheet)["Total"]
    for row in range(2, sheet.max_row + 1):
        cell = sheet.cell(row, column)
        place = re.fullmatch(r"'Sources'!A(\d+)", cell.hyperlink.location)
        assert place is not None
        quote = sources.cell(int(place[1]), 6).value
        assert float(quote) == cell.value
    for row in range(2, sources.max_row + 1):
        name, _, address = sources.cell(row, 7).hyperlink.location.partition("!")
        assert book[name.strip("'")][address].hyperlink is not None


def test_charts_are_real_charts() -> None:
    sheet = workbook(invoice_report())["Charts"]
    assert len(sheet._charts) == 3


def test_numbers_beyond_fifteen_digits_and_old_dates_stay_exact_as_text() -> None:
    from datetime import date
    from decimal import Decimal

    columns = (Column("N", "money"), Column("D", "date"))
    row = (Value("money", Decimal("12345678901234567.89"), "EUR"), Value("date", date(1850, 1, 2)))
    table = Table("Rows", columns, (row,), "main")
    sheet = workbook(Report("T", 0, sections=(table,)))["Rows"]
    assert sheet["A2"].value == "12,345,678,901,234,567.89 EUR"
    assert sheet["B2"].value == "2 Jan 1850"
