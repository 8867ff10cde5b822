"""What lies within Office documents: files, charts, SmartArt, texts in parts of their own."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, docx, parse, pptx, xlsx
from ingestion.limits import MIB
from tests.ingestion import builders
from tests.ingestion.compound import compound

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_NAMES = (
    f'xmlns:w="{builders.W}" xmlns:r="{_TYPES}"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    ' xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    ' xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"'
    ' xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
CHART = (
    f"<c:chartSpace {_NAMES}><c:chart><c:title><a:t>Umsatz</a:t></c:title><c:ser>"
    "<c:tx><c:v>Nord</c:v></c:tx><c:cat><c:pt idx='0'><c:v>Mai</c:v></c:pt></c:cat>"
    "<c:val><c:pt idx='0'><c:v>4800</c:v></c:pt></c:val></c:ser></c:chart></c:chartSpace>"
)
ART = f"<dgm:dataModel {_NAMES}><a:p><a:r><a:t>Prüfen</a:t></a:r></a:p></dgm:dataModel>"


def related(**told: str) -> str:
    """Id to `kind target`; one that begins with `!` lies outside."""
    made = ""
    for name, one in told.items():
        kind, target = one.lstrip("!").split(" ", 1)
        mode = ' TargetMode="External"' if one[0] == "!" else ""
        made += f'<Relationship Id="{name}" Type="{_TYPES}/{kind}" Target="{target}"{mode}/>'
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{made}</Relationships>'


def word(body: str, rels: str, **parts: bytes | str) -> bytes:
    document = f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>"
    return builders.archive({
        "word/document.xml": document, "word/_rels/document.xml.rels": rels,
        **{f"word/{name}": data for name, data in parts.items()},
    })  # fmt: skip


def native(name: str, data: bytes) -> bytes:
    path = b"C:\\temp\\" + name.encode() + b"\0"
    told = b"\x02\x00" + name.encode() + b"\0" + path + b"\0\0\x03\0"
    told += struct.pack("<I", len(path)) + path + struct.pack("<I", len(data)) + data
    return compound({"\x01Ole10Native": struct.pack("<I", len(told)) + told})


TEXT = builders.paragraph("Vorher") + "{}" + builders.paragraph("Nachher")


def read(body: str, rels: str, **parts: bytes | str) -> Document:
    return docx.read(word(TEXT.format(body), rels, **parts), Limits())


def test_files_in_a_text_become_documents_of_their_own() -> None:
    held: dict[str, bytes | str] = {
        "embeddings/t.xlsx": b"PK-table", "charts/c.xml": CHART,
        "embeddings/o.bin": native("../Angebot.pdf", b"%PDF-1"), "embeddings/c.xlsx": b"PK",
    }  # fmt: skip
    document = parse(word(
        TEXT.format(""),
        related(a="package embeddings/t.xlsx", b="oleObject embeddings/o.bin",
                c="!oleObject file:///etc/passwd", d="chart charts/c.xml"),
        **held,
    ), "a.docx", "docx")  # fmt: skip
    assert [(one.filename, one.data) for one in document.attachments] == [
        ("t.xlsx", b"PK-table"), ("Angebot.pdf", b"%PDF-1"),
    ]  # fmt: skip
    assert document.metadata["attachments"] == ["t.xlsx", "Angebot.pdf"]


@pytest.mark.parametrize(
    ("tree", "name"),
    [({"CONTENTS": b"%PDF-1.4 x"}, "o.pdf"), ({"Workbook": b"x"}, "o.xls"),
     ({"Package": builders.archive({"word/document.xml": "x"})}, "o.docx")],
)  # fmt: skip
def test_an_object_is_named_by_what_it_is(tree: Any, name: str) -> None:
    document = read("", related(a="oleObject o.bin"), **{"o.bin": compound(tree)})
    assert [one.filename for one in document.attachments] == [name]


@pytest.mark.parametrize(
    "data",
    [compound({"Equation Native": b"x"}), native("a.pdf", b"x" * 900)[:-512], b"\xd0\xcf\x11\xe0"],
)
def test_an_object_that_cannot_be_had_is_named_and_costs_nothing_else(data: bytes) -> None:
    document = read("", related(a="oleObject o.bin"), **{"o.bin": data})
    assert document.pages[0].text == "Vorher\n\nNachher"
    assert len(document.attachments) + len(document.warnings) == 1


def test_charts_and_diagrams_stand_where_the_text_has_them() -> None:
    body = '<w:p><w:r><c:chart r:id="c"/></w:r><w:r><dgm:relIds r:dm="d"/></w:r></w:p>'
    rels = related(c="chart charts/c.xml", d="diagramData d.xml", x="chart gone.xml")
    (page,) = read(body, rels, **{"charts/c.xml": CHART, "d.xml": ART}).pages
    assert page.text == "Vorher\n\nUmsatz\n\n | Nord\nMai | 4800\n\nPrüfen\n\nNachher"
    assert page.tables[0].rows[1][1].value == 4800


def test_a_chart_that_is_damaged_is_named() -> None:
    body = '<w:p><w:r><c:chart r:id="c"/></w:r></w:p>'
    document = read(body, related(c="chart c.xml"), **{"c.xml": "<broken"})
    assert document.pages[0].text == "Vorher\n\nNachher"
    assert "figure" in document.warnings[0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.html", "<html><p>Mitte</p><script>x</script></html>"),
        ("a.rtf", r"{\rtf1 Mitte}"),
        ("a.docx", builders.docx(builders.paragraph("Mitte"))),
        ("a.txt", "Mitte"),
    ],
)
def test_another_text_within_is_read_in_its_place(name: str, data: bytes | str) -> None:
    document = read('<w:altChunk r:id="a"/>', related(a=f"aFChunk {name}"), **{name: data})
    assert document.pages[0].text == "Vorher\n\nMitte\n\nNachher"


def test_a_text_within_is_not_looked_for_outside_nor_without_end() -> None:
    chunk = '<w:altChunk r:id="a"/>'
    rels = related(a="!aFChunk file:///etc/passwd")
    assert read(chunk, rels).pages[0].text == "Vorher\n\nNachher"
    inner = word(chunk, related(a="aFChunk b.docx"), **{"b.docx": builders.docx("")})
    document = read(chunk, related(a="aFChunk a.docx"), **{"a.docx": inner})
    assert document.pages[0].text == "Vorher\n\nNachher"
    document = read(chunk, related(a="aFChunk a.pdf"), **{"a.pdf": b"%PDF-1.4"})
    assert "not read" in document.warnings[0]


def test_what_is_embedded_is_counted_while_it_is_unpacked() -> None:
    bomb = word("", related(a="package b.xlsx"), **{"b.xlsx": bytes(20 * MIB)})
    document = docx.read(bomb, Limits(unpacked_bytes=10 * MIB))
    assert document.attachments == ()
    assert "unpacks" in document.warnings[0]
    with pytest.raises(Unfinishable):
        docx.read(word(TEXT, "", **{"styles.xml": bytes(20 * MIB)}), Limits(unpacked_bytes=MIB))


def test_text_boxes_and_files_of_a_sheet_are_read() -> None:
    drawing = (
        f"<xdr:wsDr {_NAMES}><xdr:sp><xdr:txBody><a:p><a:r><a:t>Bitte prüfen</a:t></a:r></a:p>"
        '</xdr:txBody></xdr:sp><xdr:graphicFrame><c:chart r:id="c"/></xdr:graphicFrame>'
        '<xdr:graphicFrame><dgm:relIds r:dm="d"/></xdr:graphicFrame></xdr:wsDr>'
    )
    made = builders.rezipped(builders.xlsx(lambda book: book.active.append(["a", 1])), {
        "xl/worksheets/_rels/sheet1.xml.rels": related(
            d="drawing ../drawings/d.xml", p="package ../embeddings/a.docx"
        ),
        "xl/drawings/d.xml": drawing, "xl/embeddings/a.docx": b"PK-text",
        "xl/drawings/_rels/d.xml.rels": related(
            c="chart ../charts/c.xml", d="diagramData ../diagrams/a.xml"
        ),
        "xl/charts/c.xml": CHART, "xl/diagrams/a.xml": ART,
    })  # fmt: skip
    document = xlsx.read(made, Limits())
    assert document.pages[0].text == "a | 1\n\nBitte prüfen\n\nUmsatz\n\nPrüfen"
    assert [one.filename for one in document.attachments] == ["a.docx"]
    broken = xlsx.read(builders.rezipped(made, {"xl/drawings/d.xml": "<x"}), Limits())
    assert broken.pages[0].text == "a | 1"
    assert "drawing" in broken.warnings[0]


def test_files_of_slides_become_documents_of_their_own() -> None:
    slide = f"<p:sld {_NAMES}><p:cSld><p:spTree/></p:cSld></p:sld>"
    document = pptx.read(builders.archive({
        "ppt/presentation.xml": f'<p:presentation {_NAMES}><p:sldIdLst><p:sldId r:id="s"/>'
        "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": related(s="slide slides/s.xml"),
        "ppt/slides/s.xml": slide,
        "ppt/slides/_rels/s.xml.rels": related(a="package ../embeddings/a.xlsx"),
        "ppt/embeddings/a.xlsx": b"PK-table",
    }), Limits())  # fmt: skip
    assert [one.filename for one in document.attachments] == ["a.xlsx"]
