"""Ruled tables: lines that touch make a grid, a missing side merges two cells."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from ingestion.pdf_glyphs import Line, PageGlyphs, Piece
from ingestion.pdf_lines import text_lines

_NEAR = 3.0
_CROSSINGS_MAX = 1_000_000  # above: a drawing, no table


@dataclass(slots=True)
class Found:
    """A table on the page: `rows[r][c]` are the words of a cell, None where another cell spans."""

    x0: float
    y0: float
    x1: float
    y1: float
    rows: list[list[list[Piece] | None]]
    spans: dict[tuple[int, int], tuple[int, int]]  # (row, col) -> (rowspan, colspan)


def ruled(page: PageGlyphs) -> list[Found]:
    """Grids of at least two rows and two columns, from top to bottom."""
    across, down = _merged(page.across), _merged(page.down)
    if len(across) < 2 or len(down) < 2 or len(across) * len(down) > _CROSSINGS_MAX:
        return []
    found = []
    for lines, posts in _components(across, down):
        grid = _grid(lines, posts, page.words)
        if grid:
            found.append(grid)
    found.sort(key=lambda grid: (grid.y0, grid.x0))
    return [grid for grid in found if not any(_inside(grid, other) for other in found)]


def _inside(grid: Found, other: Found) -> bool:
    return grid is not other and other.x0 < grid.x0 and grid.x1 < other.x1 and (
        other.y0 < grid.y0 and grid.y1 < other.y1
    )  # fmt: skip


def _merged(lines: list[Line]) -> list[Line]:
    """Pieces of one line put together."""
    merged: list[Line] = []
    for line in sorted(lines, key=lambda line: (round(line.at), line.low)):
        last = merged[-1] if merged else None
        if last and abs(last.at - line.at) < 1.5 and line.low <= last.high + _NEAR:
            merged[-1] = Line(last.at, min(last.low, line.low), max(last.high, line.high))
        else:
            merged.append(line)
    return merged


def _components(across: list[Line], down: list[Line]) -> list[tuple[list[Line], list[Line]]]:
    parent = list(range(len(across) + len(down)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    posts = [
        (j, at, low - _NEAR, high + _NEAR) for j, (at, low, high) in enumerate(down, len(across))
    ]
    for i, (at, low, high) in enumerate(across):
        left, right = low - _NEAR, high + _NEAR
        for j, x, top, bottom in posts:
            if left <= x <= right and top <= at <= bottom and parent[i] != parent[j]:
                parent[root(i)] = root(j)
    groups: dict[int, tuple[list[Line], list[Line]]] = {}
    for i, line in enumerate(across):
        groups.setdefault(root(i), ([], []))[0].append(line)
    for j, post in enumerate(down, len(across)):
        groups.setdefault(root(j), ([], []))[1].append(post)
    return [group for group in groups.values() if len(group[0]) >= 2 and len(group[1]) >= 2]


def _places(lines: list[Line], ends: list[Line]) -> list[float]:
    """Where the grid's lines stand, with the outer sides that were not drawn."""
    places: list[float] = []
    low, high = min(end.low for end in ends), max(end.high for end in ends)
    for at in sorted([line.at for line in lines] + [low, high]):
        if not places or at - places[-1] > _NEAR:
            places.append(at)
    return places


def _grid(across: list[Line], down: list[Line], words: list[Piece]) -> Found | None:
    xs, ys = _places(down, across), _places(across, down)
    if len(xs) < 3 or len(ys) < 3 or len(xs) > 200:
        return None
    cells: list[list[list[Piece]]] = [[[] for _ in xs[1:]] for _ in ys[1:]]
    left, top, right, bottom = xs[0], ys[0], xs[-1], ys[-1]
    for word in words:
        y = (word[2] + word[4]) / 2
        if top <= y < bottom:
            x = (word[1] + word[3]) / 2
            if left <= x < right:
                cells[bisect_right(ys, y) - 1][bisect_right(xs, x) - 1].append(word)
    filled = sum(bool(cell) for row in cells for cell in row)
    if filled < 3 or sum(any(row) for row in cells) < 2:
        return None
    rows, spans = _merge_cells(cells, xs, ys, across, down)
    grid = Found(xs[0], ys[0], xs[-1], ys[-1], rows, spans)
    _drop_empty(grid)
    _split_bands(grid)
    _drop_empty(grid)
    columns = len(grid.rows[0]) if grid.rows else 0
    return grid if len(grid.rows) >= 2 and columns >= 2 else None


def _near(lines: list[Line], places: list[float]) -> list[list[tuple[float, float]]]:
    """For each place the stretches that lines cover there."""
    return [
        [(low - 1, high + 1) for at, low, high in lines if -_NEAR <= at - place <= _NEAR]
        for place in places
    ]


def _covered(stretches: list[tuple[float, float]], where: float) -> bool:
    for low, high in stretches:  # noqa: SIM110 - asked for each cell: half the time of any()
        if low <= where <= high:
            return True
    return False


