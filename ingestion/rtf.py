"""RTF: paragraphs, headings, lists and tables; what is hidden or deleted is left out."""

from __future__ import annotations

import re
from typing import Any

from core.documents import Document
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line, tidy
from ingestion.rtf_rows import Rows
from ingestion.rtf_words import State, Words, whole

_HEADING = re.compile(r"(?:heading|Überschrift|titre|título|titolo|kop)\s*([1-9])", re.IGNORECASE)
_PARAGRAPHS = ("par", "sect", "page", "column")
_EDGES = ("header", "footer")
_INFO = ("title", "author", "subject")
_PARTS_OF_DATE = ("yr", "mo", "dy", "hr", "min")
_DATES = {"creatim": "created", "revtim": "modified"}


def read(data: bytes, limits: Limits) -> Document:
    """One page. Objects of other programs are named, never opened."""
    text = _Text(limits)
    words = Words(data, text.put, text.told, text.closed)
    closed = words.run()
    text.end()
    if not closed:
        text.warnings.append("The file is cut off: its last group is not closed.")
    if text.objects:
        names = ", ".join(dict.fromkeys(text.objects))[:300]
        text.warnings.append(f"Objects of other programs were not read: {names}.")
    title = text.about.pop("title", None)
    return Document(
        "rtf", (text.page.page(1),), title=title, metadata=text.about,
        warnings=tuple(text.warnings),
    )  # fmt: skip


def html_in(data: bytes, limits: Limits) -> str:
    """The HTML that Outlook wrapped in RTF; empty where there is none. Source: [MS-OXRTFEX]."""
    if b"\\fromhtml" not in data[:4096]:
        return ""
    found: list[str] = []

    def put(state: State, text: str) -> None:
        if state.place in ("body", "htmltag") and not state.plain:
            found.append(text)

    def told(state: State, word: str, number: int | None) -> None:
        if word == "htmlrtf":
            state.plain = number != 0
        elif word in _PARAGRAPHS:
            put(state, "\n")

    Words(data, put, told, lambda state: None).run()
    return whole("".join(found))


class _Text:
    def __init__(self, limits: Limits) -> None:
        self.page = PageText()
        self.about: dict[str, Any] = {}
        self.objects: list[str] = []
        self.warnings: list[str] = []
        self._run: list[str] = []
        self._side: dict[str, list[str]] = {}  # what stands beside the text, while it is read
        self._notes: list[str] = []
        self._edges: dict[str, None] = {}
        self._number = ""  # the mark of a list's paragraph
        self._headings: dict[int, int] = {}
        self._style = 0
        self._date: dict[str, int] = {}
        self._left = limits.output_bytes // 4
        self._rows = Rows(limits.cells)

    def put(self, state: State, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise Unfinishable("The file has too much content.", code="limit_memory")
        if state.place == "body":
            self._run.append(text)
        elif state.place != "fonttbl":
            self._side.setdefault(state.place, []).append(text)

    def told(self, state: State, word: str, number: int | None) -> None:
        if state.place == "nesttableprops":
            if word == "nestrow":
                self._run.append("\n")
        elif state.place in _DATES:
            if word in _PARTS_OF_DATE:
                self._date[word] = number or 0
        elif state.place == "stylesheet":
            if word == "s":
                self._style = number or 0
        elif state.place != "body":
            if word in _PARAGRAPHS:
                self._side.setdefault(state.place, []).append("\n")
        else:
            self._body(state, word, number)

    def _body(self, state: State, word: str, number: int | None) -> None:
        if word in _PARAGRAPHS:
            self._paragraph(state)
        elif word == "pard":
            state.style, state.outline, state.in_table = 0, -1, False
        elif word == "s":
            state.style = number or 0
        elif word == "outlinelevel":
            state.outline = -1 if number is None else number
        elif word == "intbl":
            state.in_table = number != 0
        elif word == "nestcell":
            self._run.append(" | ")
        elif word == "cell":
            self._rows.cell(self._taken())
        elif word == "row":
            self._rows.row()
        elif word.startswith(("tr", "cl", "cell")):
            self._rows.describe(word, number or 0)

    def _taken(self) -> str:
        text, self._run = whole("".join(self._run)), []
        number, self._number = self._number, ""
        return f"{number} {text}" if number and text.strip() else text

    def _paragraph(self, state: State) -> None:
        if state.in_table:
            self._run.append("\n")
            return
        self._table()
        listed = bool(self._number)
        text = self._taken()
        level = self._headings.get(state.style, state.outline + 1)
        if 0 < level <= 9 and len(text) < 300:
            self.page.add("heading", one_line(text), level)
        elif listed:
            last = self.page.blocks[-1].kind if self.page.blocks else ""
            self.page.add("list_item", text, 1, "\n" if last == "list_item" else "\n\n")
        else:
            self.page.add("paragraph", text)

    def _table(self) -> None:
        rows, cut = self._rows.taken()
        if rows:
            self.page.add_table(rows)
        if cut and "cell limit" not in str(self.warnings):
            self.warnings.append("Reading of tables stopped: cell limit.")

    def closed(self, state: State) -> None:
        """A group beside the text ends; those within it end first and have nothing left."""
        place = state.place
        if place in _DATES and self._date:
            told = [self._date.get(name, 0) for name in _PARTS_OF_DATE]
            if 1 <= told[1] <= 12 and 1 <= told[2] <= 31 and told[0] > 1900:
                self.about[_DATES[place]] = "{:04}-{:02}-{:02}T{:02}:{:02}".format(*told)
            self._date = {}
        if place not in self._side:
            return
        text = tidy(whole("".join(self._side.pop(place)))).strip()
        if place in ("listtext", "pntext"):
            mark = one_line(text)
            self._number = mark if mark and mark.isprintable() and mark != "�" else "•"
        elif place == "stylesheet":
            if level := _HEADING.match(text):
                self._headings[self._style] = int(level[1])
            self._style = 0
        elif place == "objclass":
            self.objects.append(one_line(text)[:80])
        elif place == "footnote":
            self._notes.append(text)
        elif place in _INFO:
            self.about.setdefault(place, one_line(text)[:500])
        elif place.startswith(_EDGES):
            self._edges.setdefault(f"{place[:6]}\n{text}")

    def end(self) -> None:
        self._rows.row()
        self._table()
        self._paragraph(State())
        for note in self._notes:
            self.page.add("paragraph", note)
        for told in self._edges:
            kind, _, text = told.partition("\n")
            self.page.add(kind, text)
