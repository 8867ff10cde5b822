"""OpenDocument texts: what a reader sees, in order, with spans and notes."""

from __future__ import annotations

import pytest

from core.errors import Unfinishable
from ingestion import Limits, odt
from tests.ingestion import builders

_NS = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def text(body: str, styles: str = "") -> bytes:
    content = (
        f"<office:document-content {_NS}><office:body><office:text>{body}</office:text>"
        "</office:body></office:document-content>"
    )
    running = f"<office:document-styles {_NS}>{styles}</office:document-styles>"
    return builders.archive({"content.xml": content, "styles.xml": running})


def test_headings_lists_and_blanks_are_kept() -> None:
    page = odt.read(text(
        '<text:h text:outline-level="2">Fees</text:h><text:p>a<text:s text:c="2"/>b<text:tab/>'
        "c<text:line-break/>d</text:p><text:list><text:list-item><text:p>one</text:p>"
        "</text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"
    ), Limits()).pages[0]  # fmt: skip
    assert page.text == "Fees\n\na  b\tc\nd\n\none\ntwo"
    assert [(b.kind, b.level) for b in page.blocks] == [
        ("heading", 2), ("paragraph", 0), ("list_item", 1), ("list_item", 1),
    ]  # fmt: skip


def test_changes_comments_and_running_lines() -> None:
    document = odt.read(text(
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>old</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        "<text:p>new<office:annotation><text:p>hm</text:p></office:annotation></text:p>",
        "<office:master-styles><style:header><text:p>ACME</text:p></style:header>"
        "<style:footer><text:p>p. 1</text:p></style:footer></office:master-styles>",
    ), Limits())  # fmt: skip
    assert document.text == "ACME\n\nnew\n\np. 1"


def test_tables_keep_spans_and_header_rows() -> None:
    wide = 'table:number-columns-spanned="2"'
    table = odt.read(text(
        "<table:table><table:table-header-rows><table:table-row>"
        f"<table:table-cell {wide}><text:p>Sum</text:p></table:table-cell>"
        "<table:covered-table-cell/></table:table-row></table:table-header-rows>"
        "<table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>"
        "<table:table-cell><text:p>two</text:p><text:p>lines</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    ), Limits()).pages[0].tables[0]  # fmt: skip
    assert [[(c.text, c.col, c.colspan) for c in row] for row in table.rows] == [
        [("Sum", 0, 2)], [("1", 0, 1), ("two lines", 1, 1)],
    ]  # fmt: skip
    assert table.header_rows == 1


def test_notes_stand_at_the_foot_of_their_page() -> None:
    note = (
        '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>See law</text:p></text:note-body></text:note>"
    )
    pages = odt.read(text(
        f"<text:p>Rent{note} is due</text:p><text:soft-page-break/><text:p>Next</text:p>"
    ), Limits()).pages  # fmt: skip
    assert [page.text for page in pages] == ["Rent [1] is due\n\n[1] See law", "Next"]


def test_too_much_text_is_refused() -> None:
    with pytest.raises(Unfinishable) as caught:
        odt.read(text(f"<text:p>{'x' * 9_000}</text:p>" * 4), Limits(output_bytes=40_000))
    assert caught.value.slug == "limit_memory"
