"""PDF: text in reading order with its places, tables, passwords, damage."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits
from ingestion import pdf as reader
from tests.ingestion import builders

GRID = [("GRID", (0, 0), (-1, -1), 0.5, "black")]
BOXED = [("BOX", (0, 0), (-1, -1), 1, "black"), ("INNERGRID", (0, 0), (-1, -1), 0.25, "black")]
ROWS = [["Item", "Qty", "Price"], ["Bolt M8", "40", "1.25"], ["Nut M8", "40", "0.75"]]


def read(data: bytes, password: str | None = None) -> Document:
    return reader.read(data, Limits(), password)


def texts(document: Document, number: int = 0) -> list[list[str]]:
    tables = [table for page in document.pages for table in page.tables]
    return [[cell.text for cell in row] for row in tables[number].rows]


def test_words_stand_where_the_text_says() -> None:
    page = read(builders.pdf(builders.lines("Hello world", "Second line"))).pages[0]
    assert page.text.split() == ["Hello", "world", "Second", "line"]
    assert [page.text[w.start : w.start + len(w.text)] for w in page.words] == page.text.split()
    first, *_rest, last = page.words
    assert first.x0 == pytest.approx(72, abs=1)
    assert first.y0 < 842 - 770 < first.y1 + 3
    assert last.y0 > first.y0
    assert (page.width, page.height) == (595, 842)


def test_a_page_of_more_characters_than_one_sweep_has_every_box() -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 4)
        for row in range(120):
            canvas.drawString(20, 800 - 6 * row, " ".join(f"{row}.{n}" for n in range(40)))

    page = read(builders.pdf(draw)).pages[0]
    assert len(page.words) == 4_800
    for word in page.words:
        row = int(word.text.split(".")[0])
        assert word.y0 < 842 - 800 + 6 * row < word.y1 + 1
        assert 0 < word.x1 - word.x0 < 20


@pytest.mark.parametrize("blank", [" ", "  ", "\r\n", "\t", "\u00a0", "\u3000 ", "\r\n\t "])
def test_words_are_told_apart_by_every_white_space(blank: str) -> None:
    from ingestion.pdf_glyphs import split

    text = f"{blank}one{blank}two \t three"
    words, firsts, lasts = split(text)
    assert words == ["one", "two", "three"]
    assert [text[a : b + 1] for a, b in zip(firsts, lasts, strict=True)] == words


def test_title_and_author_are_kept() -> None:
    def draw(canvas: Any) -> None:
        canvas.setTitle("The report")
        canvas.setAuthor("Ada")
        canvas.drawString(72, 700, "text")

    document = read(builders.pdf(draw))
    assert (document.title, document.metadata["author"]) == ("The report", "Ada")


def test_large_type_is_a_heading() -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 20)
        canvas.drawString(72, 780, "Findings")
        canvas.setFont("Helvetica", 10)
        for n in range(6):
            canvas.drawString(72, 740 - 12 * n, "Ordinary words of a paragraph that goes on.")

    page = read(builders.pdf(draw)).pages[0]
    first = page.blocks[0]
    assert (first.kind, page.text[first.start : first.end]) == ("heading", "Findings")
    assert page.blocks[1].kind == "paragraph"


def test_label_and_value_share_a_line() -> None:
    def draw(canvas: Any) -> None:
        for n, (label, value) in enumerate(
            [("Invoice number", "INV-7"), ("Total due", "USD 12.50")]
        ):
            canvas.drawString(72, 700 - 16 * n, label)
            canvas.drawRightString(500, 700 - 16 * n, value)

    assert read(builders.pdf(draw)).pages[0].text.splitlines()[0] == "Invoice number\tINV-7"


@pytest.mark.parametrize("style", [GRID, BOXED])
def test_ruled_tables_come_back_row_by_row(style: list[Any]) -> None:
    document = read(builders.pdf_tables([ROWS, ROWS], style))
    assert texts(document, 0) == texts(document, 1) == ROWS
    table = document.pages[1].tables[0]
    assert table.page == 2
    assert document.pages[1].text[table.start : table.end].splitlines()[1] == "Bolt M8 | 40 | 1.25"
    assert table.rows[1][2].value == 1.25


def test_merged_and_empty_cells_keep_the_grid() -> None:
    rows = [["Quarter", "", "Note"], ["Q1", "10", ""], ["Q2", "20", "late"]]
    document = read(builders.pdf_tables([rows], [*GRID, ("SPAN", (0, 0), (1, 0))]))
    table = document.pages[0].tables[0]
    assert [(cell.text, cell.col, cell.colspan) for cell in table.rows[0]] == [
        ("Quarter", 0, 2),
        ("Note", 2, 1),
    ]
    assert [cell.text for cell in table.rows[1]] == ["Q1", "10", ""]
    assert table.rows[1][2].kind == "empty"


def test_a_cell_of_two_lines_is_one_cell() -> None:
    rows = [["Item", "Text"], ["A", "first line\nsecond line"], ["B", "short"]]
    assert texts(read(builders.pdf_tables([rows], GRID)))[1] == ["A", "first line second line"]


def columns(rows: list[list[str]], places: tuple[int, ...]) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 780, "Below are the items that we delivered to you last week.")
        for n, row in enumerate(rows):
            for x, text in zip(places, row, strict=True):
                canvas.drawString(x, 740 - 14 * n, text)
        canvas.drawString(72, 660, "Thank you for your order and see you again in our shop.")

    return draw


def test_tables_without_rules_are_found_by_their_gaps() -> None:
    rows = [
        ["Item", "Qty", "Price", "Sum"],
        ["Bolt M8", "40", "1.25", "50.00"],
        ["Nut M8", "4", "0.75", "3.00"],
    ]
    document = read(builders.pdf(columns(rows, (72, 250, 330, 420))))
    assert texts(document) == rows
    assert document.pages[0].text.startswith("Below are")
    assert document.pages[0].text.endswith("our shop.")


def test_a_narrow_first_column_is_told_from_the_second() -> None:
    rows = [
        ["Pos", "What", "Qty", "Sum"],
        ["A-1000", "Bolts of steel", "4", "1.00"],
        ["A-1001", "Nuts", "7", "2.00"],
        ["A-1002", "Washers, flat", "9", "3.00"],
    ]
    assert texts(read(builders.pdf(columns(rows, (72, 119, 330, 420))))) == rows


def test_two_columns_of_prose_are_read_one_after_the_other() -> None:
    def draw(canvas: Any) -> None:
        for n in range(12):
            canvas.drawString(60, 760 - 13 * n, f"left column line {n} with several words")
            canvas.drawString(320, 760 - 13 * n, f"right column line {n} with several words")

    text = read(builders.pdf(draw)).pages[0].text
    assert text.index("left column line 11") < text.index("right column line 0")


def test_a_sidebar_is_not_mixed_into_the_rows_beside_it() -> None:
    def draw(canvas: Any) -> None:
        for n in range(9):
            canvas.drawString(40, 760 - 31 * n, f"Side {n}")
        for n in range(14):
            canvas.drawString(220, 751 - 19 * n, f"main line {n} of the letter")

    text = read(builders.pdf(draw)).pages[0].text
    assert text.index("Side 8") < text.index("main line 0")


def test_rotated_pages_read_as_they_are_seen() -> None:
    def draw(canvas: Any) -> None:
        canvas.setPageRotation(90)
        canvas.rotate(90)
        canvas.drawString(100, -100, "first row")
        canvas.drawString(100, -130, "second row")

    page = read(builders.pdf(draw)).pages[0]
    assert page.text.split() == ["first", "row", "second", "row"]
    assert (page.width, page.height) == (595, 842)
    assert all(0 <= w.x0 < w.x1 <= 595 and 0 <= w.y0 < w.y1 <= 842 for w in page.words)
    assert page.words[0].x0 == pytest.approx(page.words[2].x0, abs=1)


def test_lines_on_every_page_are_headers_and_footers() -> None:
    def draw(canvas: Any) -> None:
        for number in range(4):
            canvas.drawString(72, 820, "ACME Corp confidential")
            canvas.drawString(72, 600, f"Body text of chapter {'abcd'[number]} in full.")
            canvas.drawString(72, 20, f"Page {number + 1} of 4")
            canvas.showPage()

    for page in read(builders.pdf(draw)).pages:
        assert [block.kind for block in page.blocks] == ["header", "paragraph", "footer"]


def test_an_encrypted_file_opens_with_its_password_only() -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    data = builders.pdf(
        builders.lines("secret text"), encrypt=StandardEncryption("sesame", strength=128)
    )
    assert read(data, "sesame").pages[0].text == "secret text"
    for password in (None, "wrong"):
        with pytest.raises(Unfinishable) as caught:
            read(data, password)
        assert caught.value.slug == "encrypted"


def test_a_file_that_opens_without_a_password_opens_with_another_files_password() -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = StandardEncryption("", ownerPassword="owner", strength=128)
    data = builders.pdf(builders.lines("open text"), encrypt=locked)
    assert read(data, "sesame").pages[0].text == "open text"


@pytest.mark.parametrize("size", [20, 300, 700])
def test_a_truncated_file_is_damaged(size: int) -> None:
    with pytest.raises(Unfinishable) as caught:
        read(builders.pdf(builders.lines("text"))[:size])
    assert caught.value.slug == "corrupted"


def test_a_claim_of_a_million_pages_is_not_believed() -> None:
    data = (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1000000>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources"
        b"<</Font<</A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        b"4 0 obj<</Length 38>>stream\nBT /A 12 Tf 10 100 Td (one page) Tj ET \nendstream endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )
    document = read(data)
    assert [page.text for page in document.pages if page.text] == ["one page"]
    assert document.warnings


def test_a_file_without_pages_says_so_also_after_one_that_was_encrypted() -> None:
    import pypdfium2
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = builders.pdf(
        builders.lines("secret text"), encrypt=StandardEncryption("sesame", strength=128)
    )
    with pytest.raises(Unfinishable):
        read(locked)
    target = io.BytesIO()
    pypdfium2.PdfDocument.new().save(target)
    with pytest.raises(Unfinishable) as caught:
        read(target.getvalue())
    assert caught.value.slug == "no_pages"
