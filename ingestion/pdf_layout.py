"""From words with boxes to a page in reading order: lines kept, tables as rows, sizes as heads."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import median

from core.documents import Cell, Page, Word
from ingestion.page_text import CELL_GAP, PageText
from ingestion.pdf_columns import segments, unruled
from ingestion.pdf_glyphs import PageGlyphs, Piece
from ingestion.pdf_grid import Found, ruled, text_lines
from ingestion.pdf_zones import zones
from ingestion.values import typed_cell

GAP = "\t"  # between parts of a line that stand far apart
_LIST = re.compile(r"(?:[-•‣–▪●○]|\(?\d{1,2}[.)]|\(?[a-z][.)])$")


def page_of(found: PageGlyphs, number: int) -> Page:
    page = PageText()
    grids = ruled(found)
    free = [word for word in found.words if not any(_holds(grid, word) for grid in grids)]
    items: list[tuple[float, list[list[Piece]] | Found]] = []
    for words in zones(free):
        items += _items(_in_reading_order(text_lines(words), found.width))
    for grid in grids:
        place = next((n for n, (top, _) in enumerate(items) if top > grid.y0), len(items))
        items.insert(place, (grid.y0, grid))
    _write(page, items, _body_height(found.words))
    return page.page(number, width=found.width, height=found.height)


def _items(lines: list[list[Piece]]) -> list[tuple[float, list[list[Piece]] | Found]]:
    """Lines and unruled tables with their heights on the page."""
    items: list[tuple[float, list[list[Piece]] | Found]] = []
    at = 0
    for start, end, table in unruled(lines):
        items += [(line[0].y0, [line]) for line in lines[at:start]]
        items.append((table.y0, table))
        at = end
    return items + [(line[0].y0, [line]) for line in lines[at:]]


def _holds(grid: Found, word: Piece) -> bool:
    return grid.x0 <= (word.x0 + word.x1) / 2 < grid.x1 and grid.y0 <= word.middle < grid.y1


def _body_height(words: list[Piece]) -> float:
    return median(word.y1 - word.y0 for word in words) if words else 0.0


def _in_reading_order(lines: list[list[Piece]], width: float) -> list[list[Piece]]:
    """Two columns of running text are read one after the other."""
    ordered: list[list[Piece]] = []
    left: list[list[Piece]] = []
    right: list[list[Piece]] = []
    for line in [*lines, []]:
        parts = segments(line) if line else []
        if len(parts) == 2 and _prose(parts[0], width) and _prose(parts[1], width):
            left.append(parts[0])
            right.append(parts[1])
            continue
        if len(left) >= 5:
            ordered += left + right
        else:
            ordered += [one + two for one, two in zip(left, right, strict=True)]
        left, right = [], []
        if line:
            ordered.append(line)
    return ordered


def _prose(part: list[Piece], width: float) -> bool:
    return len(part) >= 4 and part[-1].x1 - part[0].x0 > 0.25 * width


def _write(
    page: PageText, items: list[tuple[float, list[list[Piece]] | Found]], body: float
) -> None:
    paragraph: list[list[Piece]] = []
    for _top, item in items:
        if isinstance(item, Found):
            _write_lines(page, paragraph, body)
            paragraph = []
            _write_table(page, item)
            continue
        line = item[0]
        if paragraph and not _same_block(paragraph[-1], line):
            _write_lines(page, paragraph, body)
            paragraph = []
        paragraph.append(line)
    _write_lines(page, paragraph, body)


def _same_block(before: list[Piece], line: list[Piece]) -> bool:
    above, below = _height(before), _height(line)
    space = line[0].y0 - before[0].y1
    close = -above < space < 0.45 * min(above, below)
    return (
        close
        and abs(above - below) < 0.15 * above
        and before[0].bold == line[0].bold
        and not _LIST.match(line[0].text)
    )


def _height(line: list[Piece]) -> float:
    return max(word.y1 - word.y0 for word in line)


def _kind(lines: list[list[Piece]], body: float) -> tuple[str, int]:
    words = sum(len(line) for line in lines)
    letters = any(char.isalpha() for word in lines[0] for char in word.text)
    if len(lines) <= 3 and words <= 20 and letters:
        ratio = _height(lines[0]) / body if body else 1.0
        if ratio >= 1.15:
            return "heading", 1 if ratio >= 1.6 else 2
        alone = len(lines) == 1 and len(segments(lines[0])) == 1 and words <= 12
        if alone and lines[0][0].bold and not lines[0][-1].text.endswith((".", ":", ",")):
            return "heading", 3
    if _LIST.match(lines[0][0].text) and words > 1:
        return "list_item", 1
    return "paragraph", 0


def _write_lines(page: PageText, lines: list[list[Piece]], body: float) -> None:
    if not lines:
        return
    kind, level = _kind(lines, body)
    block_start = None
    for number, line in enumerate(lines):
        for n, part in enumerate(segments(line)):
            gap = GAP if n else "\n" if number else "\n\n"
            for k, word in enumerate(part):
                start = _put(page, word, " " if k else gap)
                block_start = start if block_start is None else block_start
    assert block_start is not None
    page.close_block(kind, block_start, level)


def _put(page: PageText, word: Piece, gap: str) -> int:
    """Places are kept to a tenth of a point."""
    text, x0, y0, x1, y1, _bold = word
    start = page.line(text, gap)
    tenth = (int(x0 * 10) / 10, int(y0 * 10) / 10, int(x1 * 10) / 10, int(y1 * 10) / 10)
    page.words.append(Word(text, start, *tenth))
    return start


def _write_table(page: PageText, found: Found) -> None:
    rows: list[tuple[Cell, ...]] = []
    start = None
    for r, row in enumerate(found.rows):
        cells = []
        for c, held in enumerate(row):
            first = page.line("", CELL_GAP if c else "\n" if r else "\n\n")
            start = first if start is None else start
            words = [word for line in text_lines(held or []) for word in line]
            for k, word in enumerate(words):
                _put(page, word, " " if k else "")
            if held is not None:
                cell = typed_cell(" ".join(word.text for word in words), r, c)
                down, right = found.spans.get((r, c), (1, 1))
                cells.append(
                    replace(cell, rowspan=down, colspan=right) if (r, c) in found.spans else cell
                )
        rows.append(tuple(cells))
    page.close_table(rows, start or 0)
