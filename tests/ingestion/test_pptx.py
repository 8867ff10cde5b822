"""Slides as pages: title first, bullets, merged cells, charts' figures, notes, hidden ones."""

from __future__ import annotations

import pytest

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import Limits, parse, pptx
from tests.ingestion import builders

_NS = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _relations(*pairs: tuple[str, str]) -> str:
    one = '<Relationship Id="r{}" Type="{}/{}" Target="{}"/>'
    made = (one.format(n, _TYPES, kind, target) for n, (kind, target) in enumerate(pairs))
    return f'<Relationships xmlns="x">{"".join(made)}</Relationships>'


def words(*texts: str, level: int = 0) -> str:
    return "".join(
        f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{text}</a:t></a:r></a:p>' for text in texts
    )


def shape(body: str, holds: str | None = None) -> str:
    told = "" if holds is None else f'<p:ph type="{holds}"/>' if holds else "<p:ph/>"
    return f"<p:sp><p:nvSpPr><p:nvPr>{told}</p:nvPr></p:nvSpPr><p:txBody>{body}</p:txBody></p:sp>"


def deck(*slides: str, **more: str) -> bytes:
    """Each slide's relations are `more["rels1"]` and so on; other parts go by their names."""
    parts: dict[str, bytes | str] = {
        "ppt/presentation.xml": f"<p:presentation {_NS}><p:sldIdLst>"
        + "".join(f'<p:sldId r:id="r{n}"/>' for n in range(len(slides)))
        + "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(
            *(("slide", f"slides/slide{n}.xml") for n in range(1, len(slides) + 1))
        ),
    }
    for n, slide in enumerate(slides, 1):
        parts[f"ppt/slides/slide{n}.xml"] = slide
    for name, data in more.items():
        path = f"ppt/slides/_rels/slide{name[4:]}.xml.rels" if name.startswith("rels") else name
        parts[path.replace("__", "/")] = data
    return builders.archive(parts)


def slide(inner: str, more: str = "") -> str:
    return f"<p:sld {_NS} {more}><p:cSld><p:spTree>{inner}</p:spTree></p:cSld></p:sld>"


def read(*slides: str, **more: str) -> Document:
    return pptx.read(deck(*slides, **more), Limits())


def test_a_slide_is_a_page_with_its_title_first() -> None:
    document = read(
        slide(shape(words("one", "two", level=1), "") + shape(words("Plan"), "title")
              + f"<p:grpSp>{shape(words('free'))}</p:grpSp>" + shape(words("7"), "sldNum")),
        slide(shape(words("Next"), "ctrTitle")),
    )  # fmt: skip
    page = document.pages[0]
    assert page.text == "Plan\n\none\ntwo\n\nfree"
    assert [(b.kind, b.level) for b in page.blocks] == [
        ("heading", 1), ("list_item", 2), ("list_item", 2), ("paragraph", 0),
    ]  # fmt: skip
    assert (document.title, [p.number for p in document.pages]) == ("Plan", [1, 2])


def test_hidden_slides_are_named() -> None:
    document = read(slide(shape(words("a"))), slide(shape(words("b")), 'show="0"'))
    assert document.metadata["hidden_slides"] == [2]
    assert document.pages[1].text == "b"


def test_tables_keep_merged_cells() -> None:
    def cell(text: str, told: str = "") -> str:
        return f"<a:tc {told}><a:txBody>{words(text)}</a:txBody></a:tc>"

    tall, wide = 'rowSpan="2"', 'gridSpan="2"'
    across, down = 'hMerge="1"', 'vMerge="1"'
    rows = (
        f"<a:tr>{cell('Half', tall)}{cell('Sum', wide)}{cell('', across)}</a:tr>"
        f"<a:tr>{cell('', down)}{cell('1')}{cell('2')}</a:tr>"
    )
    frame = f"<p:graphicFrame><a:graphic><a:tbl>{rows}</a:tbl></a:graphic></p:graphicFrame>"
    table = read(slide(frame)).pages[0].tables[0]
    assert [[(c.text, c.col, c.rowspan, c.colspan) for c in row] for row in table.rows] == [
        [("Half", 0, 2, 1), ("Sum", 1, 1, 2)],
        [("1", 1, 1, 1), ("2", 2, 1, 1)],
    ]


