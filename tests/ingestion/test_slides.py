"""Slides of OpenDocument and of old PowerPoint: a page each, titles first, notes last."""

from __future__ import annotations

import struct

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, odp, ppt
from tests.ingestion import builders
from tests.ingestion.compound import compound

NAMES = ("office", "table", "text", "style", "drawing:draw", "presentation")


def _odp(body: str, styles: str = "", manifest: str = "") -> bytes:
    told = " ".join(
        f'xmlns:{name.rpartition(":")[2]}="urn:oasis:names:tc:opendocument:xmlns:'
        f'{name.partition(":")[0]}:1.0"' for name in NAMES
    )  # fmt: skip
    content = (
        f"<office:document-content {told}><office:automatic-styles>{styles}"
        "</office:automatic-styles><office:body><office:presentation>"
        f"{body}</office:presentation></office:body></office:document-content>"
    )
    parts: dict[str, bytes | str] = {
        "mimetype": "application/vnd.oasis.opendocument.presentation", "content.xml": content,
    }  # fmt: skip
    return builders.archive({**parts, **({"META-INF/manifest.xml": manifest} if manifest else {})})


def _frame(kind: str, body: str) -> str:
    told = f' presentation:class="{kind}"' if kind else ""
    return f"<draw:frame{told}><draw:text-box>{body}</draw:text-box></draw:frame>"


def _blocks(document: Document, page: int = 0) -> list[tuple[str, int, str]]:
    one = document.pages[page]
    return [(b.kind, b.level, one.text[b.start : b.end]) for b in one.blocks]


def test_an_open_presentation() -> None:
    item = "<text:list><text:list-item><text:p>{}</text:p>{}</text:list-item></text:list>"
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = f"<table:table-row>{cell.format('a')}{cell.format(2)}</table:table-row>"
    table = f"<table:table>{row}</table:table>"
    document = odp.read(
        _odp(
            '<draw:page draw:name="p1">'
            + _frame("outline", item.format("one", item.format("inner", "")))
            + _frame("title", "<text:p>The <text:span>title</text:span></text:p>")
            + _frame("page-number", "<text:p>1</text:p>")
            + f"<draw:frame>{table}</draw:frame><draw:custom-shape><text:p>box</text:p>"
            "</draw:custom-shape><presentation:notes>"
            + _frame("notes", "<text:p>say this</text:p>")
            + _frame("page-number", "<text:p>1</text:p>")
            + '</presentation:notes></draw:page><draw:page draw:style-name="h">'
            + _frame("", "<text:p>unseen</text:p>") + "</draw:page>",
            '<style:style style:name="h"><style:drawing-page-properties '
            'presentation:visibility="hidden"/></style:style>',
        ),
        Limits(),
    )  # fmt: skip
    assert document.title == "The title"
    assert _blocks(document) == [
        ("heading", 1, "The title"), ("list_item", 1, "one"), ("list_item", 2, "inner"),
        ("table", 0, "a | 2"), ("paragraph", 0, "box"), ("paragraph", 0, "Notes: say this"),
    ]  # fmt: skip
    assert document.pages[0].tables[0].rows[0][1].value == 2
    assert document.pages[1].text == "unseen"
    assert document.metadata == {"hidden_slides": [2]}


def test_a_sealed_or_empty_open_presentation() -> None:
    for data, code in (
        (_odp("<draw:page/>", manifest="<m><encryption-data/></m>"), "encrypted"),
        (_odp(""), "no_pages"),
    ):
        with pytest.raises(Unfinishable) as caught:
            odp.read(data, Limits())
        assert caught.value.slug == code


def _record(kind: int, data: bytes, instance: int = 0, *, holds: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (15 if holds else 0), kind, len(data)) + data


def _said(kind: int, text: str, *, wide: bool = True) -> bytes:
    body = text.encode("utf-16-le" if wide else "latin-1")
    return _record(3999, struct.pack("<I", kind)) + _record(4000 if wide else 4008, body)


def _ppt(seal: int = 0xE391C05F) -> bytes:
    """Two slides, the second listed first; the first has notes."""

    def box(texts: bytes) -> bytes:
        return _record(
            1036, _record(0xF002, _record(0xF00D, texts, holds=True), holds=True), holds=True
        )

    parts = {
        2: _record(1006, _record(1007, bytes(16) + struct.pack("<I", 77) + bytes(4))
                   + box(_said(4, "free box")), holds=True),
        3: _record(1006, _record(1007, bytes(24)) + box(_said(0, "Drawn title")), holds=True),
        4: _record(1008, box(_said(2, "say this") + _said(4, "7")), holds=True),
    }  # fmt: skip

    def place(reference: int, number: int) -> bytes:
        return _record(1011, struct.pack("<IIiI", reference, 0, 0, number) + bytes(4))

    outline = place(3, 256) + place(2, 257) + _said(1, "one\rtwo é", wide=False)
    outline += _said(0, "Größe €")
    notes = place(4, 77)
    parts[1] = _record(1000, _record(4080, outline, 0, holds=True)
                       + _record(4080, notes, 2, holds=True), holds=True)  # fmt: skip
    stream, places = bytes(8), []
    for number in (1, 2, 3, 4):
        places.append(len(stream))
        stream += parts[number]
    directory = len(stream)
    stream += _record(6002, struct.pack("<I4I", 4 << 20 | 1, *places))
    edit = len(stream)
    stream += _record(4085, struct.pack("<IIIII", 0, 0, 0, directory, 1) + bytes(8))
    user = _record(4086, struct.pack("<III", 20, seal, edit) + bytes(8))
    return compound({"Current User": user, "PowerPoint Document": stream})


def test_an_old_presentation_in_the_order_that_is_shown() -> None:
    document = ppt.read(_ppt(), Limits())
    assert _blocks(document, 0) == [("heading", 1, "Drawn title")]
    assert _blocks(document, 1) == [
        ("heading", 1, "Größe €"), ("list_item", 1, "one"), ("list_item", 1, "two é"),
        ("paragraph", 0, "free box"), ("paragraph", 0, "Notes: say this"),
    ]  # fmt: skip
    assert document.title == "Drawn title"


def test_a_sealed_old_presentation_says_so() -> None:
    with pytest.raises(Unfinishable) as caught:
        ppt.read(_ppt(0xF3D1C4DF), Limits())
    assert caught.value.slug == "encrypted"


@pytest.mark.parametrize("step", range(5))
def test_bytes_that_lie_end_in_words(step: int) -> None:
    whole, ends = _ppt(), set()
    for at in range(512 + step * 4, len(whole) - 4, 20):
        data = bytearray(whole)
        data[at : at + 4] = b"\xff\xff\xff\x7f"
        try:
            ppt.read(bytes(data), Limits())
        except Unfinishable as error:
            ends.add(error.slug)
    assert ends <= {"corrupted", "encrypted", "no_pages", "too_many_parts", "limit_memory"}
