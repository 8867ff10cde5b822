"""A page as rows of segments: pieces of text that stand together, each an exact slice of its page.

Boxes of words where the format has them, else columns of characters, tabs and cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from core.documents import Cell, Document, Page, Source, Table, Word
from ingestion.fields.labels import Label, find_labels

PAGES_MAX = 60
ROWS_MAX = 6000
SEGMENT_MAX = 2000  # characters; longer lines are prose
_SPLIT = re.compile(r"\t+|\s*[|│]\s*|\s{2,}")


@dataclass(frozen=True, slots=True)
class Segment:
    """`text == page.text[start:end]`. Coordinates are points, or columns and lines of characters;
    `unit` is the height of a line in them."""

    page: Page = field(repr=False)
    text: str
    start: int
    x0: float
    x1: float
    y: float
    unit: float = 1.0
    cell: Cell | None = None
    sheet: str | None = None
    labels: tuple[Label, ...] = ()

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def first(self) -> Label | None:
        """The label that the segment begins with."""
        label = self.labels[0] if self.labels else None
        return label if label and not re.search(r"\w", self.text[: label.start]) else None

    @property
    def heading(self) -> bool:
        """Whether the segment is a label and not, say, a company that is called like one."""
        label = self.first
        if label is None or not (label.loud or label.colon):
            return False
        wordy = label.name in ("vendor", "customer", "!other_id")
        return label.colon or not wordy or not re.search(r"[^\W\d_]", self.text[label.end :])

    def overlaps(self, other: Segment) -> bool:
        return min(self.x1, other.x1) - max(self.x0, other.x0) > 0.2 * self.unit


Row = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All rows of a document in reading order; a row never spans two pages or two tables."""

    rows: tuple[Row, ...]

    def carried(self, row: Row) -> bool:
        """Whether a row only carries a sum from one page to the next."""
        label = row[0].first
        if label is None or label.name != "!carried":
            return False
        return label.loud or (len(row) <= 2 and self.rows[-1][0].page.number > 1)

    def below(self, number: int, segment: Segment, lines: float = 3.2) -> Iterator[Segment]:
        """Segments under `segment`, nearest first, at most `lines` line heights away."""
        for row in self.rows[number + 1 : number + 6]:
            near = row[0].page is segment.page and 0 < row[0].y - segment.y <= lines * segment.unit
            if not near:
                return
            yield from (other for other in row if segment.overlaps(other))


