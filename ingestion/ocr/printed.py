"""The lines of a page that is plainly printed, told by its ink alone.

Where nothing but lines of letters stands on even paper, ink that is smeared sideways is the lines,
at a tenth of what the network takes that looks for them. Where anything else is seen — grain,
shades, rules, pictures, letters of very different heights, lines that touch — it is left to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.ocr.onnx_boxes import Strip, components, rectangles, runs

_SIDE = 880  # cells of the map's longer side: 6 points are six of them on A4
_INK, _SHADE = 24, 4  # darker than the paper, of 255
_SHADES = 0.001  # of the cells that are neither ink, nor beside it, nor paper
_GAP = 8  # cells between words; in high letters their height
_LINES, _LOW, _HIGH = 5, 0.5, 1.9  # of a line's usual height
_SLOPE = 0.012  # radians; steeper, a fortieth of the words is lost
_RUNS_MAX = 60_000


def lines(image: Any) -> list[Strip] | None:
    """From the top; None where a network should look."""
    times = max(1, round(max(image.size) / _SIDE))
    cells = np.asarray(image.reduce(times)).astype(np.int16)
    paper = int(np.bincount(cells.ravel()).argmax())
    ink = cells < paper - _INK
    if paper < 128 or _shaded(cells, ink, paper):
        return None
    ink[1:] |= ink[:-1]  # dots belong to their letters
    found = runs(ink)
    if not _LINES < len(found[0]) < _RUNS_MAX:
        return None
    high = 0.0
    for gap in (_GAP, 0):
        rows, starts, ends = _smeared(*found, max(_GAP, gap or high))
        names = components(rows, starts, ends)
        tall, wide = _sizes(names, rows, starts, ends)
        high = _usual(tall, wide)
    if high < 5:
        return None
    text = (tall >= _LOW * high) | (wide >= high)
    text &= tall > 0.25 * high  # rules and specks
    if np.count_nonzero(text) < _LINES or (tall > _HIGH * high).any():
        return None
    kept = text[names]
    _old, again = np.unique(names[kept], return_inverse=True)
    place = (again, rows[kept], starts[kept], ends[kept])
    strips = rectangles(*place, None, (float(times), float(times)), 0.17 * high)
    steep = any(abs(one.angle) > _SLOPE for one in strips)
    return None if steep else strips


def _shaded(cells: NDArray[np.int16], ink: NDArray[np.bool_], paper: int) -> bool:
    """Whether something lies on the page that is neither printed nor paper."""
    near = ink.copy()
    for axis in (0, 1):
        for step in (1, -1):
            near |= np.roll(near, step, axis)
    shades = (abs(cells - paper) > _SHADE) & ~near
    return bool(np.count_nonzero(shades) > _SHADES * cells.size)


def _smeared(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], gap: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs with what is between them, where that is not wider than `gap`."""
    apart = (rows[1:] != rows[:-1]) | (starts[1:] - ends[:-1] > gap)
    first, last = np.append(True, apart), np.append(apart, True)
    return rows[first], starts[first], ends[last]


def _sizes(
    names: NDArray[np.int64], rows: NDArray[np.int64], starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """How high and how wide each component is."""
    far = np.iinfo(np.int64).max
    low, left = np.full((2, int(names.max()) + 1), far)
    high, right = np.zeros((2, len(low)), np.int64)
    np.minimum.at(low, names, rows)
    np.maximum.at(high, names, rows)
    np.minimum.at(left, names, starts)
    np.maximum.at(right, names, ends)
    return high + 1 - low, right - left


def _usual(tall: NDArray[np.int64], wide: NDArray[np.int64]) -> float:
    """Half of what stands on the page, by its width, is not higher."""
    order = np.argsort(tall)
    at = np.searchsorted(np.cumsum(wide[order]), wide.sum() / 2)
    return float(tall[order][at])
