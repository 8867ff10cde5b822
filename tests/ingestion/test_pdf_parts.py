"""PDF: turned text, forms, bookmarks, attached files, and text layers that cannot be trusted."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from core.documents import Document
from ingestion import Limits, parse
from ingestion import pdf as reader
from tests.ingestion import builders


def read(data: bytes, **limits: Any) -> Document:
    return reader.read(data, Limits(**limits))


def blocks(document: Document, kind: str) -> list[str]:
    return [
        page.text[block.start : block.end]
        for page in document.pages
        for block in page.blocks
        if block.kind == kind
    ]


@pytest.mark.parametrize("quarter", [90, 180, 270])
def test_turned_text_is_read_in_its_own_direction(quarter: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 700, "This line stands upright on the page.")
        canvas.translate(300, 400)
        canvas.rotate(quarter)
        for n in range(2):
            canvas.drawString(0, -14 * n, f"turned line {n}")

    page = read(builders.pdf(draw)).pages[0]
    assert page.text.startswith("This line stands upright")
    assert page.text.endswith("turned line 0\nturned line 1")
    first = next(word for word in page.words if word.text == "turned")
    upright = quarter == 180
    assert (first.x1 - first.x0 > first.y1 - first.y0) == upright
    across, down = (first.x0 + first.x1) / 2, (first.y0 + first.y1) / 2
    assert abs(across - 300) < 30
    assert abs(down - 442) < 30


def test_a_page_turned_for_its_reader_reads_upright() -> None:
    def draw(canvas: Any) -> None:
        canvas.setPageRotation(90)
        canvas.translate(842, 0)
        canvas.rotate(90)
        canvas.drawString(40, 500, "first line of the turned page")
        canvas.drawString(40, 480, "second line of the turned page")

    page = read(builders.pdf(draw)).pages[0]
    assert page.text == "first line of the turned page\nsecond line of the turned page"
    assert (page.width, page.height) == (595, 842)
    assert page.words[0].x0 == pytest.approx(40, abs=1)
    assert page.words[0].y0 == pytest.approx(842 - 510, abs=4)


def test_a_stamp_across_the_page_mixes_with_no_line() -> None:
    def draw(canvas: Any) -> None:
        for n in range(20):
            canvas.drawString(72, 760 - 14 * n, f"line {n} of the text below the stamp")
        canvas.translate(150, 500)
        canvas.rotate(35)
        canvas.setFont("Helvetica-Bold", 40)
        canvas.drawString(0, 0, "DRAFT COPY")

    document = read(builders.pdf(draw))
    assert document.pages[0].text.endswith("\n\nDRAFT COPY")
    assert blocks(document, "heading") == []


def test_three_columns_are_read_one_after_the_other() -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 9)
        for c in range(3):
            for n in range(20):
                canvas.drawString(
                    50 + 170 * c, 760 - 12 * n, f"column {c} line {n} has words enough"
                )

    document = read(builders.pdf(draw))
    text = document.pages[0].text
    assert text.index("column 0 line 19") < text.index("column 1 line 0")
    assert text.index("column 1 line 19") < text.index("column 2 line 0")
    assert not document.pages[0].tables


def test_bold_lines_of_the_standard_fonts_are_headings() -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(72, 780, "1.2 Findings of the audit")
        canvas.setFont("Helvetica", 10)
        for n in range(4):
            canvas.drawString(72, 750 - 12 * n, "Ordinary words of a paragraph that goes on.")

    assert blocks(read(builders.pdf(draw)), "heading") == ["1.2 Findings of the audit"]


def test_form_fields_are_told_with_their_values() -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 700, "Application")
        form = canvas.acroForm
        form.textfield(name="applicant", value="Ada Lovelace", x=72, y=650, width=200, height=20)
        form.textfield(name="remarks", value="", x=72, y=620, width=200, height=20)
        form.checkbox(name="agreed", checked=True, x=72, y=590, size=14)
        form.checkbox(name="newsletter", checked=False, x=72, y=560, size=14)
        form.choice(
            name="country", value="AT", options=["AT", "DE"], x=72, y=530, width=80, height=20
        )

    document = read(builders.pdf(draw))
    assert blocks(document, "field") == [
        "applicant: Ada Lovelace", "agreed: yes", "newsletter: no", "country: AT",
    ]  # fmt: skip
    assert document.pages[0].text.startswith("Application\n\napplicant: Ada Lovelace")


def test_bookmarks_make_headings_and_are_kept() -> None:
    def draw(canvas: Any) -> None:
        for n, title in enumerate(["Scope of the contract", "Terms of payment"]):
            canvas.bookmarkPage(f"p{n}")
            canvas.addOutlineEntry(title, f"p{n}", level=n)
            canvas.drawString(72, 760, title)
            canvas.drawString(72, 748, "The parties agree upon what follows, in writing.")
            canvas.showPage()

    document = read(builders.pdf(draw))
    assert blocks(document, "heading") == ["Scope of the contract", "Terms of payment"]
    assert [page.blocks[0].level for page in document.pages] == [1, 2]
    assert blocks(document, "paragraph") == ["The parties agree upon what follows, in writing."] * 2
    assert document.metadata["bookmarks"][1] == {
        "title": "Terms of payment", "level": 2, "page": 2,
    }  # fmt: skip


def test_a_drawing_of_thousands_of_lines_keeps_no_reader_busy() -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 800, "Plan of the second floor")
        for n in range(1_500):
            canvas.line(20 + n % 50 * 11, 20 + n / 2, 27 + n % 50 * 11, 20 + n / 2)
            canvas.line(20 + n / 3, 20 + n % 40 * 18, 20 + n / 3, 30 + n % 40 * 18)

    begun = time.process_time()
    page = read(builders.pdf(draw)).pages[0]
    assert time.process_time() - begun < 2
    assert (page.text, page.tables) == ("Plan of the second floor", ())


def attached(files: dict[str, bytes]) -> bytes:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(builders.pdf(builders.lines("Invoice 7")))
    for name, data in files.items():
        pdf.new_attachment(name).set_data(data)
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


XML = b'<?xml version="1.0"?><rsm:CrossIndustryInvoice xmlns:rsm="urn:x"/>'


def test_the_invoice_inside_the_invoice_is_a_file_of_its_own() -> None:
    document = parse(attached({"factur-x.xml": XML, "../a:b.csv": b"a,b\n"}), "i.pdf", "pdf")
    assert {(one.filename, one.content_type, one.data) for one in document.attachments} == {
        ("factur-x.xml", "application/xml", XML),
        ("a_b.csv", "text/csv", b"a,b\n"),
    }


def test_attached_files_are_unpacked_within_the_limit() -> None:
    data = attached({"bomb.xml": b"<a/>" * 50_000, "small.xml": XML})
    document = read(data, unpacked_bytes=100_000)
    assert [one.filename for one in document.attachments] == ["small.xml"]
    assert "bomb.xml is too large" in document.warnings[0]


def test_a_page_without_text_is_empty() -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 700, "text")
        canvas.showPage()
        canvas.rect(100, 100, 200, 200)
        canvas.showPage()

    assert [page.layer for page in read(builders.pdf(draw)).pages] == ["text", "empty"]


def moved(text: str) -> str:
    """As a font without a map to Unicode says it: 29 places down."""
    return "".join(chr(ord(c) - 29) if c.isalpha() else c for c in text)


ENGLISH = "This contract was written by the parties in the presence of a notary and signed. " * 4


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        (ENGLISH, "text"),
        (moved(ENGLISH), "broken"),
        (
            "Bestellung Nr. 4711 vom Montag, Lieferung frei Haus, Zahlung binnen vierzehn Tagen",
            "text",
        ),
        ("BRKT-1120 FLNG-8802 SCRW-M8X40 XKCD-77 PN-HRTZ-500 " * 6, "text"),
    ],
)
def test_a_text_layer_that_nobody_can_speak_is_broken(text: str, layer: str) -> None:
    lines = [text[at : at + 80] for at in range(0, len(text), 80)]
    assert read(builders.pdf(builders.lines(*lines))).pages[0].layer == layer


def annotated(*notes: tuple[str, str, int]) -> bytes:
    """A page with a line and notes: subtype, contents, flags."""
    import pypdfium2
    import pypdfium2.raw as raw

    pdf = pypdfium2.PdfDocument(builders.pdf(builders.lines("Delivery in March")))
    page = pdf[0]
    for kind, said, flags in notes:
        note = raw.FPDFPage_CreateAnnot(page.raw, getattr(raw, f"FPDF_ANNOT_{kind}"))
        wide = (said + "\0").encode("utf-16-le")
        buffer = (raw.FPDF_WCHAR * (len(wide) // 2)).from_buffer_copy(wide)
        raw.FPDFAnnot_SetStringValue(note, b"Contents", buffer)
        raw.FPDFAnnot_SetFlags(note, flags)
        raw.FPDFPage_CloseAnnot(note)
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


def test_notes_on_a_page_are_told_as_notes() -> None:
    document = read(
        annotated(
            ("FREETEXT", "Better in April,\rsays Ada", 4),
            ("TEXT", "Ask größere Werke", 4),
            ("FREETEXT", "Delivery in March", 4),
            ("TEXT", "an old secret", 2),
            ("SQUARE", "a mark", 4),
        )
    )
    assert blocks(document, "quote") == [
        "Note: Better in April, says Ada", "Note: Ask größere Werke",
    ]  # fmt: skip
    assert document.pages[0].text.startswith("Delivery in March\n\nNote: Better")
