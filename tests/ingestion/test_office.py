"""XLSX and DOCX keep what people made: values, addresses, headings, lists, notes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from core.errors import Unfinishable
from ingestion import Limits, docx, xlsx
from tests.ingestion import builders
from tests.ingestion.builders import W, paragraph, table


def code_of(read: Any, data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unfinishable) as caught:
        read(data, limits or Limits())
    return caught.value.slug


def test_a_sheet_is_a_page_with_typed_cells_and_addresses() -> None:
    document = xlsx.read(builders.xlsx(builders.ledger), Limits())
    page = document.pages[0]
    assert page.sheet == "Payments"
    assert page.text.splitlines()[-1] == "2026-01-04 | INV-2 | 1000 | FALSE"
    rows = page.tables[0].rows
    assert [(c.address, c.value, c.kind) for c in rows[1]] == [
        ("A4", "2026-01-03", "date"),
        ("B4", "INV-1", "text"),
        ("C4", 100.5, "number"),
        ("D4", True, "bool"),
    ]
    assert page.tables[0].header_rows == 1


def test_hidden_sheets_are_read_and_named() -> None:
    document = xlsx.read(builders.xlsx(builders.ledger), Limits())
    assert document.metadata["hidden_sheets"] == ["Old"]
    assert document.pages[1].text == "kept"


def _sheet(data: str) -> bytes:
    """A workbook whose only sheet has this as its rows."""
    made = builders.xlsx(lambda book: book.active.append(["x"]))
    with zipfile.ZipFile(io.BytesIO(made)) as whole:
        parts: dict[str, bytes | str] = {name: whole.read(name) for name in whole.namelist()}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>'
    return builders.archive({**parts, "xl/worksheets/sheet1.xml": sheet})


def test_formulas_stand_beside_their_computed_values() -> None:
    document = xlsx.read(
        _sheet('<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*21</f><v>42</v></c></row>'),
        Limits(),
    )
    cell = document.pages[0].tables[0].rows[0][1]
    assert (cell.value, cell.formula, cell.address) == (42, "=A1*21", "B1")
    assert document.warnings == ()


def test_formulas_without_a_value_are_counted_in_a_warning() -> None:
    document = xlsx.read(
        _sheet('<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*21</f></c></row>'), Limits()
    )
    assert "1 formulas have no computed value" in document.warnings[0]


def test_merged_cells_keep_their_span() -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append(["Year", "", "Sum"])
        sheet.append([2025, "x", 7])
        sheet.merge_cells("A1:B1")

    cell = xlsx.read(builders.xlsx(fill), Limits()).pages[0].tables[0].rows[0][0]
    assert (cell.colspan, cell.rowspan) == (2, 1)


def test_a_merged_range_of_the_whole_sheet_costs_nothing() -> None:
    data = _sheet('<row r="1"><c r="A1"><v>1</v></c></row></sheetData><mergeCells>'
                  '<mergeCell ref="A1:XFD1048576"/></mergeCells><sheetData>')  # fmt: skip
    assert len(xlsx.read(data, Limits()).pages[0].text) < 10


def test_workbooks_that_cannot_be_read_say_why() -> None:
    good = builders.xlsx(builders.ledger)
    assert code_of(xlsx.read, good[: len(good) // 2]) == "corrupted"
    assert code_of(xlsx.read, _sheet("<row><c r='A1'><v>1</v>")) == "corrupted"
    assert code_of(xlsx.read, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) == "encrypted"
    assert code_of(xlsx.read, builders.zipped(xl__other="<x/>")) == "corrupted"


def test_unpacked_bytes_are_counted_and_not_believed() -> None:
    bomb = _sheet("<row/>" * 1_000_000)
    assert len(bomb) < 100_000
    assert code_of(xlsx.read, bomb, Limits(unpacked_bytes=2**20)) == "limit_memory"


def test_too_many_parts_are_refused() -> None:
    data = builders.archive({f"word/{n}.xml": "x" for n in range(120)})
    assert code_of(docx.read, data, Limits(parts=10)) == "too_many_parts"


def test_a_document_keeps_headings_lists_and_tables() -> None:
    document = docx.read(builders.docx(
        paragraph("Policy", '<w:pStyle w:val="H1"/>')
        + paragraph("Scope", '<w:pStyle w:val="Own"/>')
        + paragraph("Some words.") + paragraph("first", '<w:numPr><w:ilvl w:val="1"/></w:numPr>')
        + table(["Name", "Sum"], ["Ada", "2.50"])
    ), Limits())  # fmt: skip
    page = document.pages[0]
    assert [(b.kind, b.level) for b in page.blocks] == [
        ("heading", 1), ("heading", 2), ("paragraph", 0), ("list_item", 2), ("table", 0),
    ]  # fmt: skip
    assert document.title == "Policy"
    assert [[c.value for c in row] for row in page.tables[0].rows] == [
        ["Name", "Sum"],
        ["Ada", 2.5],
    ]
    assert page.text.endswith("Name | Sum\nAda | 2.50")


def test_pages_end_at_page_breaks() -> None:
    body = paragraph("one") + paragraph("two", extra='<w:br w:type="page"/>')
    pages = docx.read(builders.docx(body), Limits()).pages
    assert [(page.number, page.text) for page in pages] == [(1, "one"), (2, "two")]


def test_headers_footers_and_footnotes_are_kept() -> None:
    def part(tag: str, inner: str) -> str:
        return f'<w:{tag} xmlns:w="{W}">{inner}</w:{tag}>'

    body = paragraph("Text", extra='<w:footnoteReference w:id="2"/>')
    note = f'<w:footnote w:id="2">{paragraph("See law")}</w:footnote>'
    document = docx.read(builders.docx(
        body,
        word__header1=part("hdr", paragraph("ACME")),
        word__footer1=part("ftr", paragraph("p. 1")),
        word__footnotes=part("footnotes", note),
    ), Limits())  # fmt: skip
    page = document.pages[0]
    assert [page.text[b.start : b.end] for b in page.blocks] == [
        "ACME",
        "[1]Text",
        "[1] See law",
        "p. 1",
    ]
    assert [b.kind for b in page.blocks] == ["header", "paragraph", "paragraph", "footer"]


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
def test_document_types_and_entities_are_refused(dtd: str) -> None:
    data = builders.zipped(
        word__document=f'{dtd}<w:document xmlns:w="{W}"><w:p>&f;</w:p></w:document>'
    )
    assert code_of(docx.read, data) == "corrupted"


def test_deep_nesting_is_refused() -> None:
    assert code_of(docx.read, builders.docx("<w:sdt>" * 100_000)) == "corrupted"
