"""ODT: headings, lists, tables with their spans, notes on their page, headers and footers. Tracked
changes are read as accepted; comments are left out."""

from __future__ import annotations

from typing import Any

from core.documents import Cell, Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.odf import (
    LEFT_OUT,
    OFFICE,
    STYLE,
    TABLE,
    TEXT,
    check_readable,
    metadata_of_odf,
    whole,
    words,
)
from ingestion.page_text import PageText, one_line
from ingestion.parts import Parts, stream_xml
from ingestion.values import typed_cell

_P, _H, _TABLE, _LIST, _NOTE = (
    f"{TEXT}p", f"{TEXT}h", f"{TABLE}table", f"{TEXT}list", f"{TEXT}note"
)  # fmt: skip
_ROW, _CELL = f"{TABLE}table-row", f"{TABLE}table-cell"
_BREAK = f"{TEXT}soft-page-break"
_BODY = f"{OFFICE}text"
_COLUMNS = 512
_HEADING_MAX = 300
# What is read with the paragraph or the row around it, or not at all.
_INNER = (_ROW, _NOTE, *LEFT_OUT)


def read(data: bytes, limits: Limits) -> Document:
    """Pages end where the program that saved the file ended them."""
    parts = Parts(data, limits)
    check_readable(parts)
    text = _Text(limits)
    headers, footers = _running(parts)
    for header in headers:
        text.put("header", header)
    with parts.open("content.xml") as stream:
        text.read(stream)
    text.tell_notes(end=True)
    for footer in footers:
        text.put("footer", footer)
    metadata = metadata_of_odf(parts)
    pages = text.done()
    title = metadata.pop("title", None) or _first_heading(pages)
    return Document("odt", pages, title=title, metadata=metadata, warnings=tuple(text.warnings))


class _Text:
    def __init__(self, limits: Limits) -> None:
        self.warnings: list[str] = []
        self._now = PageText()
        self._done: list[Page] = []
        self._pages = limits.pages
        self._cells = limits.cells
        self._characters = limits.output_bytes // 4
        self._rows: list[list[Cell]] = []
        self._header_rows = 0
        self._notes: list[tuple[str, str, str]] = []  # kind, sign, text

    def put(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> None:
        self._characters -= len(text)
        if self._characters < 0:
            raise Unfinishable("The document has too much content.", code="limit_memory")
        self._now.add(kind, text, level, gap)

    def read(self, stream: Any) -> None:
        tags = (_P, _H, _ROW, _TABLE, _BREAK, f"{TEXT}tracked-changes")
        for _event, element in stream_xml(stream, tags=tags):
            tag, parent = element.tag, element.getparent()
            if parent is None or next(element.iterancestors(*_INNER), None) is not None:
                continue
            if tag == _ROW:
                self._row(element)
            elif tag == _TABLE:
                self._end_table()
            elif tag == _BREAK:
                self._turn()
            elif tag in (_P, _H) and not _in_text(parent):
                self._paragraph(element)
            if tag == _BREAK or _in_text(parent):
                continue
            element.clear()
            while parent[0] is not element:
                del parent[0]

    def _paragraph(self, element: Any) -> None:
        text = words(element) if element.find(f".//{_NOTE}") is None else self._noted(element)
        if element.tag == _H:
            level = whole(element.get(f"{TEXT}outline-level"), 1, 9)
            short = len(text) < _HEADING_MAX
            self.put("heading" if short else "paragraph", one_line(text) if short else text, level)
        elif depth := sum(1 for _ in element.iterancestors(_LIST)):
            after = bool(self._now.blocks) and self._now.blocks[-1].kind == "list_item"
            self.put("list_item", text, depth, "\n" if after else "\n\n")
        else:
            self.put("paragraph", text)

    def _noted(self, element: Any) -> str:
        """Notes' signs stand in the text; the notes themselves go to the foot of the page."""
        for note in list(element.iter(_NOTE)):
            sign = note.find(f"{TEXT}note-citation")
            body = note.find(f"{TEXT}note-body")
            told = words(sign) if sign is not None else "*"
            kind = str(note.get(f"{TEXT}note-class"))
            said = one_line(" ".join(words(p) for p in body.iter(_P))) if body is not None else ""
            self._notes.append((kind, told, said))
            tail = note.tail
            note.clear()
            note.tag = f"{TEXT}span"
            note.text, note.tail = f" [{told}]", tail
        return words(element)

    def _row(self, element: Any) -> None:
        if self._cells <= 0:
            return
        cells: list[Cell] = []
        col = 0
        for cell in element:
            count = whole(cell.get(f"{TABLE}number-columns-repeated"), 1, _COLUMNS)
            if cell.tag == _CELL and col < _COLUMNS:
                text = one_line(" ".join(
                    self._noted(p) for p in cell.iter(_P, _H)
                    if next(p.iterancestors(_P, _H, _CELL, _NOTE)).tag == _CELL
                ))  # fmt: skip
                made = typed_cell(text, len(self._rows), col)
                cells.append(made._replace(
                    rowspan=whole(cell.get(f"{TABLE}number-rows-spanned"), 1, 10_000),
                    colspan=whole(cell.get(f"{TABLE}number-columns-spanned"), 1, _COLUMNS),
                ))  # fmt: skip
            col += count
        if cells:
            if element.getparent().tag == f"{TABLE}table-header-rows":
                self._header_rows += 1
            self._rows.append(cells)
            self._cells -= len(cells)
        if self._cells <= 0:
            self.warnings.append("Reading of tables stopped: cell limit.")

    def _end_table(self) -> None:
        self._characters -= sum(len(cell.text) for row in self._rows for cell in row)
        self.put("paragraph", "")
        self._now.add_table(self._rows, header_rows=self._header_rows or 1)
        self._rows, self._header_rows = [], 0

    def _turn(self) -> None:
        self.tell_notes()
        if self._now.length and not self._rows and len(self._done) + 1 < self._pages:
            self._done.append(self._now.page(len(self._done) + 1))
            self._now = PageText()

    def tell_notes(self, end: bool = False) -> None:
        """Footnotes on their page, endnotes at the end."""
        for kind, sign, text in [n for n in self._notes if end or n[0] != "endnote"]:
            self.put("paragraph", f"[{sign}] {text}")
            self._notes.remove((kind, sign, text))

    def done(self) -> tuple[Page, ...]:
        if self._now.length or not self._done:
            self._done.append(self._now.page(len(self._done) + 1))
        return tuple(self._done)


def _in_text(parent: Any) -> bool:
    """A text box's paragraph, which is read with the paragraph that holds the box."""
    return next(parent.iterancestors(_P, _H), None) is not None or parent.tag in (_P, _H)


def _first_heading(pages: tuple[Page, ...]) -> str | None:
    for block in pages[0].blocks[:8]:
        if block.kind == "heading":
            return pages[0].text[block.start : block.end][:200]
    return None


def _running(parts: Parts) -> tuple[list[str], list[str]]:
    """Distinct texts of headers and footers."""
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    if "styles.xml" not in parts.names:
        return [], []
    root = parts.tree("styles.xml")
    for place, kind in enumerate(("header", "footer")):
        for one in root.iter(f"{STYLE}{kind}", f"{STYLE}{kind}-left", f"{STYLE}{kind}-first"):
            lines = (one_line(words(p)) for p in one.iter(_P, _H))
            if text := "\n".join(line for line in lines if line):
                found[place][text] = None
    return list(found[0]), list(found[1])
