"""DOCX by its XML, streamed: headings, lists, tables, page breaks, headers, footers, footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from core.documents import Cell, Document, Page
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line
from ingestion.parts import Parts, core_properties, stream_xml, tree
from ingestion.values import typed_cell

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"(?:heading|überschrift|titre|kop|título)\s*(\d)", re.IGNORECASE)


def read(data: bytes, limits: Limits) -> Document:
    """Pages end at breaks that the author set or that Word wrote down when it last saved."""
    parts = Parts(data, limits)
    levels = _heading_levels(parts)
    pages = _Pages(limits)
    for header in _running(parts, "header"):
        pages.now.add("header", header)
    _body(parts.read("word/document.xml"), pages, levels)
    for kind in ("footnotes", "endnotes"):
        for number, note in _notes(parts, kind):
            pages.now.add("paragraph", f"[{number}] {note}")
    for footer in _running(parts, "footer"):
        pages.now.add("footer", footer)
    metadata = core_properties(parts)
    done = pages.done()
    title = metadata.pop("title", None) or _first_heading(done)
    return Document("docx", done, title=title, metadata=metadata, warnings=tuple(pages.warnings))


class _Pages:
    def __init__(self, limits: Limits) -> None:
        self.now = PageText()
        self.warnings: list[str] = []
        self._done: list[Page] = []
        self._limit = limits.pages

    def turn(self) -> None:
        if self.now.length and len(self._done) + 1 < self._limit:
            self._done.append(self.now.page(len(self._done) + 1))
            self.now = PageText()

    def done(self) -> tuple[Page, ...]:
        if self.now.length or not self._done:
            self._done.append(self.now.page(len(self._done) + 1))
        return tuple(self._done)


def _first_heading(pages: tuple[Page, ...]) -> str | None:
    for block in pages[0].blocks[:8]:
        if block.kind == "heading":
            return pages[0].text[block.start : block.end][:200]
    return None


def _heading_levels(parts: Parts) -> dict[str, int]:
    """Style id to heading level, through the styles that a style is based on."""
    data = parts.maybe("word/styles.xml")
    if data is None:
        return {}
    own: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in tree(data).iter(f"{W}style"):
        name = str(style.get(f"{W}styleId"))
        level = _style_level(style)
        if level:
            own[name] = level
        based = style.find(f"{W}basedOn")
        if based is not None:
            parents[name] = str(based.get(f"{W}val"))
    for name in parents:
        seen, at = set(), name
        while at not in own and at in parents and at not in seen:
            seen.add(at)
            at = parents[at]
        if at in own:
            own[name] = own[at]
    return own


def _style_level(style: Any) -> int:
    label = style.find(f"{W}name")
    text = str(label.get(f"{W}val")) if label is not None else ""
    if text.lower() in ("title", "titel", "titre"):
        return 1
    named = _HEADING.match(text)
    if named:
        return int(named[1])
    outline = style.find(f"{W}pPr/{W}outlineLvl")
    level = int(outline.get(f"{W}val", "9")) if outline is not None else 9
    return level + 1 if level < 9 else 0


def _body(data: bytes, pages: _Pages, levels: dict[str, int]) -> None:
    depth = 0
    for event, element in stream_xml(data, events=("start", "end"), tags=(f"{W}p", f"{W}tbl")):
        if element.tag == f"{W}tbl":
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 0:
                pages.now.add_table(_rows(element))
                element.clear()
        elif event == "end" and depth == 0:
            if next(element.iterancestors(_FALLBACK), None) is None:
                _paragraph(element, pages, levels)
            element.clear()


def _paragraph(element: Any, pages: _Pages, levels: dict[str, int]) -> None:
    text = ""
    for piece in _pieces(element):
        if piece is not None:
            text += piece
        elif text.strip():
            _add_paragraph(element, text, pages, levels)
            text = ""
            pages.turn()
        else:
            pages.turn()
    _add_paragraph(element, text, pages, levels)


def _add_paragraph(element: Any, text: str, pages: _Pages, levels: dict[str, int]) -> None:
    style = element.find(f"{W}pPr/{W}pStyle")
    name = str(style.get(f"{W}val")) if style is not None else ""
    outline = element.find(f"{W}pPr/{W}outlineLvl")
    level = levels.get(name, 0)
    if outline is not None and str(outline.get(f"{W}val", "")).isdigit():
        level = int(outline.get(f"{W}val")) + 1 if int(outline.get(f"{W}val")) < 9 else 0
    listed = element.find(f"{W}pPr/{W}numPr")
    if level and len(text) < 300:
        pages.now.add("heading", one_line(text), level)
    elif listed is not None or name.lower().startswith(("list", "liste")):
        depth = listed.find(f"{W}ilvl") if listed is not None else None
        after = pages.now.blocks and pages.now.blocks[-1].kind == "list_item"
        pages.now.add(
            "list_item", text, int(depth.get(f"{W}val", "0")) + 1 if depth is not None else 1,
            gap="\n" if after else "\n\n",
        )  # fmt: skip
    else:
        pages.now.add("quote" if "quote" in name.lower() else "paragraph", text)


def _pieces(element: Any) -> Iterator[str | None]:
    """Text in order; None where a page ends."""
    for node in element.iter():
        tag = node.tag
        if tag == f"{W}t":
            yield node.text or ""
        elif tag == f"{W}tab" and node.getparent().tag == f"{W}r":
            yield "\t"
        elif tag == f"{W}br":
            yield None if node.get(f"{W}type") == "page" else "\n"
        elif tag == f"{W}cr":
            yield "\n"
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif tag == f"{W}lastRenderedPageBreak":
            yield None
        elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
            yield f" [{node.get(f'{W}id')}]"


def _rows(table: Any) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for r, row in enumerate(table.iterchildren(f"{W}tr")):
        cells: list[Cell] = []
        col = 0
        for cell in row.iter(f"{W}tc"):
            if next(cell.iterancestors(f"{W}tr"), None) is not row:
                continue
            span = cell.find(f"{W}tcPr/{W}gridSpan")
            wide = min(64, int(span.get(f"{W}val", "1"))) if span is not None else 1
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            text = (
                "" if merge is not None and merge.get(f"{W}val") != "restart" else _cell_text(cell)
            )
            made = typed_cell(text, r, col)
            cells.append(Cell(made.text, r, col, made.value, made.kind, colspan=wide))
            col += wide
        if cells:
            rows.append(cells)
    return rows


def _cell_text(cell: Any) -> str:
    texts = ("".join(piece or "" for piece in _pieces(p)) for p in cell.iter(f"{W}p"))
    return one_line(" ".join(text for text in texts if text.strip()))


def _running(parts: Parts, kind: str) -> list[str]:
    """Distinct texts of headers or footers."""
    found: dict[str, None] = {}
    for name in sorted(n for n in parts.names if re.fullmatch(rf"word/{kind}\d*\.xml", n)):
        texts = (
            "".join(p or "" for p in _pieces(par)) for par in tree(parts.read(name)).iter(f"{W}p")
        )
        text = "\n".join(text.strip() for text in texts if text.strip())
        if text:
            found[text] = None
    return list(found)


def _notes(parts: Parts, kind: str) -> Iterator[tuple[str, str]]:
    data = parts.maybe(f"word/{kind}.xml")
    if data is None:
        return
    for note in tree(data).iter(f"{W}{kind[:-1]}"):
        text = one_line("".join(piece or "" for piece in _pieces(note)))
        if text and note.get(f"{W}type") in (None, "normal"):
            yield str(note.get(f"{W}id")), text