def test_a_chart_is_a_table_of_its_figures() -> None:
    def points(tag: str, *values: str) -> str:
        made = "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate(values) if v)
        return f"<c:{tag}>{made}</c:{tag}>"

    chart = (
        f"<c:chartSpace {_NS}><c:chart><c:ser>{points('tx', 'Q1')}"
        f"{points('cat', 'East', 'West')}{points('val', '', '2.5')}</c:ser></c:chart>"
        "</c:chartSpace>"
    )
    frame = '<p:graphicFrame><c:chart r:id="r0"/></p:graphicFrame>'
    page = read(
        slide(frame), rels1=_relations(("chart", "../charts/c.xml")),
        **{"ppt/charts/c.xml": chart},
    ).pages[0]  # fmt: skip
    assert page.text == " | Q1\nEast | \nWest | 2.5"


def test_notes_stand_below_their_slide() -> None:
    notes = f"<p:notes {_NS}>{shape(words('Say', 'hello'), 'body')}{shape(words('1'), 'sldNum')}"
    page = read(
        slide(shape(words("Hi"), "title")),
        rels1=_relations(("notesSlide", "../notesSlides/n.xml")),
        **{"ppt/notesSlides/n.xml": notes + "</p:notes>"},
    ).pages[0]
    assert page.text == "Hi\n\nNotes: Say\nhello"


def test_relations_in_a_circle_end() -> None:
    page = read(
        slide(shape(words("Hi"))), rels1=_relations(("notesSlide", "slide1.xml"), ("slide", "x"))
    ).pages[0]
    assert page.text.startswith("Hi")


def test_one_slide_named_without_end_is_counted_each_time() -> None:
    many = "".join('<p:sldId r:id="r0"/>' for _ in range(2_000))
    data = deck(
        slide(shape(words("x" * 1000))),
        **{"ppt/presentation.xml": f"<p:presentation {_NS}>{many}</p:presentation>"},
    )
    with pytest.raises(Unfinishable) as caught:
        pptx.read(data, Limits(unpacked_bytes=2**20))
    assert caught.value.slug == "limit_memory"
    document = pptx.read(data, Limits(pages=3))
    assert len(document.pages) == 3
    assert "page limit" in document.warnings[0]


def test_a_deck_without_slides_has_no_pages() -> None:
    with pytest.raises(Unfinishable) as caught:
        pptx.read(deck(), Limits())
    assert caught.value.slug == "no_pages"


def test_a_slide_that_is_too_much_costs_itself_alone() -> None:
    hidden = 'show="0"'
    many = shape("<a:p><a:r><a:t>A</a:t></a:r></a:p>" * 900_000)
    data = deck(
        slide(shape(words("One"), "title"), hidden), slide(many),
        slide(shape(words("Three"), "title")), "<damaged", slide(shape(words("Five")), hidden),
    )  # fmt: skip
    document = parse(data, "a.pptx", "pptx", limits=Limits(memory_bytes=200 * 2**20))
    assert [page.number for page in document.pages] == [1, 3, 5]
    assert document.warnings[0].startswith("slide 2 was skipped: ")
    assert document.warnings[1].startswith("slide 4 was skipped: The file is damaged")
    assert (document.title, document.metadata["hidden_slides"]) == ("One", [1, 5])


def test_a_deck_goes_on_behind_a_slide() -> None:
    data = deck(*(slide(shape(words(f"{n}"))) for n in range(1, 5)))
    steps = list(pptx.pages(data, Limits(), first=3))
    assert [step.number for step in steps if isinstance(step, Page)] == [3, 4]
