"""PPTX: a page for each slide with its title, texts, tables, charts' figures and speaker notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.documents import Document
from core.errors import Unfinishable
from ingestion import embedded
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line
from ingestion.paging import Facts, Held, Opened, Reading, Step, each
from ingestion.parts import Parts, Relation, core_properties, main_part, relations
from ingestion.pptx_shapes import Shape, chart_rows, paragraphs, shapes, table_rows

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TITLES = ("title", "ctrTitle")
_FEET = ("ftr", "dt")
_LEFT_OUT = ("sldNum", "sldImg", "hdr")
_BODIES = ("body", "obj", "")  # their paragraphs have bullets unless they say otherwise
_TITLE_MAX = 300


def read(data: bytes, limits: Limits) -> Document:
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Hidden slides are read too and named in `metadata`; comments and animations are not."""
    parts = Parts(data, limits)
    main = main_part(parts, "ppt/presentation.xml")
    known = relations(parts, main)
    order = [str(one.get(f"{_R}id")) for one in parts.tree(main).iter(f"{_P}sldId")]
    slides = [known[name].target for name in order if name in known]
    if not slides:
        raise Unfinishable("The presentation has no slides.", code="no_pages")
    metadata = core_properties(parts)
    title = metadata.pop("title", None)
    if title == "PowerPoint Presentation":  # what PowerPoint writes by itself
        title = None
    about = Document("pptx", (), title=title, metadata=metadata, warnings=_warnings(parts))
    total = min(len(slides), limits.pages)
    yield Opened(total, about, "slide")
    deck = _Deck(parts, limits)
    yield from each(range(first, total + 1), lambda number: deck.slide(number, slides[number - 1]))
    files, lost = embedded.files(parts, slides[:total], limits)
    yield from (Held(0, one) for one in files)
    about = replace(embedded.with_files(about, files, lost), attachments=())
    told = f"Reading stopped after {total} slides: page limit."
    return replace(about, warnings=(told, *about.warnings)) if total < len(slides) else about


def _warnings(parts: Parts) -> tuple[str, ...]:
    if any(name.endswith("vbaProject.bin") for name in parts.names):
        return ("The file holds macros; they were not read and never run.",)
    return ()


class _Deck:
    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._title: str | None = None  # of the present slide
        self._full = False
        self._parts = parts
        self._cells = limits.cells
        self._characters = limits.output_bytes // 4
        self._now = PageText()

    def slide(self, number: int, name: str) -> Iterator[Step]:
        full, self._title = self._full, None
        root = self._parts.tree(name)
        known = relations(self._parts, name)
        hidden = root.get("show") in ("0", "false")
        self._now = PageText()
        found = list(shapes(root))
        for shape in sorted(found, key=lambda one: one.holds not in _TITLES):
            self._shape(shape, known)
        for one in known.values():
            if one.kind == "notesSlide" and one.target in self._parts.names:
                self._notes(one.target)
        yield self._now.page(number)
        yield Facts(
            {"hidden_slides": [number]} if hidden else {}, title=self._title,
            warnings=("Reading of tables stopped: cell limit.",) if self._full > full else (),
        )  # fmt: skip

    def _shape(self, shape: Shape, known: dict[str, Relation]) -> None:
        if shape.kind == "table":
            self._table(table_rows(shape.element, self._cells))
        elif shape.kind in ("chart", "diagram"):
            part = known.get(shape.relation or "")
            if part is not None and part.target in self._parts.names:
                self._figure(shape.kind, part.target)
        elif shape.holds not in _LEFT_OUT:
            self._text(shape)

    def _text(self, shape: Shape) -> None:
        if shape.holds in _TITLES:
            text = one_line(" ".join(text for text, _level, _listed in paragraphs(shape.element)))
            self._put("heading" if len(text) < _TITLE_MAX else "paragraph", text, 1)
            self._title = self._title or text[:200] or None
            return
        for text, level, listed in paragraphs(shape.element):
            after = bool(self._now.blocks) and self._now.blocks[-1].kind == "list_item"
            if shape.holds == "subTitle":
                self._put("heading", one_line(text), 2)
            elif shape.holds in _FEET:
                self._put("footer", text)
            elif listed or (listed is None and shape.holds in _BODIES):
                self._put("list_item", text, level + 1, "\n" if after else "\n\n")
            else:
                self._put("paragraph", text)

    def _figure(self, kind: str, name: str) -> None:
        root = self._parts.tree(name)
        if kind == "chart":
            title, rows = chart_rows(root, self._cells)
            self._put("heading", title, 3)
            self._table(rows)
            return
        for text, _level, _listed in paragraphs(root):
            self._put("paragraph", text)

    def _table(self, rows: list[list[Any]]) -> None:
        self._cells -= sum(map(len, rows))
        if self._cells <= 0:
            self._full = True
        self._spend(sum(len(cell.text) for row in rows for cell in row))
        self._now.add_table([row for row in rows if row])

    def _notes(self, name: str) -> None:
        texts = [
            text
            for shape in shapes(self._parts.tree(name))
            if shape.kind == "text" and shape.holds == "body"
            for text, _level, _listed in paragraphs(shape.element)
        ]
        if texts:
            self._put("paragraph", "Notes: " + "\n".join(texts))

    def _put(self, kind: str, text: str, level: int = 0, gap: str = "\n\n") -> None:
        self._spend(len(text))
        self._now.add(kind, text, level, gap)

    def _spend(self, characters: int) -> None:
        self._characters -= characters
        if self._characters < 0:
            raise Unfinishable("The presentation has too much content.", code="limit_memory")
