"""RTF: letters of every code page, paragraphs, lists, tables; hidden and foreign parts left out."""

from __future__ import annotations

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, rtf, sniff
from ingestion.rtf import html_in

FONTS = (
    rb"{\fonttbl{\f0\froman\fcharset0 Times;}{\f1\fcharset204{\*\fname Arial;}Arial Cyr;}"
    rb"{\f2\fnil\fcharset128 MS Mincho;}{\f3\fcharset238 Arial CE;}}"
)


def _read(body: bytes, head: bytes = rb"\ansi\ansicpg1252\deff0") -> Document:
    return rtf.read(rb"{\rtf1" + head + FONTS + body + b"}", Limits())


def _text(body: bytes, head: bytes = rb"\ansi\ansicpg1252\deff0") -> str:
    return _read(body, head).pages[0].text


def _blocks(document: Document) -> list[tuple[str, int, str]]:
    page = document.pages[0]
    return [(one.kind, one.level, page.text[one.start : one.end]) for one in page.blocks]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"Gr\'fc\'dfe\par\pard zwei", "Grüße\n\nzwei"),
        (rb"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2} Welt", "Привет Welt"),
        (rb"\f3 \'9elu\'9dou\'e8k\'fd k\'f9\'f2", "žluťoučký kůň"),
        (rb"\f2 \'82\'b1\'82\'f1\'83A", "こんア"),
        (rb"\u8364?100 {\uc2\u8364\'80\'80}200 {\uc0\u252}", "€100 €200 ü"),
        (rb"\u-10179?\u-8704?", "\U0001f600"),
        (rb"a\u-10187?b", "a�b"),
        (rb"\lquote x\rquote  \ldblquote y\rdblquote\emdash z\~1\_2\-3", "‘x’ “y”—z\xa01‑23"),
        (rb"\{a\\b\}\line c\tab d", "{a\\b}\nc\td"),
        (b"one \r\ntwo\\\nthree", "one two\n\nthree"),
        (rb"shown{\v hidden}{\deleted gone} too", "shown too"),
        (rb"{\pict\pngblip 89504e47}{\*\unknown text}{\*\shppict{\pict 00}}left", "left"),
        (rb"{\pict\bin7 }\par}{x}left", "left"),
        (rb'{\field{\*\fldinst HYPERLINK "http://a.example"}{\fldrslt here}}', "here"),
        (rb"{\upr{plain}{\*\ud{\u252?ber}}}", "über"),
        (rb"{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt in a box}}{\shprslt again}}", "in a box"),
        (rb"{\colortbl;\red0;}{\info{\title T}}{\*\generator Riched20;}x", "x"),
    ],
)
def test_letters_and_what_is_none(body: bytes, text: str) -> None:
    assert _text(body) == text


@pytest.mark.parametrize(
    ("head", "raw", "text"),
    [
        (rb"\ansi\ansicpg1251", rb"\'cf\'f0", "Пр"), (rb"\mac", rb"\'9f", "ü"),
        (rb"\pc", rb"\'81", "ü"), (rb"\ansi\ansicpg99999", rb"\'fc", "ü"),
    ],
)  # fmt: skip
def test_the_documents_own_code_page(head: bytes, raw: bytes, text: str) -> None:
    assert rtf.read(rb"{\rtf1" + head + b" " + raw + b"}", Limits()).pages[0].text == text


def test_headings_lists_notes_and_edges() -> None:
    document = _read(
        rb"{\info{\title Report}{\author Ada}{\creatim\yr2026\mo10\dy5\hr8\min30}}"
        rb"{\stylesheet{\s1 heading 1;}{\s2\sbasedon1 Own;}}{\header Top}{\footer Page}"
        rb"\pard\s1 Begin\par\pard Text{\footnote A note}\par"
        rb"\pard{\listtext\'b7\tab}first\par\pard{\pntext 2.\tab}second\par"
        rb"\pard\outlinelevel1 Deeper\par"
    )
    assert document.title == "Report"
    assert document.metadata == {"author": "Ada", "created": "2026-10-05T08:30"}
    assert _blocks(document) == [
        ("heading", 1, "Begin"), ("paragraph", 0, "Text"), ("list_item", 1, "· first"),
        ("list_item", 1, "2. second"), ("heading", 2, "Deeper"), ("paragraph", 0, "A note"),
        ("header", 0, "Top"), ("footer", 0, "Page"),
    ]  # fmt: skip