def sheet(document: Document, *, whole: bool = False) -> Sheet:
    """The document's rows, page by page; of a long document the first and the last pages only
    unless `whole`, since this runs in the caller's process and must stay short."""
    pages = document.pages
    if len(pages) > PAGES_MAX and not whole:
        pages = pages[: PAGES_MAX // 2] + pages[-PAGES_MAX // 2 :]
    rows = [row for page in pages for row in _rows(page)]
    if len(rows) > ROWS_MAX and not whole:
        rows = rows[: ROWS_MAX // 2] + rows[-ROWS_MAX // 2 :]
    return Sheet(tuple(_labelled(row) for row in rows))


def source(segment: Segment, start: int, end: int, document_id: str, filename: str) -> Source:
    """The proof of `segment.text[start:end]`."""
    page, at = segment.page, segment.start + start
    cells = segment.cell.address if segment.cell else None
    quote = page.text[at : segment.start + end]
    place = (page.number, at, segment.start + end, quote)
    return Source(document_id, filename, *place, segment.sheet if cells else None, cells)


def _rows(page: Page) -> list[list[Segment]]:
    if page.words:
        return list(_word_rows(page))
    taken = [(t.start, t.end) for t in page.tables if t.end > t.start]
    rows = list(_text_rows(page, taken))
    for table in page.tables:
        rows += _table_rows(page, table)
    return sorted(rows, key=lambda row: row[0].y)


def _labelled(row: Iterable[Segment]) -> Row:
    return tuple(
        Segment(
            s.page, s.text, s.start, s.x0, s.x1, s.y, s.unit, s.cell, s.sheet,
            tuple(find_labels(s.text)),
        )
        for s in row
    )  # fmt: skip


def _word_rows(page: Page) -> Iterator[list[Segment]]:
    lines: list[list[Word]] = []
    for word in sorted(page.words, key=lambda w: (w.y0 + w.y1, w.x0)):
        for line in reversed(lines[-4:]):
            if _same_line(line[-1], word):
                line.append(word)
                break
        else:
            lines.append([word])
    for line in lines:
        segments = list(_pieces(page, sorted(line, key=lambda w: w.x0)))
        if segments:
            yield segments


def _same_line(a: Word, b: Word) -> bool:
    height = max(min(a.y1 - a.y0, b.y1 - b.y0), 1.0)
    return abs((a.y0 + a.y1) - (b.y0 + b.y1)) / 2 < 0.45 * height


def _pieces(page: Page, line: Sequence[Word]) -> Iterator[Segment]:
    """Cuts a line at wide gaps, and where its words do not follow one another in the text."""
    begin = 0
    for i, (a, b) in enumerate(pairwise(line), 1):
        between = page.text[a.start + len(a.text) : b.start]
        wide = b.x0 - a.x1 > 0.75 * min(a.y1 - a.y0, b.y1 - b.y0)
        if _one_number(a, b, between):
            continue
        if wide or b.start <= a.start or between.strip() or len(between) > 8:
            yield from _piece(page, line[begin:i])
            begin = i
    yield from _piece(page, line[begin:])


def _one_number(a: Word, b: Word, between: str) -> bool:
    """Whether `1` and `000,00` are one number although the page's text has a bar between them."""
    close = 0 <= b.x0 - a.x1 < 0.4 * (a.y1 - a.y0)
    thousands = re.fullmatch(r"[-–]?\d{1,3}", a.text) and re.match(r"\d{3}(?!\d)", b.text)
    return close and between == " | " and bool(thousands)


def _piece(page: Page, words: Sequence[Word]) -> Iterator[Segment]:
    start, end = words[0].start, words[-1].start + len(words[-1].text)
    text = page.text[start:end]
    unit = max(w.y1 - w.y0 for w in words)
    y = sum(w.y0 + w.y1 for w in words) / (2 * len(words))
    if text.strip():
        yield Segment(page, text, start, words[0].x0, words[-1].x1, y, unit)


def _text_rows(page: Page, taken: Sequence[tuple[int, int]]) -> Iterator[list[Segment]]:
    at, left = 0, sorted(taken, reverse=True)
    for number, line in enumerate(page.text.split("\n")):
        while left and left[-1][1] <= at:
            left.pop()
        inside = bool(left) and left[-1][0] <= at
        segments = [] if inside else list(_columns(page, line, at, float(number)))
        if segments:
            yield segments
        at += len(line) + 1


def _columns(page: Page, line: str, at: int, y: float) -> Iterator[Segment]:
    begin = 0
    spans = []
    for gap in _SPLIT.finditer(line):
        spans.append((begin, gap.start()))
        begin = gap.end()
    for a, b in [*spans, (begin, len(line))]:
        if line[a:b].strip() and b - a <= SEGMENT_MAX:
            yield Segment(page, line[a:b].rstrip(), at + a, float(a), float(b), y)


def _table_rows(page: Page, table: Table) -> Iterator[list[Segment]]:
    """Cells as segments: each is found in the table's text after the one before it."""
    cursor, limit = table.start, table.end or len(page.text)
    line = float(page.text.count("\n", 0, table.start))
    for number, cells in enumerate(table.rows):
        segments = []
        for cell in cells:
            text = cell.text.strip() if len(cell.text) <= SEGMENT_MAX else ""
            at = page.text.find(text, cursor, limit) if text else -1
            if at < 0:
                continue
            cursor = at + len(text)
            x = cell.col * 100.0
            y = line + number * 0.9 + 0.01  # rows of one table stay together and in order
            segments.append(
                Segment(page, text, at, x, x + 100.0 * cell.colspan - 5, y, 1.0, cell, table.sheet)
            )
        if segments:
            yield segments
