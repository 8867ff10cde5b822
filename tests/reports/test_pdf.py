from __future__ import annotations

import io
import re
from typing import Any

import pypdfium2.raw as raw
import pytest

from reports import Branding, Report, compose, parse, render
from reports.pdf.fonts import width, wrapped
from reports.value import Chart, ChartKind, Column, KeyFigures, Series, Table, Text, Value
from tests.reports.reading import pdf, pdf_text
from tests.reports.samples import CREATED_MS, invoice_facts, invoice_report


def _boxes(document: Any) -> list[tuple[float, float, float, float, float, float]]:
    """Page size and box of every piece of text."""
    found = []
    for page in document:
        text = page.get_textpage()
        wide, high = page.get_size()
        for index in range(text.count_rects()):
            found.append((wide, high, *text.get_rect(index)))
        text.close()
        page.close()
    return found


def _links(document: Any) -> list[tuple[int, int]]:
    """(page, page it leads to) of every link."""
    found = []
    for number, page in enumerate(document):
        position, link = raw.c_int(0), raw.FPDF_LINK()
        while raw.FPDFLink_Enumerate(page.raw, position, link):
            place = raw.FPDFLink_GetDest(document.raw, link)
            found.append((number, raw.FPDFDest_GetDestPageIndex(document.raw, place)))
        page.close()
    return found


def test_every_mark_links_to_the_sources_and_back() -> None:
    report = invoice_report()
    marks = sum(len(v.sources) for table in report.tables for row in table.rows for v in row)
    with pdf(report) as document:
        links, pages = _links(document), len(document)
        outline = {item.get_title(): item.get_dest().get_index() for item in document.get_toc()}
    first = outline["Sources"]
    assert all(0 <= target < pages for _, target in links)
    assert sum(origin < first <= target for origin, target in links) == marks
    assert sum(target < first <= origin for origin, target in links) >= len(report.sources)


def test_no_text_leaves_the_page() -> None:
    report = compose(_wide_template(), {"rows": [_wide_row(index) for index in range(30)]})
    for each in (report, invoice_report(60, 40)):
        with pdf(each) as document:
            boxes = _boxes(document)
        assert len(boxes) > 100
        for wide, high, left, bottom, right, top in boxes:
            assert left >= 0
            assert bottom >= 0
            assert right <= wide
            assert top <= high


def _wide_template() -> Any:
    columns = "".join(f"      - {{field: c{n}, title: Column number {n}}}\n" for n in range(20))
    return parse(
        "name: wide\ntitle: Wide\nsections:\n  - kind: table\n    title: R\n    from: rows\n"
        f"    columns:\n{columns}"
    )


def _wide_row(index: int) -> dict[str, str]:
    return {f"c{n}": "unbreakable_file_name_" * 3 + str(index * n) for n in range(20)}


def test_outline_metadata_and_page_numbers() -> None:
    report = invoice_report()
    with pdf(report) as document:
        outline = [item.get_title() for item in document.get_toc()]
        assert document.get_metadata_value("Title") == report.title
        assert document.get_metadata_value("Author") == "ClearPay"
        assert document.get_metadata_value("CreationDate").startswith("D:20261118")
        text, pages = pdf_text(document), len(document)
    assert outline == ["Cover", *(section.title for section in report.sections), "Sources"]
    for number in range(1, pages + 1):
        assert f"{number}/{pages}" in text


def test_long_tables_repeat_their_header_on_each_page() -> None:
    rows = tuple((Value("text", f"row {index}"),) for index in range(400))
    table = Table("Long", (Column("The header", "text"),), rows)
    with pdf(Report("T", 0, sections=(table,))) as document:
        text, pages = pdf_text(document), len(document)
    assert pages > 5
    assert text.count("Theheader") == pages - 1
    assert all(f"row{index}" in text for index in range(400))


@pytest.mark.parametrize("documents", [0, 1])
def test_empty_and_tiny_reports_are_whole(documents: int) -> None:
    facts = invoice_facts(documents, 0)
    with pdf(invoice_report(documents, 0)) as document:
        text = pdf_text(document)
    assert "Noexceptionswerefound." in text
    assert facts["documents"] or "Nodocumentsweregiven." in text


def test_a_report_without_sections_is_a_cover() -> None:
    for format in ("pdf", "xlsx", "csv"):
        assert render(Report("Empty", CREATED_MS), format)
    empty = (Text("A", ()), KeyFigures("B", ()), Table("C", (), ()), Chart("D", "bar", (), ()))
    for format in ("pdf", "xlsx", "csv"):
        assert render(Report("Empty", CREATED_MS, sections=empty), format)


@pytest.mark.parametrize("kind", ["bar", "stacked", "line", "donut"])
@pytest.mark.parametrize("amounts", [("1", "2.5", "-3"), ("0", "0", "0"), ("1e20", "1", "0")])
def test_charts_draw_whatever_the_figures(kind: ChartKind, amounts: tuple[str, ...]) -> None:
    from decimal import Decimal

    values = tuple(Value("money", Decimal(amount), "EUR") for amount in amounts)
    blank = (Value("money", None),) * 3
    series = (Series("Kept", values), Series("Blank", blank))
    chart = Chart("C", kind, ("first", "<i>second</i>", "東京"), series, "EUR", "the rows")
    report = Report("T", 0, sections=(chart,))
    with pdf(report) as document:
        text = pdf_text(document)
    assert "first" in text
    assert "Computedfromtherows." in text
    assert render(report, "xlsx")


def test_a_logo_is_drawn_and_a_broken_one_is_left_out() -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (80, 20), (200, 30, 30)).save(out, "PNG")
    with_logo = Report("T", 0, Branding("A", "#123456", out.getvalue()))
    with pdf(with_logo) as document:
        images = list(document[0].get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]))
        assert len(images) == 1
    assert render(Report("T", 0, Branding("A", "red", b"no picture")), "pdf")


def test_letters_of_many_scripts_are_embedded() -> None:
    sample = "€ ü ł “quoted” Łódź Ångström Ελλάδα Москва ✓ → ₹ 東京電機 한국"
    with pdf(Report("T", 0, sections=(Text("S", ()),), subtitle=sample)) as document:
        text = pdf_text(document)
    assert re.sub(r"\s+", "", sample) in text
    data = render(Report("T", 0, subtitle=sample), "pdf")
    assert data.count(b"/FontFile2") >= 2


def test_lines_are_never_wider_than_their_room() -> None:
    text = "Antidisestablishmentarianism " * 3 + "x" * 300
    for room in (12.0, 40.0, 133.0):
        lines = wrapped(text, 8, room)
        assert all(width(line, 8) <= room for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
