"""Old Word files: paragraphs, headings, lists and tables; changes accepted, nothing is run."""

from __future__ import annotations

import re

from core.documents import Document
from core.errors import Unfinishable
from ingestion.doc_pieces import GONE, Paragraph, Pieces
from ingestion.limits import Limits
from ingestion.ole import Compound
from ingestion.ole_about import MACROS, about
from ingestion.page_text import PageText, one_line, tidy
from ingestion.rtf_rows import Rows
from ingestion.rtf_words import whole

_ENDS = re.compile(r"[\r\x07\x0c]")
_LETTERS = str.maketrans({
    "\x0b": "\n", "\x1e": "\u2011", "\x1f": "", GONE: "", "\x01": "", "\x02": "", "\x03": "",
    "\x04": "", "\x05": "", "\x08": "", "\x0e": "\n",
})  # fmt: skip
_FIELD = re.compile(r"[\x13\x14\x15]")
_MERGES = {0x01: "clmgf", 0x02: "clmrg", 0x60: "clvmgf", 0x20: "clvmrg"}
_OBJECTS = "ObjectPool"


def read(data: bytes, limits: Limits) -> Document:
    """One page. Numbers of lists are not kept in the file and not made up."""
    file = Compound(data, limits)
    if "EncryptedPackage" in file.root.streams:
        raise Unfinishable("The file is encrypted by Office.", code="encrypted")
    pieces = Pieces(file)
    if len(pieces.text) > limits.output_bytes // 4:
        raise Unfinishable("The document has too much content.", code="limit_memory")
    writer = _Writer(pieces, limits)
    for name, kind in (("text", ""), ("notes", "paragraph"), ("endnotes", "paragraph"),
                       ("boxes", "paragraph"), ("edges", "header")):  # fmt: skip
        writer.story(*pieces.stories()[name], kind)
    metadata = about(file)
    warnings = writer.warnings
    if not MACROS.isdisjoint(file.root.storages):
        warnings.append("The file holds macros; they were not read and never run.")
    objects = file.root.storages.get(_OBJECTS)
    if objects and objects.storages:
        count = len(objects.storages)
        warnings.append(f"{count} objects of other programs were not read.")
    return Document(
        "doc", (writer.page.page(1),), title=metadata.pop("title", None), metadata=metadata,
        warnings=tuple(warnings),
    )  # fmt: skip


class _Writer:
    def __init__(self, pieces: Pieces, limits: Limits) -> None:
        self.page = PageText()
        self.warnings: list[str] = []
        self._pieces = pieces
        self._text = _without_fields(pieces.text)
        self._rows = Rows(limits.cells)
        self._cell: list[str] = []  # paragraphs of the cell that is read
        self._told: set[str] = set()

    def story(self, begin: int, end: int, kind: str) -> None:
        at = begin
        for found in _ENDS.finditer(self._text, begin, end):
            text = whole(self._text[at : found.start()].translate(_LETTERS))
            at = found.end()
            self._paragraph(text, found[0], found.start(), kind)
        if self._cell:
            self._rows.cell(" ".join(self._cell))
            self._cell = []
        self._table()
        self._put(whole(self._text[at:end].translate(_LETTERS)), Paragraph(), kind)

    def _paragraph(self, text: str, mark: str, place: int, kind: str) -> None:
        about = self._pieces.paragraph(place)
        if mark == "\x07":
            if about.row_end or (not self._pieces.modern and self._ends_row(text, place)):
                self._row(about)
            else:
                self._rows.cell(" ".join([*self._cell, text]))
                self._cell = []
        elif about.in_table:
            self._cell.append(text)
        else:
            self._table()
            self._put(text, about, kind)

    def _ends_row(self, text: str, place: int) -> bool:
        """Word 6 says it elsewhere: there an empty cell behind a cell ends the row."""
        return not text and place > 0 and self._text[place - 1] == "\x07"

    def _row(self, about: Paragraph) -> None:
        self._rows.describe("trowd", 0)
        for edge, marks in about.row():
            for bits, word in _MERGES.items():
                if marks & (0x60 if bits & 0x60 else 0x03) == bits:
                    self._rows.describe(word, 0)
            self._rows.describe("cellx", edge)
        self._rows.row()

    def _table(self) -> None:
        rows, cut = self._rows.taken()
        if rows:
            self.page.add_table(rows)
        if cut:
            self.warnings = ["Reading of tables stopped: cell limit."]

    def _put(self, text: str, about: Paragraph, kind: str) -> None:
        text = tidy(text)
        if kind == "header":  # the same on every section
            if text not in self._told:
                self._told.add(text)
                self.page.add(kind, text)
        elif about.heading and len(text) < 300:
            self.page.add("heading", one_line(text), about.heading)
        elif about.depth and not kind:
            last = self.page.blocks[-1].kind if self.page.blocks else ""
            gap = "\n" if last == "list_item" else "\n\n"
            self.page.add("list_item", text, about.depth, gap)
        else:
            self.page.add("paragraph", text)


def _without_fields(text: str) -> str:
    """Of a field its result is shown, not how it is made; places stay."""
    kept: list[str] = []
    hides: list[bool] = []  # of each field that is open: whether its making is being told
    at = 0
    for found in _FIELD.finditer(text):
        piece = text[at : found.start()]
        kept.append(_blank(piece) if any(hides) else piece)
        kept.append(GONE)
        at = found.end()
        if found[0] == "\x13":
            hides.append(True)
        elif hides and found[0] == "\x14":
            hides[-1] = False
        elif hides:
            hides.pop()
        if len(hides) > 100:
            hides = hides[-10:]
    return "".join([*kept, text[at:]])


def _blank(text: str) -> str:
    """Ends of paragraphs and cells stay: a field that is never closed must not hide a file."""
    return "".join(one if one in "\r\x07\x0c" else GONE for one in text)
