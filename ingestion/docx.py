"""DOCX by its XML, streamed: headings, lists with their numbers, tables, pages, notes, headers and
footers. Tracked changes are read as accepted; comments are left out."""

from __future__ import annotations

from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.docx_styles import Style, Styles, list_of, outline_level
from ingestion.docx_tables import TableRows
from ingestion.docx_text import BOX, FALLBACK, PAGE, Notes, W, is_on, words
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line
from ingestion.parts import Parts, core_properties, main_part, relations, stream_xml, tree

_HEADING_MAX = 300  # longer is a paragraph that somebody gave a heading's style
_NEW_PAGE = ("nextPage", "oddPage", "evenPage", None)


def read(data: bytes, limits: Limits) -> Document:
    """Pages end at breaks that the author set or that Word wrote down when it last saved."""
    parts = Parts(data, limits)
    main = main_part(parts, "word/document.xml")
    related: dict[str, list[str]] = {}
    for one in relations(parts, main).values():
        if one.target in parts.names and one.target not in related.get(one.kind, ()):
            related.setdefault(one.kind, []).append(one.target)

    def part(kind: str) -> bytes | None:
        return parts.maybe(related.get(kind, [f"word/{kind}.xml"])[0])

    body = _Body(Styles(part("styles"), part("numbering")), limits)
    body.texts = {
        (kind, number): text
        for kind in ("footnote", "endnote")
        for number, text in _notes(part(f"{kind}s"), kind)
    }
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
    return Document("docx", done, title=title, metadata=metadata, warnings=tuple(body.warnings))


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
        self._table: TableRows | None = None
        self._depth = 0  # of tables in tables
        self._held = ""  # of paragraphs whose end was deleted

    def put(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> None:
        self._characters -= len(text)
        if self._characters < 0:
            raise Unfinishable("The document has too much content.", code="limit_memory")
        self._now.add(kind, text, level, gap)

    def read(self, stream: Any) -> None:
        tags = (f"{W}p", f"{W}tbl", f"{W}tr")
        for event, element in stream_xml(stream, events=("start", "end"), tags=tags):
            tag = element.tag
            if tag == f"{W}tbl":
                self._tables(event, element)
            elif event == "start":
                continue
            elif tag == f"{W}tr" and self._depth == 1 and self._table is not None:
                self._row(element)
                _drop(element)
            elif tag == f"{W}p" and self._depth == 0:
                self._paragraph(element)
                _drop(element)

    def _tables(self, event: str, element: Any) -> None:
        if event == "start":
            self._depth += 1
            if self._depth == 1 and not _is_double(element):
                self._table = TableRows()
            return
        self._depth -= 1
        if self._depth == 0:
            if self._table is not None:
                self._end_table(self._table)
            self._table = None
            _drop(element)

    def _row(self, element: Any) -> None:
        if self._table is None or self._cells <= 0:
            return
        self._cells -= self._table.add(element, self._notes)
        if self._cells <= 0:
            self.warnings.append(f"Reading of tables stopped on page {len(self._done) + 1}: "
                                 "cell limit.")  # fmt: skip

    def _end_table(self, table: TableRows) -> None:
        for row in table.rows:
            self._characters -= sum(len(cell.text) for cell in row)
        self.put("paragraph", "")
        self._now.add_table(table.rows, header_rows=table.header_rows or 1)
        for _ in range(table.pages):  # the table itself stays whole
            self._turn(force=True)

    def _paragraph(self, element: Any) -> None:
        if _is_double(element):
            return None
        properties = element.find(f"{W}pPr")
        text = self._held + words(element, self._notes, boxes=False)
        self._held = ""
        if properties is None:
            return self._pieces(text, None, Style())
        mark = properties.find(f"{W}rPr")
        if mark is not None and _is_gone(mark):
            self._held = text
            return None
        if is_on(properties.find(f"{W}pageBreakBefore")):
            self._turn()
        name = properties.find(f"{W}pStyle")
        style = self._styles.of(str(name.get(f"{W}val"))) if name is not None else Style()
        self._pieces(text, properties, style)
        section = properties.find(f"{W}sectPr")
        if section is not None:
            kind = section.find(f"{W}type")
            if kind is None or kind.get(f"{W}val") in _NEW_PAGE:
                self._turn()
        return None

    def _pieces(self, text: str, properties: Any, style: Style) -> None:
        if PAGE not in text:
            return self._add(text, properties, style)
        before, *after = text.split(PAGE)
        self._add(before, properties, style)
        for piece in after:
            self._turn()
            self._add(piece, properties, style)
        return None

    def _add(self, text: str, properties: Any, style: Style) -> None:
        if not text.strip():
            return None
        if properties is None:
            return self.put("paragraph", text)
        outline = properties.find(f"{W}outlineLvl")
        level = style.level if outline is None else outline_level(outline)
        listed, sign, depth = self._number(properties, style)
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

    def _number(self, properties: Any, style: Style) -> tuple[bool, str, int]:
        """Whether the paragraph is in a list, its number, and its depth from 0."""
        own = properties.find(f"{W}numPr")
        list_id, depth = list_of(own) if own is not None else (None, None)
        list_id = style.list_id if list_id is None else list_id
        depth = style.depth if depth is None else depth
        if (own is None and list_id is None) or list_id == "0":
            return False, "", 0
        name = properties.find(f"{W}pStyle")
        sign = self._styles.number(
            str(name.get(f"{W}val")) if name is not None else "", list_id, depth
        )
        return True, sign, depth or 0

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
        self._pieces(self._held, None, Style())
        self._tell_notes("footnote")
        self._tell_notes("endnote")

    def done(self) -> tuple[Page, ...]:
        if self._now.length or not self._done:
            self._done.append(self._now.page(len(self._done) + 1))
        return tuple(self._done)


def _is_double(element: Any) -> bool:
    """Of a text box that is written twice, the one for old programs."""
    parent = element.getparent()
    if parent is None or parent.tag == f"{W}body":
        return False
    return next(element.iterancestors(FALLBACK), None) is not None


def _is_gone(mark: Any) -> bool:
    return mark.find(f"{W}del") is not None or mark.find(f"{W}moveFrom") is not None


def _drop(element: Any) -> None:
    """Frees what was read, and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and parent.tag != BOX and element.getprevious() is not None:
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
        lines = words(tree(parts.read(name))).replace(PAGE, "\n").splitlines()
        text = "\n".join(line.strip() for line in lines if line.strip())
        if text:
            found[text] = None
    return list(found)


def _notes(data: bytes | None, kind: str) -> list[tuple[str, str]]:
    if data is None:
        return []
    return [
        (str(note.get(f"{W}id")), text)
        for note in tree(data).iter(f"{W}{kind}")
        if note.get(f"{W}type") in (None, "normal")
        and (text := one_line(words(note).replace(PAGE, " ")))
    ]
