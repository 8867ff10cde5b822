"""DOCX by its XML, streamed: headings, lists with their numbers, tables, pages, notes, headers and
footers. Tracked changes are read as accepted; comments are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.documents import Cell, Document, Page
from core.errors import Unfinishable
from ingestion import embedded
from ingestion.docx_styles import Style, Styles, list_of, outline_level
from ingestion.docx_tables import TableRows
from ingestion.docx_text import BOX, FALLBACK, PAGE, Notes, W, is_on, words
from ingestion.embedded import R, Within
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line
from ingestion.parts import Parts, Relation, core_properties, main_part, relations, stream_xml

_HEADING_MAX = 300  # longer is a paragraph that somebody gave a heading's style
_P, _TBL, _TR, _TC, _BODY, _CHUNK = (
    f"{W}{name}" for name in ("p", "tbl", "tr", "tc", "body", "altChunk")
)
Told = dict[str, Any]  # a paragraph's properties by their tags
_PLAIN = Style()
_NEW_PAGE = ("nextPage", "oddPage", "evenPage", None)


def read(data: bytes, limits: Limits, *, nested: bool = False) -> Document:
    """Pages end at breaks that the author set or that Word wrote down when it last saved. Of a
    document `nested` in another one neither parts within parts nor files are read."""
    parts = Parts(data, limits)
    main = main_part(parts, "word/document.xml")
    related: dict[str, list[str]] = {}
    known = relations(parts, main)
    for one in known.values():
        if one.target in parts.names and one.target not in related.get(one.kind, ()):
            related.setdefault(one.kind, []).append(one.target)

    def part(kind: str) -> Any:
        name = related.get(kind, [f"word/{kind}.xml"])[0]
        return parts.tree(name) if name in parts.names else None

    body = _Body(Styles(part("styles"), part("numbering")), limits)
    body.texts = {
        (kind, number): text
        for kind in ("footnote", "endnote")
        for number, text in _notes(part(f"{kind}s"), kind)
    }
    if not nested:
        body.within = Within(parts, known, limits)
    for header in _running(parts, related, "header"):
        body.put("header", header)
    with parts.open(main) as stream:
        body.read(stream)
    body.end()
    for footer in _running(parts, related, "footer"):
        body.put("footer", footer)
    metadata = core_properties(parts)
    done = body.done()
    title = metadata.pop("title", None) or _first_heading(done)
    if any(name.endswith("vbaProject.bin") for name in parts.names):
        body.warnings.append("The file holds macros; they were not read and never run.")
    files, lost = ((), ()) if nested else embedded.files(parts, [main], limits)
    told = Document("docx", done, title=title, metadata=metadata, warnings=tuple(body.warnings))
    return embedded.with_files(told, files, lost)


class _Body:
    """Reads the document's part and keeps its pages."""

    def __init__(self, styles: Styles, limits: Limits) -> None:
        self.texts: dict[tuple[str, str], str] = {}  # of notes
        self.warnings: list[str] = []
        self._styles = styles
        self._notes = Notes()
        self._now = PageText()
        self._done: list[Page] = []
        self._pages = limits.pages
        self._cells = limits.cells
        self._characters = limits.output_bytes // 4
        self._table = TableRows()
        self._held = ""  # of paragraphs whose end was deleted
        self.within: Within | None = None

    def put(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> None:
        self._characters -= len(text)
        if self._characters < 0:
            raise Unfinishable("The document has too much content.", code="limit_memory")
        self._now.add(kind, text, level, gap)

    def read(self, stream: Any) -> None:
        """What ends in a cell is read with its row."""
        for _event, element in stream_xml(stream, tags=(_P, _TBL, _TR, _CHUNK)):
            parent = element.getparent()
            above = None if parent is None else parent.tag
            if above == _TC or above is None:
                continue
            tag = element.tag
            if tag == _CHUNK:
                self._chunk(element)
                continue
            if above != _BODY and _within(parent):
                continue
            if tag == _P:
                self._paragraph(element)
                if self.within is not None and self.within.figures:
                    self._figures(self.within, self.within.named(element))
            elif tag == _TR:
                self._row(element)
            else:
                self._end_table()
            _drop(element, parent)

    def _figures(self, within: Within, found: Iterable[Relation]) -> None:
        """Charts and SmartArt behind the paragraph that they stand in."""
        for one in found:
            try:
                title, rows, texts = within.figure(one, self._cells)
            except Unfinishable as error:
                self.warnings.append(f"A figure was not read: {error.detail}")
                continue
            self.put("heading", title, 3)
            self._cells -= sum(map(len, rows))
            self._rows(rows)
            for text in texts:
                self.put("paragraph", text)

    def _rows(self, rows: Sequence[Sequence[Cell]], header_rows: int = 1) -> None:
        self._characters -= sum(len(cell.text) for row in rows for cell in row)
        self.put("paragraph", "")
        self._now.add_table(rows, header_rows=header_rows)

    def _chunk(self, element: Any) -> None:
        """Another document that Word shows here."""
        if self.within is None:
            return
        try:
            found = self.within.chunk(str(element.get(f"{R}id")))
        except Unfinishable as error:
            self.warnings.append(f"A part of the text was not read: {error.detail}")
            return
        for kind, text, level, table in embedded.texts(found) if found is not None else ():
            if table is not None:
                self._rows(table.rows, table.header_rows)
            else:
                self.put(kind, text, level)

    def _row(self, element: Any) -> None:
        if self._cells <= 0:
            return
        self._cells -= self._table.add(element, self._notes)
        if self._cells <= 0:
            self.warnings.append(f"Reading of tables stopped on page {len(self._done) + 1}: "
                                 "cell limit.")  # fmt: skip

    def _end_table(self) -> None:
        table, self._table = self._table, TableRows()
        self._rows(table.rows, table.header_rows or 1)
        for _ in range(table.pages):  # the table itself stays whole
            self._turn(force=True)

    def _paragraph(self, element: Any) -> None:
        text = self._held + words(element, self._notes, boxes=False)
        self._held = ""
        if not len(element) or element[0].tag != f"{W}pPr":
            return self._pieces(text, {}, _PLAIN)
        told = {node.tag: node for node in element[0]}
        if f"{W}rPr" in told and _is_gone(told[f"{W}rPr"]):
            self._held = text
            return None
        if is_on(told.get(f"{W}pageBreakBefore")):
            self._turn()
        self._pieces(text, told, self._styles.of(_value(told, "pStyle")))
        if f"{W}sectPr" in told:
            kind = told[f"{W}sectPr"].find(f"{W}type")
            if kind is None or kind.get(f"{W}val") in _NEW_PAGE:
                self._turn()
        return None

    def _pieces(self, text: str, told: Told, style: Style) -> None:
        if PAGE not in text:
            return self._add(text, told, style)
        before, *after = text.split(PAGE)
        self._add(before, told, style)
        for piece in after:
            self._turn()
            self._add(piece, told, style)
        return None

    def _add(self, text: str, told: Told, style: Style) -> None:
        if not text.strip():
            return None
        if not told:
            return self.put("paragraph", text)
        outline = told.get(f"{W}outlineLvl")
        level = style.level if outline is None else outline_level(outline)
        listed, sign, depth = self._number(told, style)
        if sign:
            text = f"{sign} {text.lstrip()}"
        if level and len(text) < _HEADING_MAX:
            self.put("heading", one_line(text), level)
        elif listed or style.name.startswith(("list", "liste")):
            after = bool(self._now.blocks) and self._now.blocks[-1].kind == "list_item"
            self.put("list_item", text, depth + 1, "\n" if after else "\n\n")
        else:
            self.put("quote" if "quote" in style.name else "paragraph", text)
        return None

    def _number(self, told: Told, style: Style) -> tuple[bool, str, int]:
        """Whether the paragraph is in a list, its number, and its depth from 0."""
        own = told.get(f"{W}numPr")
        list_id, depth = list_of(own) if own is not None else (None, None)
        list_id = style.list_id if list_id is None else list_id
        depth = style.depth if depth is None else depth
        if (own is None and list_id is None) or list_id == "0":
            return False, "", 0
        return True, self._styles.number(_value(told, "pStyle"), list_id, depth), depth or 0

    def _turn(self, force: bool = False) -> None:
        self._tell_notes("footnote")
        if (self._now.length or (force and self._done)) and len(self._done) + 1 < self._pages:
            self._done.append(self._now.page(len(self._done) + 1))
            self._now = PageText()

    def _tell_notes(self, kind: str) -> None:
        """At the foot of the page that names them."""
        asked = [key for key in self._notes.waiting if key[0] == kind]
        self._notes.waiting = [key for key in self._notes.waiting if key[0] != kind]
        for key in asked:
            if text := self.texts.pop(key, ""):
                self.put("paragraph", f"[{self._notes.asked[key]}] {text}")

    def end(self) -> None:
        if self.within is not None:  # those that stand in cells and boxes
            self._figures(self.within, list(self.within.figures.values()))
        self._pieces(self._held, {}, _PLAIN)
        self._tell_notes("footnote")
        self._tell_notes("endnote")

    def done(self) -> tuple[Page, ...]:
        if self._now.length or not self._done:
            self._done.append(self._now.page(len(self._done) + 1))
        return tuple(self._done)


def _value(told: Told, name: str) -> str:
    one = told.get(f"{W}{name}")
    return "" if one is None else str(one.get(f"{W}val"))


def _within(element: Any) -> bool:
    """In a cell, which is read with its row, or in what is written again for old programs."""
    if element.tag == _TBL and element.getparent().tag == _BODY:
        return False  # the usual case, and there may be many rows
    return next(element.iterancestors(_TC, FALLBACK), None) is not None


def _is_gone(mark: Any) -> bool:
    return mark.find(f"{W}del") is not None or mark.find(f"{W}moveFrom") is not None


def _drop(element: Any, parent: Any) -> None:
    """Frees what was read, and what stands before it."""
    element.clear()
    if parent.tag != BOX:
        while parent[0] is not element:
            del parent[0]


def _first_heading(pages: tuple[Page, ...]) -> str | None:
    for block in pages[0].blocks[:8]:
        if block.kind == "heading":
            return pages[0].text[block.start : block.end][:200]
    return None


def _running(parts: Parts, related: dict[str, list[str]], kind: str) -> list[str]:
    """Distinct texts of headers or footers."""
    named = sorted(name for name in parts.names if name.startswith(f"word/{kind}"))
    found: dict[str, None] = {}
    for name in related.get(kind, named):
        if not name.endswith(".xml"):
            continue
        lines = words(parts.tree(name)).replace(PAGE, "\n").splitlines()
        text = "\n".join(line.strip() for line in lines if line.strip())
        if text:
            found[text] = None
    return list(found)


def _notes(root: Any, kind: str) -> list[tuple[str, str]]:
    if root is None:
        return []
    return [
        (str(note.get(f"{W}id")), text)
        for note in root.iter(f"{W}{kind}")
        if note.get(f"{W}type") in (None, "normal")
        and (text := one_line(words(note).replace(PAGE, " ")))
    ]