def _merge_cells(
    cells: list[list[list[Piece]]], xs: list[float], ys: list[float],
    across: list[Line], down: list[Line],
) -> tuple[list[list[list[Piece] | None]], dict[tuple[int, int], tuple[int, int]]]:  # fmt: skip
    rows: list[list[list[Piece] | None]] = [list(row) for row in cells]
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    posts, beams = _near(down, xs), _near(across, ys)
    middles = [(left + right) / 2 for left, right in pairwise(xs)]
    for r in range(len(rows)):
        for c in range(len(rows[0])):
            if rows[r][c] is None:
                continue
            right = c + 1
            y = (ys[r] + ys[r + 1]) / 2
            while (
                right < len(rows[0])
                and rows[r][right] is not None
                and not _covered(posts[right], y)
                and not _apart(cells[r][c:right], cells[r][right], xs[right])
            ):
                right += 1
            below = r + 1
            under = middles[c:right]
            while below < len(rows) and not any(_covered(beams[below], x) for x in under):
                below += 1
            if (right - c, below - r) != (1, 1):
                _swallow(rows, cells, (r, c), (below, right))
                spans[r, c] = (below - r, right - c)
    return rows, spans


def _apart(before: list[list[Piece]], after: list[Piece], at: float) -> bool:
    """Whether cells that no line divides are several all the same: a shaded row hides its lines.
    Their words keep off `at`, and further from each other than words of one text do."""
    left = next((cell for cell in reversed(before) if cell), None)
    if not left or not after:
        return False
    if max([word.x1 for word in left]) > at + 1 or min([word.x0 for word in after]) < at - 1:
        return False
    for line in text_lines(left + after):
        for one, two in pairwise(line):
            if one.x1 <= at + 1 and two.x0 >= at - 1:
                high = min(one.y1 - one.y0, two.y1 - two.y0)
                if two.x0 - one.x1 <= 0.95 * high:
                    return False
    return True


def _swallow(
    rows: list[list[list[Piece] | None]], cells: list[list[list[Piece]]],
    start: tuple[int, int], end: tuple[int, int],
) -> None:  # fmt: skip
    for r in range(start[0], end[0]):
        for c in range(start[1], end[1]):
            if (r, c) != start:
                cells[start[0]][start[1]].extend(cells[r][c])
                rows[r][c] = None
    rows[start[0]][start[1]] = cells[start[0]][start[1]]


def _split_bands(grid: Found) -> None:
    """A band without inner lines that holds several rows of text is several rows."""
    rows: list[list[list[Piece] | None]] = []
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    known = grid.spans
    for r, row in enumerate(grid.rows):
        held = {c: span for c in range(len(row)) if (span := known.get((r, c)))} if known else {}
        parts = _split(row) if _level_band(row, held) else [row]
        if held and len(parts) < 3:
            parts = [row]
        for part in range(len(rows), len(rows) + len(parts)):
            spans |= {(part, c): span for c, span in held.items()}
        rows += parts
    grid.rows, grid.spans = rows, spans


def _level_band(row: list[list[Piece] | None], held: dict[int, tuple[int, int]]) -> bool:
    """No cell reaches in from above or out below."""
    swallowed = sum(wide - 1 for _high, wide in held.values())
    return row.count(None) == swallowed and all(high == 1 for high, _wide in held.values())


def _split(row: list[list[Piece] | None]) -> list[list[list[Piece] | None]]:
    if sum([len({word[2] + word[4] for word in cell}) > 1 for cell in row if cell]) < 2:
        return [row]
    columns = [text_lines(cell) if cell else [] for cell in row]
    several = [lines for lines in columns if len(lines) >= 2]
    nonempty = sum(bool(lines) for lines in columns)
    if len(several) < 2 or len(several) < 0.7 * nonempty:
        return [row]
    tops = _row_tops([lines for lines in columns if lines], nonempty)
    if len(tops) < 2:
        return [row]
    parts: list[list[list[Piece] | None]] = [
        [None if cell is None else [] for cell in row] for _ in tops
    ]
    for c, lines in enumerate(columns):
        for line in lines:
            part = max(0, bisect_right(tops, line[0].middle + 2) - 1)
            held = parts[part][c]
            assert held is not None
            held.extend(line)
    return parts


def _row_tops(columns: list[list[list[Piece]]], nonempty: int) -> list[float]:
    """Heights at which most columns begin a line."""
    starts = sorted(line[0].middle for lines in columns for line in lines)
    tops: list[float] = []
    at = 0
    while at < len(starts):
        end = at
        while end < len(starts) and starts[end] - starts[at] < 3:
            end += 1
        if end - at >= max(2, 0.7 * nonempty):
            tops.append(starts[at])
        at = end
    return tops


def _drop_empty(grid: Found) -> None:
    """Rows and columns that are only the thickness of a double line."""
    down = [r for r, row in enumerate(grid.rows) if any(row)]
    along = (
        [c for c in range(len(grid.rows[0])) if any(row[c] for row in grid.rows)] if down else []
    )
    if len(along) < 2:
        along = list(range(len(grid.rows[0]) if grid.rows else 0))
    if len(down) == len(grid.rows) and len(along) == len(grid.rows[0]):
        return
    rows = [[grid.rows[r][c] for c in along] for r in down]
    spans = {}
    for (r, c), (high, wide) in grid.spans.items():
        top, left = bisect_left(down, r), bisect_left(along, c)
        bottom, right = bisect_left(down, r + high), bisect_left(along, c + wide)
        if top < bottom and left < right:
            rows[top][left] = grid.rows[r][c]
            if (bottom - top, right - left) != (1, 1):
                spans[top, left] = (bottom - top, right - left)
    grid.rows, grid.spans = rows, spans
