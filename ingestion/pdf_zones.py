"""Sidebars: parts of a page that stand side by side and have nothing to do with each other."""

from __future__ import annotations

from ingestion.pdf_glyphs import Piece
from ingestion.pdf_lines import segments, text_lines

_GUTTER = 8.0  # points of free space between two zones
_LINES = 5  # lines that each zone has at least
_SHARED = 0.4  # of the lines of the shorter zone keep step with the other
_LOOKED_AT = 400  # lines of a side: each is compared with each
_STEP = 0.8
_FULL = 0.75  # of the column's width that a line of running text takes
_WORDS = 3.5  # of such a line, on average


Lines = list[list[Piece]]


def zones(words: list[Piece]) -> list[Lines]:
    """The lines of `words` in groups to be read one after the other."""
    return _zones(text_lines(words), 6)


def _zones(lines: Lines, depth: int) -> list[Lines]:
    """Rows of a table or a list of labels share their baselines on both sides of a gap; zones do
    not, or both are running text."""
    best: tuple[int, int, int, float] | None = None
    for at in _gutters(lines):
        low, high = _longest_run(lines, at)
        if (best is None or high - low > best[0]) and _apart(lines[low:high], at):
            best = (high - low, low, high, at)
    if best is None:
        return [lines]
    _size, low, high, at = best
    middle = [word for line in lines[low:high] for word in line]
    parts = [
        lines[:low],
        text_lines([word for word in middle if word.x0 < at]),
        text_lines([word for word in middle if word.x0 >= at]),
        lines[high:],
    ]
    if depth == 0:
        return [part for part in parts if part]
    return [zone for part in parts if part for zone in _zones(part, depth - 1)]


def _gutters(lines: list[list[Piece]]) -> list[float]:
    """Left edges behind a wide gap that several lines share: a right zone may begin there."""
    edges: dict[int, int] = {}
    left = min((line[0].x0 for line in lines), default=0.0)
    for line in lines:
        end = left + _GUTTER
        for _text, x0, _y0, x1, _y1, _bold in line:
            if x0 > end:
                edges[round(x0)] = edges.get(round(x0), 0) + 1
            end = x1 + _GUTTER
    common = sorted((edge for edge in edges if edges[edge] >= _LINES), key=lambda e: -edges[e])
    return [edge - 1.5 for edge in common[:6]]


def _longest_run(lines: list[list[Piece]], at: float) -> tuple[int, int]:
    best, start = (0, 0), 0
    for number, line in enumerate([*lines, []]):
        if line and not any(word.x0 < at and word.x1 > at - _GUTTER for word in line):
            continue
        if number - start > best[1] - best[0]:
            best = (start, number)
        start = number + 1
    return best


def _apart(lines: Lines, at: float) -> bool:
    left = text_lines([word for line in lines for word in line if word.x0 < at])
    right = text_lines([word for line in lines for word in line if word.x0 >= at])
    fewer, more = (lines[:_LOOKED_AT] for lines in sorted((left, right), key=len))
    if len(fewer) < _LINES:
        return False
    if _running(left) and _running(right):
        return True
    offsets = sorted(min((_offset(line, other) for other in more), key=abs) for line in fewer)
    return _in_step(offsets) <= _SHARED * len(offsets)


def _running(lines: Lines) -> bool:
    """Most lines hold several words and reach almost as far as the widest; those of a table's
    row stand further apart."""
    low, high = min(line[0].x0 for line in lines), max(line[-1].x1 for line in lines)
    full = sum(
        line[-1].x1 - low > _FULL * (high - low) and len(segments(line)) < 3 for line in lines
    )
    words = sum(map(len, lines))
    return full > 0.6 * len(lines) and words > _WORDS * len(lines)


def _offset(line: list[Piece], other: list[Piece]) -> float:
    return line[0].middle - other[0].middle


def _in_step(offsets: list[float]) -> int:
    """How many lines keep one of the two most frequent distances to a line of the other side: rows
    do, with one distance for each font or cell alignment; strangers are level only by chance."""
    left, count = offsets, 0
    for _ in range(2):
        runs = [[o for o in left if low <= o <= low + _STEP] for low in left if abs(low) < 8]
        best = max(runs, key=len, default=[])
        count += len(best) if len(best) > 1 else 0
        left = [o for o in left if o not in best]
    return count