def test_tables_with_what_cells_reach_over() -> None:
    document = _read(
        rb"before\par"
        rb"\trowd\cellx1000\cellx2000\cellx3000\pard\intbl Item\cell Net\par more\cell Tax\cell\row"
        rb"\trowd\cellx1000\cellx3000\pard\intbl Pens\cell 1.50\cell\row"
        rb"\trowd\clvmgf\cellx1000\clmgf\cellx2000\clmrg\cellx3000\pard\intbl a\cell b\cell\cell"
        rb"\row"
        rb"\trowd\clvmrg\cellx1000\cellx2000\cellx3000\pard\intbl\cell c\cell d\cell\row"
        rb"\pard after\par"
    )
    (table,) = document.pages[0].tables
    told = [[(c.text, c.col, c.rowspan, c.colspan) for c in row] for row in table.rows]
    assert told == [
        [("Item", 0, 1, 1), ("Net more", 1, 1, 1), ("Tax", 2, 1, 1)],
        [("Pens", 0, 1, 1), ("1.50", 1, 1, 2)],
        [("a", 0, 2, 1), ("b", 1, 1, 2)],
        [("c", 1, 1, 1), ("d", 2, 1, 1)],
    ]
    assert table.rows[1][1].value == 1.5
    assert [kind for kind, _, _ in _blocks(document)] == ["paragraph", "table", "paragraph"]


def test_a_table_in_a_cell_stays_in_it() -> None:
    document = _read(
        rb"\trowd\cellx1000\cellx2000\pard\intbl\itap2 x\nestcell{\nonesttables\par}y\nestcell"
        rb"{\*\nesttableprops\trowd\cellx1\cellx2\nestrow}{\nonesttables\par}"
        rb"\pard\intbl\itap1 end\cell other\cell\row\pard"
    )
    (table,) = document.pages[0].tables
    assert [cell.text for cell in table.rows[0]] == ["x | y | end", "other"]


def test_objects_are_named_and_not_opened() -> None:
    document = _read(
        rb"{\object\objemb{\*\objclass Excel.Sheet.8}{\*\objdata 0105000002}"
        rb"{\result{\pict 00}seen}}"
    )
    assert document.pages[0].text == "seen"
    assert document.warnings == ("Objects of other programs were not read: Excel.Sheet.8.",)


def test_wrapped_html() -> None:
    data = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag18 "
        rb"<body>}{\*\mhtmltag84 <x>}{\*\htmltag84 <a href='http:\\\\a'>}\htmlrtf {\b \htmlrtf0 "
        rb"Gr\'fc\'dfe\htmlrtf }\htmlrtf0 {\*\htmltag92 </a>}\par{\*\htmltag27 </body>}}"
    )
    assert html_in(data, Limits()) == "<body><a href='http:\\\\a'>Grüße</a>\n</body>"
    assert html_in(rb"{\rtf1 x}", Limits()) == ""


def test_a_cut_off_file_is_read_and_said() -> None:
    document = rtf.read(rb"{\rtf1\ansi words {\b and", Limits())
    assert document.pages[0].text == "words and"
    assert "cut off" in document.warnings[0]


@pytest.mark.parametrize("data", [rb"{\rtf1 }", rb"{\rtf1{\*\x y}}", rb"{\rtf", rb"{\rtf1}}}x"])
def test_nothing_is_nothing(data: bytes) -> None:
    assert rtf.read(data, Limits()).pages[0].text == ""


def test_groups_end_somewhere() -> None:
    with pytest.raises(Unfinishable) as caught:
        rtf.read(rb"{\rtf1" + b"{" * 1_000_000, Limits())
    assert caught.value.slug == "too_many_parts"


@pytest.mark.parametrize("body", [
    rb"\bin99999999999 x", rb"\bin-5 x", rb"\u99999999999 x", rb"\uc-4\u1 x", rb"\f-1 x",
    rb"\cellx-9\cell\row x", rb"\trowd\clmrg\cellx1\clvmrg\cellx0\cell\cell\row x", rb"}\par x",
    rb"{\info{\creatim\yr99999\mo0\dy77}}x", rb"{\fonttbl{\f0\cpg-5;}}x", b"\\",
    rb"\'zz x",
])  # fmt: skip
def test_numbers_that_lie_harm_nothing(body: bytes) -> None:
    assert "x" in "x" + rtf.read(rb"{\rtf1 " + body + b"}", Limits()).pages[0].text


def test_cells_are_counted() -> None:
    body = rb"\trowd\cellx1\cellx2 a\cell b\cell\row" * 100
    document = rtf.read(rb"{\rtf1" + body + b"}", Limits(cells=50))
    (table,) = document.pages[0].tables
    assert sum(map(len, table.rows)) == 50
    assert document.warnings == ("Reading of tables stopped: cell limit.",)


def test_it_is_known_by_its_content() -> None:
    assert sniff(rb"{\rtf1\ansi x}", "letter.rtf") == "rtf"
