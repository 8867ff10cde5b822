"""Word files as a reader sees them: changes accepted, merges kept, numbers counted."""

from __future__ import annotations

import pytest

from core.documents import Page
from core.errors import Unfinishable
from ingestion import Limits, docx
from tests.ingestion import builders
from tests.ingestion.builders import W, paragraph

_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"


def page(body: str, **parts: str) -> Page:
    return docx.read(builders.docx(body, **parts), Limits()).pages[0]


def part(tag: str, inner: str) -> str:
    return f'<w:{tag} xmlns:w="{W}">{inner}</w:{tag}>'


def run(text: str, tag: str = "t") -> str:
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def test_tracked_changes_are_read_as_accepted() -> None:
    moved = f"<w:moveFrom>{run('gone ')}</w:moveFrom><w:moveTo>{run(' moved')}</w:moveTo>"
    body = (
        f"<w:p>{moved}{run('pay in ')}<w:del>{run('30', 'delText')}</w:del>"
        f"<w:ins>{run('14')}</w:ins>{run(' days')}</w:p>"
    )
    assert page(body).text == "movedpay in 14 days"


def test_a_deleted_paragraph_mark_joins_two_paragraphs() -> None:
    body = paragraph("The fee ", "<w:rPr><w:del/></w:rPr>") + paragraph("is due.")
    assert [b.kind for b in page(body).blocks] == ["paragraph"]
    assert page(body).text == "The fee is due."


def test_a_deleted_row_is_no_row() -> None:
    gone = f"<w:tr><w:trPr><w:del/></w:trPr>{cell('old')}</w:tr>"
    rows = page(f"<w:tbl><w:tr>{cell('kept')}</w:tr>{gone}</w:tbl>").tables[0].rows
    assert [[c.text for c in row] for row in rows] == [["kept"]]


def test_merged_cells_keep_what_they_span() -> None:
    top, on, two = '<w:vMerge w:val="restart"/>', "<w:vMerge/>", '<w:gridSpan w:val="2"/>'
    rows = (
        page(
            "<w:tbl>"
            f"<w:tr>{cell('Half', top)}{cell('Sum', two)}</w:tr>"
            f"<w:tr>{cell('', on)}{cell('1')}{cell('2')}</w:tr>"
            f"<w:tr>{cell('', on)}{cell('3')}{cell('4')}</w:tr>"
            f"<w:tr>{cell('Next')}{cell('5')}{cell('6')}</w:tr></w:tbl>"
        )
        .tables[0]
        .rows
    )
    assert [(c.text, c.row, c.col, c.rowspan, c.colspan) for c in (*rows[0], rows[1][0])] == [
        ("Half", 0, 0, 3, 1), ("Sum", 0, 1, 1, 2), ("1", 1, 1, 1, 1),
    ]  # fmt: skip
    assert [(c.text, c.col) for c in rows[3]] == [("Next", 0), ("5", 1), ("6", 2)]


def test_repeated_header_rows_are_counted() -> None:
    head = "<w:trPr><w:tblHeader/></w:trPr>"
    table = page(
        f"<w:tbl><w:tr>{head}{cell('2026')}</w:tr><w:tr>{head}{cell('Q1')}</w:tr>"
        f"<w:tr>{cell('7')}</w:tr></w:tbl>"
    ).tables[0]
    assert table.header_rows == 2


def test_a_table_in_a_cell_is_words_of_that_cell() -> None:
    inner = f"<w:tbl><w:tr>{cell('in')}{cell('side')}</w:tr></w:tbl>"
    rows = page(f"<w:tbl><w:tr><w:tc>{inner}{paragraph('after')}</w:tc></w:tr></w:tbl>").tables
    assert [[c.text for c in row] for row in rows[0].rows] == [["in side after"]]


def test_text_boxes_are_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('Boxed')}</w:txbxContent>"
    body = (
        f'<w:p><w:r><mc:AlternateContent xmlns:mc="{_MC}"><mc:Choice>{box}</mc:Choice>'
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>{run('Around')}</w:p>"
    )
    assert page(body).text == "Boxed\n\nAround"
    table = f"<w:tbl><w:tr><w:tc>{body}</w:tc></w:tr></w:tbl>"
    assert page(table).text == "Boxed Around"


