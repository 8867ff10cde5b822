"""HTML as a reader sees it: headings, lists, tables; scripts, styles and hidden parts left out."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from core.documents import Cell, Document, Page
from ingestion.decoding import decode
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line, tidy
from ingestion.values import typed_cell

_GONE = {
    "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head", "nav",
    "button", "select", "canvas", "audio", "video", "math",
}  # fmt: skip
_BLOCKS = {
    "p", "div", "section", "article", "main", "header", "footer", "aside", "ul", "ol", "dl", "dt",
    "dd", "form", "fieldset", "figure", "figcaption", "address", "hr", "body", "html", "center",
    "details", "summary", "tr", "td", "th", "tbody", "thead", "table",
}  # fmt: skip
_KINDS = {"li": "list_item", "blockquote": "quote", "pre": "code", "h1": "heading", "h2": "heading",
          "h3": "heading", "h4": "heading", "h5": "heading", "h6": "heading"}  # fmt: skip
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|;|$)", re.I
)
_CHARSET = re.compile(rb'<meta[^>]+charset=["\']?([\w-]+)', re.IGNORECASE)


def read(data: bytes, limits: Limits) -> Document:
    text = decoded(data)
    parsed = _parse(opened(text) if text.lstrip("\ufeff \n").startswith("<?xml") else text)
    title = parsed.css_first("title")
    page = page_of(parsed, 1)
    name = one_line(title.text()) if title is not None else ""
    heading = next((b for b in page.blocks if b.kind == "heading"), None)
    if not name and heading:
        name = page.text[heading.start : heading.end]
    links = [str(a.attributes.get("href") or "") for a in parsed.css("a[href]")[:200]]
    metadata: dict[str, Any] = {"links": [link for link in links if link.startswith("http")]}
    return Document("html", (page,), title=name[:300] or None, metadata=metadata)


_VOID = "area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|path|rect|circle|line"
_CLOSED = re.compile(rf"<(?!(?:{_VOID})\b)([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>", re.IGNORECASE)


def opened(text: str) -> str:
    """XHTML's `<title/>` and `<script src="…"/>` with an end of their own: HTML knows no other, and
    takes all that follows for their content."""
    return _CLOSED.sub(r"<\1\2></\1>", text)


def title_of(text: str) -> str:
    found = _parse(text).css_first("title")
    return one_line(found.text()) if found is not None else ""


def page_from_text(text: str, number: int) -> Page:
    return page_of(_parse(text), number)


def decoded(data: bytes, told: str = "") -> str:
    """In the encoding that the page names, else in the one that was told from outside."""
    named = _CHARSET.search(data[:2048])
    for name in (named[1].decode() if named else "", told):
        with suppress(LookupError, UnicodeDecodeError):
            if name:
                return tidy(data.decode(name))
    return tidy(decode(data))


def _parse(text: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(text)


def page_of(parsed: Any, number: int) -> Page:
    writer = _Writer()
    root = parsed.body or parsed.root
    if root is not None:
        writer.walk(root)
    return writer.page.page(number)


class _Writer:
    """A walk without recursion: hostile pages nest deeper than any stack."""

    def __init__(self) -> None:
        self.page = PageText()
        self.text: list[str] = []
        self.kind, self.level = "paragraph", 0
        self.lists = 0  # lists that are open

    def walk(self, root: Any) -> None:
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            tag = node.tag
            if leaving:
                self._leave(tag)
            elif tag == "-text":
                self.text.append(node.text_content or "")
            elif tag == "br":
                self.text.append("\x0b")
            elif tag == "table" and not self._layout(node):
                self.flush()
                self.page.add_table(_rows(node))
            elif not self._skipped(node, tag):
                self._enter(tag)
                stack.append((node, True))
                stack += [(child, False) for child in reversed(_children(node))]
        self.flush()

    def _skipped(self, node: Any, tag: str | None) -> bool:
        if tag is None or tag in _GONE or tag.startswith(("-", "_", "!")):
            return True
        attributes = node.attributes
        return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))

    @staticmethod
    def _layout(node: Any) -> bool:
        """Mails are laid out by tables; those hold tables or have a single column."""
        if any(inner.mem_id != node.mem_id for inner in node.css("table")):
            return True
        return all(
            len([c for c in _children(row) if c.tag in ("td", "th")]) < 2 for row in node.css("tr")
        )

    def _enter(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _KINDS:
            self.flush()
        self.lists += tag in ("ul", "ol")
        if tag in _KINDS:
            self.kind = _KINDS[tag]
            self.level = int(tag[1]) if self.kind == "heading" else max(1, self.lists)

    def _leave(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _KINDS:
            self.flush()
        self.lists -= tag in ("ul", "ol")
        if tag in _KINDS:
            self.kind, self.level = "paragraph", 0

    def flush(self) -> None:
        raw, self.text = "".join(self.text), []
        if self.kind == "code":
            text = raw.replace("\x0b", "\n")
        else:
            text = "\n".join(filter(None, (one_line(part) for part in raw.split("\x0b"))))
        last = self.page.blocks[-1].kind if self.page.blocks else ""
        gap = "\n" if self.kind == "list_item" == last else "\n\n"
        self.page.add(self.kind, text, self.level, gap=gap)


def _children(node: Any) -> list[Any]:
    found = []
    child = node.first_child
    while child is not None:
        found.append(child)
        child = child.next
    return found


def _rows(table: Any) -> list[list[Cell]]:
    """Cells at the column where they are seen: those that reach down from above take theirs."""
    rows: list[list[Cell]] = []
    reach: dict[int, int] = {}  # column → rows that a cell above still covers
    for row in table.css("tr"):
        cells: list[Cell] = []
        covered = {at: left - 1 for at, left in reach.items() if left > 1}
        col = 0
        for cell in _children(row):
            if cell.tag not in ("td", "th"):
                continue
            while reach.get(col, 0) > 0:
                col += 1
            made = typed_cell(one_line(cell.text(separator=" ")), len(rows), col)
            wide, down = _span(cell, "colspan"), _span(cell, "rowspan")
            cells.append(
                Cell(made.text, made.row, col, made.value, made.kind, rowspan=down, colspan=wide)
            )
            covered.update(dict.fromkeys(range(col, col + wide), down - 1) if down > 1 else {})
            col += wide
        reach = covered
        if any(cell.text for cell in cells):
            rows.append(cells)
    return rows


def _span(cell: Any, name: str) -> int:
    told = str(cell.attributes.get(name) or "1")
    return max(1, min(100, int(told))) if told.isdecimal() else 1
