"""From words with boxes to a page in reading order: lines kept, tables as rows, sizes as heads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from core.documents import Cell, Page
from ingestion.page_text import CELL_GAP
from ingestion.pdf_columns import unruled
from ingestion.pdf_glyphs import SLANTED, Directions, PageGlyphs, Piece, Turn
from ingestion.pdf_grid import Found, ruled
from ingestion.pdf_lines import Segments, segments, text_lines
from ingestion.pdf_page import WordPage
from ingestion.pdf_zones import zones
from ingestion.values import typed_cell

_LIST = re.compile(r"(?:[-•‣–▪●○]|\(?\d{1,2}[.)]|\(?[a-z][.)])$")
_Item = tuple[float, Segments | Found]


def page_of(found: PageGlyphs, number: int) -> Page:
    """Words that were seen on a picture; their places are kept to a tenth of a point."""
    found.seen = _tenths
    lies = Turn((0.0, 0.0, found.width, found.height), 0)
    return page_of_all(Directions([found], lies, 0.0), number)


def _tenths(pieces: Sequence[Piece]) -> list[Piece]:
    return [
        Piece(
            text, int(x0 * 10) / 10, int(y0 * 10) / 10, int(x1 * 10) / 10, int(y1 * 10) / 10, bold
        )
        for text, x0, y0, x1, y1, bold in pieces
    ]


def page_of_all(read: Directions, number: int) -> Page:
    """The most used direction first, then what runs along the margins or across the page."""
    page = WordPage()
    for found in read.found:
        page.seen = found.seen
        if found.quarter == SLANTED:
            start = page.put_words(found.words, "\n\n")  # a stamp or a watermark
            page.close_block("paragraph", start)
        else:
            _write(page, _ordered(found), _body_height(found.words))
    return page.page(number, width=read.lies.width, height=read.lies.height)


def _ordered(found: PageGlyphs) -> list[_Item]:
    grids = ruled(found)
    free = found.words
    for grid in grids:
        free = _outside(grid, free)
    items: list[_Item] = []
    for lines in zones(free):
        items += _items(_in_reading_order([segments(line) for line in lines], found.width))
    for grid in grids:
        place = next((n for n, (top, _) in enumerate(items) if top > grid.y0), len(items))
        items.insert(place, (grid.y0, grid))
    return items


def _items(cut: list[Segments]) -> list[_Item]:
    """Lines and unruled tables with their heights on the page."""
    items: list[_Item] = []
    at = 0
    for start, end, table in unruled(cut):
        items += [(line[0][0].y0, line) for line in cut[at:start]]
        items.append((table.y0, table))
        at = end
    return items + [(line[0][0].y0, line) for line in cut[at:]]


def _outside(grid: Found, words: list[Piece]) -> list[Piece]:
    left, top, right, bottom = grid.x0, grid.y0, grid.x1, grid.y1
    return [
        word
        for word in words
        if not (top <= (word[2] + word[4]) / 2 < bottom and left <= (word[1] + word[3]) / 2 < right)
    ]


def _body_height(words: list[Piece]) -> float:
    return median([word[4] - word[2] for word in words]) if words else 0.0


def _in_reading_order(cut: list[Segments], width: float) -> list[Segments]:
    """Two columns of running text are read one after the other."""
    ordered: list[Segments] = []
    left: list[Segments] = []
    right: list[Segments] = []
    for line in [*cut, []]:
        if len(line) == 2 and _prose(line[0], width) and _prose(line[1], width):
            left.append(line[:1])
            right.append(line[1:])
            continue
        if left:
            together = [one + two for one, two in zip(left, right, strict=True)]
            ordered += left + right if len(left) >= 5 else together
            left, right = [], []
        if line:
            ordered.append(line)
    return ordered


def _prose(part: list[Piece], width: float) -> bool:
    return len(part) >= 4 and part[-1].x1 - part[0].x0 > 0.25 * width


def _write(page: WordPage, items: list[_Item], body: float) -> None:
    paragraph: list[Segments] = []
    above = 0.0  # the height of its last line
    for _top, item in items:
        if isinstance(item, Found):
            _write_lines(page, paragraph, body)
            paragraph = []
            _write_table(page, item)
            continue
        high = _height(item)
        if paragraph and not _same_block(paragraph[-1], above, item, high):
            _write_lines(page, paragraph, body)
            paragraph = []
        paragraph.append(item)
        above = high
    _write_lines(page, paragraph, body)


def _same_block(before: Segments, above: float, line: Segments, below: float) -> bool:
    """Whether `line`, `below` points high, goes on with what `before`, `above` high, belongs to."""
    space = line[0][0].y0 - before[0][0].y1
    close = -above < space < 0.45 * min(above, below)
    return (
        close
        and abs(above - below) < 0.15 * above
        and before[0][0].bold == line[0][0].bold
        and not _LIST.match(line[0][0].text)
    )


def _height(line: Segments) -> float:
    return max([word[4] - word[2] for part in line for word in part])


def _kind(lines: list[Segments], body: float) -> tuple[str, int]:
    words = sum(len(part) for line in lines for part in line)
    first = lines[0]
    if len(lines) <= 3 and words <= 20 and any(map(str.isalpha, "".join(_texts(first)))):
        ratio = _height(first) / body if body else 1.0
        if ratio >= 1.15:
            return "heading", 1 if ratio >= 1.6 else 2
        alone = len(lines) == 1 and len(first) == 1 and words <= 12
        if alone and first[0][0].bold and not first[0][-1].text.endswith((".", ":", ",")):
            return "heading", 3
    if _LIST.match(first[0][0].text) and words > 1:
        return "list_item", 1
    return "paragraph", 0


def _texts(line: Segments) -> list[str]:
    return [word[0] for part in line for word in part]


def _write_lines(page: WordPage, lines: list[Segments], body: float) -> None:
    if not lines:
        return
    kind, level = _kind(lines, body)
    page.close_block(kind, page.put_lines(lines), level)


def _write_table(page: WordPage, found: Found) -> None:
    rows: list[tuple[Cell, ...]] = []
    start = None
    for r, row in enumerate(found.rows):
        cells = []
        for c, held in enumerate(row):
            words = [word for line in text_lines(held) for word in line] if held else []
            first = page.put_words(words, CELL_GAP if c else "\n" if r else "\n\n")
            start = first if start is None else start
            if held is not None:
                cell = typed_cell(" ".join([word[0] for word in words]), r, c)
                if (r, c) in found.spans:
                    down, right = found.spans[r, c]
                    cell = cell._replace(rowspan=down, colspan=right)
                cells.append(cell)
        rows.append(tuple(cells))
    page.close_table(rows, start or 0)