def test_fields_show_their_result_and_not_their_code() -> None:
    body = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>' + run(" DATE \\@ ", "instrText")
        + '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + run("1 May")
        + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        + f'<w:fldSimple w:instr="PAGE">{run(" p. 3")}</w:fldSimple></w:p>'
    )  # fmt: skip
    assert page(body).text == "1 May p. 3"


def test_comments_are_left_out() -> None:
    body = f'<w:p>{run("said")}<w:r><w:commentReference w:id="0"/></w:r></w:p>'
    made = page(body, word__comments=part("comments", f"<w:comment>{paragraph('hm')}</w:comment>"))
    assert made.text == "said"


def test_notes_are_numbered_as_shown_and_stand_on_the_page_that_names_them() -> None:
    def noted(kind: str, number: int, text: str) -> str:
        return paragraph(text, extra=f'<w:{kind}Reference w:id="{number}"/>')

    body = (
        noted("footnote", 9, "first") + noted("endnote", 4, "second")
        + '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + noted("footnote", 3, "third")
    )  # fmt: skip
    notes = "".join(
        f'<w:footnote w:id="{n}">{paragraph(t)}</w:footnote>'
        for n, t in ((3, "three"), (9, "nine"))
    )
    last = f'<w:endnote w:id="4">{paragraph("four")}</w:endnote>'
    pages = docx.read(
        builders.docx(body, word__footnotes=part("footnotes", notes),
                      word__endnotes=part("endnotes", last)), Limits(),
    ).pages  # fmt: skip
    assert [p.text for p in pages] == [
        "[1]first\n\n[i]second\n\n[1] nine",
        "[2]third\n\n[2] three\n\n[i] four",
    ]


def _numbering() -> str:
    def level(at: int, form: str, text: str) -> str:
        return (
            f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{text}"/></w:lvl>'
        )

    levels = level(0, "decimal", "§ %1") + level(1, "lowerLetter", "%1.%2)")
    bullets = level(0, "bullet", "o")
    return part(
        "numbering",
        f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="1">{bullets}</w:abstractNum>'
        '<w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="6"><w:abstractNumId w:val="1"/></w:num>',
    )


def test_clauses_have_the_numbers_that_word_shows() -> None:
    def item(text: str, depth: int, number: int = 5, style: str = "") -> str:
        return paragraph(
            text, f'{style}<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'
        )

    body = (
        item("Parties", 0, style='<w:pStyle w:val="H1"/>') + item("Buyer", 1) + item("Seller", 1)
        + item("Price", 0) + item("Net", 1) + item("dot", 0, number=6)
    )  # fmt: skip
    made = page(body, word__numbering=_numbering())
    assert [made.text[b.start : b.end] for b in made.blocks] == [
        "§ 1 Parties", "1.a) Buyer", "1.b) Seller", "§ 2 Price", "2.a) Net", "dot",
    ]  # fmt: skip
    assert made.blocks[0].kind == "heading"


def test_strict_files_say_the_same() -> None:
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    body = f'<w:document xmlns:w="{strict}"><w:body>{paragraph("Same")}</w:body></w:document>'
    assert docx.read(builders.zipped(word__document=body), Limits()).text == "Same"


def test_the_main_part_is_found_by_its_relation() -> None:
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    data = builders.archive({
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="a" Type="{kind}" '
        'Target="/word/document2.xml"/></Relationships>',
        "word/document2.xml": part("document", f"<w:body>{paragraph('Here')}</w:body>"),
    })  # fmt: skip
    assert docx.read(data, Limits()).text == "Here"


def test_large_parts_are_read_piece_by_piece_and_counted() -> None:
    bomb = builders.docx("<w:p/>" * 400_000)
    with pytest.raises(Unfinishable) as caught:
        docx.read(bomb, Limits(unpacked_bytes=2**20))
    assert caught.value.slug == "limit_memory"


def test_more_text_than_can_be_handed_over_is_refused() -> None:
    data = builders.docx(paragraph("x" * 3000) * 10)
    with pytest.raises(Unfinishable) as caught:
        docx.read(data, Limits(output_bytes=40_000))
    assert caught.value.slug == "limit_memory"


def test_cells_are_limited_and_the_limit_is_told() -> None:
    row = f"<w:tr>{cell('x')}</w:tr>"
    body = f"<w:tbl>{row * 50}</w:tbl>"
    document = docx.read(builders.docx(body), Limits(cells=10))
    assert len(document.pages[0].tables[0].rows) == 10
    assert "cell limit" in document.warnings[0]
