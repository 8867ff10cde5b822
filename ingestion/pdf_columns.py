"""Tables without rules: lines whose words leave the same gaps, at least three columns wide."""

from __future__ import annotations

from ingestion.pdf_glyphs import Piece
from ingestion.pdf_grid import Found
from ingestion.pdf_lines import Segments


def unruled(cut: list[Segments]) -> list[tuple[int, int, Found]]:
    """Tables in lines cut into segments: `(first line, line after the last, table)`."""
    found = []
    at = 0
    while at < len(cut):
        end = _run(cut, at)
        table = _table(cut[at:end]) if end - at >= 2 else None
        if table:
            found.append((at, end, table))
            at = end
        else:
            at += 1
    return found


def _run(cut: list[Segments], at: int) -> int:
    """Where the run of table lines that begins at `at` ends."""
    if len(cut[at]) < 3:
        return at
    columns = _columns(cut[at : at + 1])
    end = at + 1
    while end < len(cut) and _follows(cut[end - 1], cut[end]):
        if len(cut[end]) >= 3:
            wider = _agreed([line for line in cut[at : end + 1] if len(line) >= 3])
            if len(wider) < 3 or len(wider) < len(columns) - 1:
                break
            columns = wider
        elif not all(_column_of(part, columns) is not None for part in cut[end]):
            break
        end += 1
    while end > at and len(cut[end - 1]) < 2:
        end -= 1
    return end


def _follows(before: Segments, after: Segments) -> bool:
    height = before[0][0].y1 - before[0][0].y0
    space = after[0][0].y0 - before[0][0].y1
    return space < (2.0 if len(after) >= 2 else 0.6) * height


def _columns(lines: list[Segments]) -> list[tuple[float, float]]:
    """Stretches of x that some cell covers, with free gaps between them."""
    columns: list[tuple[float, float]] = []
    for low, high in sorted((part[0].x0, part[-1].x1) for line in lines for part in line):
        if columns and low < columns[-1][1] + 1:
            columns[-1] = (columns[-1][0], max(columns[-1][1], high))
        else:
            columns.append((low, high))
    return columns


def _agreed(lines: list[Segments]) -> list[tuple[float, float]]:
    """The columns of the lines that are cut as often as most: a heading across columns, or numbers
    that stand close, join none of them."""
    most = sorted(map(len, lines))[len(lines) // 2]
    return _columns([line for line in lines if len(line) >= most])


def _column_of(part: list[Piece], columns: list[tuple[float, float]]) -> int | None:
    """The column that a segment stands in; None when it lies across several."""
    low, high = part[0].x0, part[-1].x1
    touched = [n for n, (left, right) in enumerate(columns) if low < right and left < high]
    if len(touched) == 1:
        return touched[0]
    if not touched:
        return min(range(len(columns)), key=lambda n: abs(columns[n][0] - low))
    return None


def _table(cut: list[Segments]) -> Found | None:
    full = [line for line in cut if len(line) >= 3]
    columns = _agreed(full) if full else []
    if len(columns) < 3 or len(full) < (2 if len(columns) >= 4 else 3):
        return None
    if sum(len(line) for line in full) < 0.6 * len(columns) * len(full):
        return None
    columns = _finer(columns, cut)
    rows: list[list[list[Piece] | None]] = []
    above: Segments = []
    for line in cut:
        row: list[list[Piece] | None] = [[] for _ in columns]
        for part in line:
            for word, at in _homes(part, columns):
                held = row[at]
                assert held is not None
                held.append(word)
        if len(line) == 1 and above and not _heads(line, above):
            _continue(rows[-1], row)
        else:
            rows.append(row)
            above = line
    words = [word for line in cut for part in line for word in part]
    top, bottom = min(word.y0 for word in words), max(word.y1 for word in words)
    return Found(columns[0][0], top, columns[-1][1], bottom, rows, {})


def _finer(columns: list[tuple[float, float]], cut: list[Segments]) -> list[tuple[float, float]]:
    """Narrow columns that a small gap alone keeps apart: words of all rows begin at one place."""
    lines = [[word for part in line for word in part] for line in cut]
    finer: list[tuple[float, float]] = []
    for low, high in columns:
        inside = [
            [word for word in line if low - 1 <= word.x0 and word.x1 <= high + 1] for line in lines
        ]
        inside = [words for words in inside if words]
        heads = {part[0].x0 for line in cut for part in line if low + 2 < part[0].x0 < high}
        begins = heads | {word.x0 for word in inside[0][1:]} if inside else heads
        for at in sorted(begins):
            if _is_edge(at, inside, named=at in heads):
                finer.append((low, at - 0.5))
                low = at
        finer.append((low, high))
    return finer


def _is_edge(at: float, rows: list[list[Piece]], named: bool) -> bool:
    if any(word.x0 < at - 1 < word.x1 - 0.5 for row in rows for word in row):
        return False
    both = [row for row in rows if row[0].x0 < at - 1 < row[-1].x0 + 1]
    starting = sum(any(abs(word.x0 - at) < 1 for word in row) for row in both)
    if named:
        return len(both) >= 2 and starting >= 0.6 * len(both)
    return len(both) >= 3 and starting == len(both) == len(rows)


def _homes(part: list[Piece], columns: list[tuple[float, float]]) -> list[tuple[Piece, int]]:
    """Words with their columns; a segment stays whole unless a column begins inside it."""
    first = _nearest(part[:1], columns)
    last = _nearest(part[-1:], columns)
    begun = any(abs(columns[last][0] - word.x0) < 1 for word in part)
    if first == last or not (begun or _numbers(part, columns)):
        home = _nearest(part, columns)
        return [(word, home) for word in part]
    return [(word, _nearest([word], columns)) for word in part]


def _numbers(part: list[Piece], columns: list[tuple[float, float]]) -> bool:
    """Numbers that stand close, none of them in two columns."""
    return all(
        any(map(str.isdigit, word.text)) and _column_of([word], columns) is not None
        for word in part
    )


def _nearest(part: list[Piece], columns: list[tuple[float, float]]) -> int:
    low, high = part[0].x0, part[-1].x1
    return max(
        range(len(columns)), key=lambda n: min(high, columns[n][1]) - max(low, columns[n][0])
    )


def _heads(line: Segments, above: Segments) -> bool:
    """A line that names the rows below it: it begins further left than the row above, or that
    names rows too. A wrapped cell goes on below its beginning or indented."""
    return len(above) == 1 or line[0][0].x0 < above[0][0].x0 - 2


def _continue(above: list[list[Piece] | None], row: list[list[Piece] | None]) -> None:
    """A wrapped cell: its second line belongs to the row above."""
    for held, more in zip(above, row, strict=True):
        if held is not None and more:
            held.extend(more)
