"""Tables of a parsed document as rectangles of cells: merged cells filled, pieces joined, the
header found also where it is not the first row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from core.documents import Cell, Document, Page, Table

HEADER_ROWS_MAX = 12
_EMPTY = Cell("", 0, 0, None, "empty")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its cells by column, its place in the page's text."""

    cells: tuple[Cell, ...]
    page: int
    start: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class Laid:
    """A table with its header's names and the rows below it."""

    names: tuple[str, ...]
    header: Line
    lines: tuple[Line, ...]
    first_column: int  # as in the sheet, from 0
    addressed: bool
    sheet: str | None
    title: str | None
    over: str
    pages: dict[int, str] = field(default_factory=dict)


def laid(document: Document) -> list[Laid]:
    """Every table that has a header and at least one row below it."""
    found: list[Laid] = []
    for page in document.pages:
        for table in page.tables:
            lines = list(_lines(page, table))
            last = found[-1] if found else None
            if last is not None and (more := _continues(last, lines, table, page)) is not None:
                found[-1] = _joined(last, more, page)
            elif (made := _made(lines, table, page)) is not None:
                found.append(made)
    return [one for one in found if one.lines and not _is_form(one)]


def _is_form(one: Laid) -> bool:
    """Labels with their values beside them: dates, amounts and words in one column."""
    if len(one.names) != 2:
        return False
    kinds = {line.cells[1].kind for line in one.lines} - {"empty"}
    return len(kinds) > 2 or kinds >= {"date", "text"} or kinds >= {"date", "number"}


def _lines(page: Page, table: Table) -> Iterator[Line]:
    """Rows as rectangles. Without a line of text for each row, all have the whole table's."""
    texts = page.text[table.start : table.end].split("\n")
    whole = len(texts) != len(table.rows)
    at = table.start
    for place, (row, cells) in enumerate(zip(table.rows, _filled(table), strict=True)):
        end = table.end if whole else at + len(texts[place])
        address = next((cell.address for cell in row if cell.address), None)
        number = int(re.sub(r"\D", "", address)) if address else place + 1
        yield Line(tuple(cells), page.number, table.start if whole else at, end, number)
        at = at if whole else end + 1


def _filled(table: Table) -> list[list[Cell]]:
    """Cells by column; a merged cell's text stands in all rows that it spans, and in the columns
    of a header."""
    addressed = any(cell.address for row in table.rows for cell in row)
    rows = [list(row) for row in table.rows] if addressed else _placed(table)
    width = max((len(row) for row in rows), default=0)
    rows = [row + [_EMPTY] * (width - len(row)) for row in rows]
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell.kind not in ("text", "date") or (cell.rowspan, cell.colspan) == (1, 1):
                continue  # a merged number is one number
            for down in range(r, min(r + cell.rowspan, len(rows))):
                for right in range(c, min(c + cell.colspan, width)):
                    if rows[down][right].kind == "empty" and (right == c or r < HEADER_ROWS_MAX):
                        rows[down][right] = Cell(
                            cell.text, down, right, cell.value, cell.kind, rows[down][right].address
                        )
    return rows


def _placed(table: Table) -> list[list[Cell]]:
    """Rows of HTML and the like: a cell that spans rows pushes those below it to the right."""
    taken: dict[tuple[int, int], bool] = {}
    rows: list[list[Cell]] = []
    for r, row in enumerate(table.rows):
        placed: dict[int, Cell] = {}
        c = 0
        for cell in row:
            while taken.get((r, c)):
                c += 1
            placed[c] = cell
            for down in range(min(cell.rowspan, 1_000)):
                for right in range(cell.colspan):
                    taken[(r + down, c + right)] = True
            c += cell.colspan
        rows.append([placed.get(at, _EMPTY) for at in range(max(placed, default=-1) + 1)])
    return rows


def _made(lines: list[Line], table: Table, page: Page) -> Laid | None:
    at = _header_at(lines)
    if at is None:
        return None
    deep = at + 1 if _is_second_header(lines, at) else at
    first = next(
        (c.col for line in lines for c in line.cells if c.address is not None), 0
    )  # the leftmost column of the table in its sheet
    addressed = any(c.address for line in lines for c in line.cells)
    over = " ".join(" ".join(c.text for c in line.cells) for line in lines[:at])
    return Laid(
        _names(lines[at : deep + 1]), lines[deep], tuple(lines[deep + 1 :]),
        first if addressed else 0, addressed, page.sheet, table.title,
        f"{_headings(page, table)} {over}".strip(), {page.number: page.text},
    )  # fmt: skip


