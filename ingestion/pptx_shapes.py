"""What stands on a slide: shapes in order, the words of a shape, cells of tables and charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.documents import Cell
from ingestion.page_text import one_line
from ingestion.values import typed_cell

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_D = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_COLUMNS = 512
_POINTS = 10_000  # of one series


@dataclass(frozen=True, slots=True)
class Shape:
    kind: str  # text | table | chart | diagram
    element: Any
    holds: str | None = None  # the placeholder's type; empty is the slide's body, None a free shape
    relation: str | None = None


def shapes(root: Any) -> Iterator[Shape]:
    """In the file's order, groups opened."""
    for node in root:
        tag = node.tag
        if tag == f"{_P}sp":
            body = node.find(f"{_P}txBody")
            if body is not None:
                yield Shape("text", body, _placeholder(node))
        elif tag == f"{_P}graphicFrame":
            yield from _framed(node)
        elif tag != FALLBACK and tag != f"{_P}pic":
            yield from shapes(node)


def _placeholder(shape: Any) -> str | None:
    told = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return None if told is None else str(told.get("type", ""))


def _framed(frame: Any) -> Iterator[Shape]:
    for node in frame.iter(f"{A}tbl", f"{_C}chart", f"{_D}relIds"):
        if node.tag == f"{A}tbl":
            yield Shape("table", node)
        elif node.tag == f"{_C}chart":
            yield Shape("chart", node, relation=node.get(f"{_R}id"))
        else:
            yield Shape("diagram", node, relation=node.get(f"{_R}dm"))


def paragraphs(body: Any) -> Iterator[tuple[str, int, bool | None]]:
    """Text, depth from 0, and whether it has a bullet; None where the layout decides."""
    for paragraph in body.iter(f"{A}p"):
        text = "".join(_pieces(paragraph)).strip()
        if not text:
            continue
        told = paragraph.find(f"{A}pPr")
        if told is None:
            yield text, 0, None
            continue
        level = str(told.get("lvl", "0"))
        bullet = told.find(f"{A}buChar") is not None or told.find(f"{A}buAutoNum") is not None
        none = told.find(f"{A}buNone") is not None
        yield text, int(level) if level in "012345678" else 0, bullet or (False if none else None)


def _pieces(paragraph: Any) -> Iterator[str]:
    for node in paragraph.iter(f"{A}t", f"{A}br", f"{A}tab"):
        if node.tag == f"{A}t":
            yield node.text or ""
        else:
            yield "\n" if node.tag == f"{A}br" else "\t"


def table_rows(table: Any, limit: int) -> list[list[Cell]]:
    """Cells with their spans; what a merged cell covers is left out."""
    rows: list[list[Cell]] = []
    for r, row in enumerate(table.iterchildren(f"{A}tr")):
        cells = []
        for c, cell in enumerate(row.iterchildren(f"{A}tc")):
            if c >= _COLUMNS or limit <= 0:
                break
            if cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true"):
                continue
            limit -= 1
            words = one_line(" ".join(text for text, _level, _listed in paragraphs(cell)))
            made = typed_cell(words, r, c)
            cells.append(Cell(
                made.text, r, c, made.value, made.kind,
                rowspan=_span(cell, "rowSpan"), colspan=_span(cell, "gridSpan"),
            ))  # fmt: skip
        rows.append(cells)
        if limit <= 0:
            break
    return rows


def _span(cell: Any, name: str) -> int:
    return max(1, min(_whole(cell.get(name), 1), _COLUMNS))


def _whole(told: Any, otherwise: int) -> int:
    text = str(told)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def chart_rows(root: Any, limit: int) -> tuple[str, list[list[Cell]]]:
    """The title, and a row for each category with a column for each series, as last computed."""
    title = root.find(f"{_C}chart/{_C}title")
    words = (node.text or "" for node in title.iter(f"{A}t")) if title is not None else ()
    columns: list[dict[int, str]] = []
    for one in root.iter(f"{_C}ser"):
        values = _points(one.find(f"{_C}val"), 1, limit)
        if not columns:
            columns.append(_points(one.find(f"{_C}cat"), 1, limit))
        columns.append({0: " ".join(_points(one.find(f"{_C}tx"), 0, 3).values()), **values})
        limit -= len(values)
        if limit <= 0 or len(columns) > _COLUMNS:
            break
    used = sorted({row for column in columns for row in column})
    return one_line(" ".join(words)), [
        [typed_cell(column.get(row, ""), r, c) for c, column in enumerate(columns)]
        for r, row in enumerate(used)
    ]


def _points(element: Any, first: int, limit: int) -> dict[int, str]:
    """Place to value; points without a value are not in the file."""
    found: dict[int, str] = {}
    for node in element.iter(f"{_C}v") if element is not None else ():
        if len(found) >= min(limit, _POINTS):
            break
        place = _whole(node.getparent().get("idx"), len(found))
        found[place + first] = one_line(node.text or "")
    return found