def _headings(page: Page, table: Table) -> str:
    """The last headings above a table."""
    heads = [b for b in page.blocks if b.kind == "heading" and b.end <= table.start]
    return " ".join(page.text[b.start : b.end] for b in heads[-2:])


def _header_at(lines: Sequence[Line]) -> int | None:
    """The first row of names: words (or years) in most of the columns, all of them different."""
    width = max((_used(line) for line in lines), default=0)
    if width < 2:
        return None
    found: list[int] = []
    for at, line in enumerate(lines[:HEADER_ROWS_MAX]):
        if _is_header(line, width):
            found.append(at)
        elif _has_values(line) and _used(line) >= max(2, width // 2):
            break  # data begins
    else:
        found = found[:1] if len(lines) <= HEADER_ROWS_MAX else found
    return max(found, key=lambda at: (_used(lines[at]), -at), default=None)


def _used(line: Line) -> int:
    return sum(cell.kind != "empty" for cell in line.cells)


def _is_header(line: Line, width: int) -> bool:
    texts = [cell.text for cell in line.cells if cell.kind != "empty"]
    if len(texts) < max(2, (2 * width + 2) // 3):
        return False
    named = all(c.kind in ("empty", "text") or _YEAR.fullmatch(c.text) for c in line.cells)
    if any(re.search(r"\d{3}", _YEAR.sub("", text)) for text in texts):
        return False  # a code is a value: this is a form, not a table
    words = any(any(char.isalpha() for char in text) for text in texts)
    return named and words and all(len(text) <= 60 for text in texts)


def _has_values(line: Line) -> bool:
    return any(cell.kind in ("number", "date", "bool") for cell in line.cells)


def _is_second_header(lines: Sequence[Line], at: int) -> bool:
    """Whether names stand in two rows: the upper ones are merged over several of the lower."""
    if at + 1 >= len(lines):
        return False
    upper, lower = lines[at].cells, lines[at + 1].cells
    spread = any(a.text and a.text == b.text and a.col != b.col for a, b in pairwise(upper))
    return spread and all(c.kind in ("text", "empty") for c in lower) and _used(lines[at + 1]) >= 2


def _names(header: Sequence[Line]) -> tuple[str, ...]:
    """One name a column, from the upper to the lower row."""
    names = []
    for cells in zip(*(line.cells for line in header), strict=True):
        names.append(" ".join(dict.fromkeys(c.text for c in cells if c.text)))
    return tuple(" ".join(name.split()) for name in names)


def _continues(
    last: Laid, lines: Sequence[Line], table: Table, page: Page
) -> Sequence[Line] | None:
    """The rows of a piece that goes on with the table above: of the same columns in the same
    sheet after an empty row, or on the next page; its repeated header is left out."""
    if not lines or not last.lines or len(lines[0].cells) > len(last.names):
        return None
    same_sheet = last.addressed and page.sheet == last.sheet and page.number in last.pages
    next_page = not last.addressed and page.number == last.lines[-1].page + 1
    if not (same_sheet or next_page) or table.title:
        return None
    names = tuple(" ".join(cell.text.split()) for cell in lines[0].cells)
    if names == last.names[: len(names)] and len(names) == len(last.names):
        return None if same_sheet else lines[1:]
    if same_sheet and _first_column(lines) != last.first_column and len(lines) > 1:
        return None
    if len(lines) == 1 and same_sheet:
        return lines
    if _is_header(lines[0], max(_used(line) for line in lines)) and not _alike(last, lines[0]):
        return None
    return lines if len(lines[0].cells) == len(last.names) else None


def _first_column(lines: Sequence[Line]) -> int:
    return next((c.col for line in lines for c in line.cells if c.address is not None), 0)


def _alike(last: Laid, line: Line) -> bool:
    """Whether a row's cells are of the kinds that its columns hold."""
    above = last.lines[-1].cells
    pairs = [(a.kind, b.kind) for a, b in zip(above, line.cells, strict=False)]
    return any(a in ("number", "date") for a, _ in pairs) and all(a == b for a, b in pairs)


def _joined(last: Laid, more: Sequence[Line], page: Page) -> Laid:
    offset = 0
    if last.addressed and more:
        offset = max(0, _first_column(more) - last.first_column)
    width = len(last.names)
    moved = [
        Line(
            tuple([_EMPTY] * offset + list(line.cells) + [_EMPTY] * width)[:width],
            line.page, line.start, line.end, line.number,
        )
        for line in more
    ]  # fmt: skip
    return Laid(
        last.names, last.header, (*last.lines, *moved), last.first_column, last.addressed,
        last.sheet, last.title, last.over, {**last.pages, page.number: page.text},
    )  # fmt: skip
