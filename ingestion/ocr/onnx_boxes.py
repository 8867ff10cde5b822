"""From a detector's map to lines of text: components, the rectangle of each, a little widened.

The map is of the kind "differentiable binarization" (Liao et al., 2020): high in the heart of a
line, so that neighbours do not touch; a rectangle is widened by area × 1.6 / perimeter.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, sin

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SEEN, _SURE, _WIDEN = 0.3, 0.5, 1.6
_SMALL = 3.0  # pixels of the map
_RUNS_MAX = 400_000  # a picture of nothing but dots


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of text: its middle, half its length and height, the angle of its direction."""

    x: float
    y: float
    half_length: float
    half_height: float
    angle: float

    def corners(self) -> list[tuple[float, float]]:
        """Upper left, lower left, lower right, upper right."""
        along = (cos(self.angle) * self.half_length, sin(self.angle) * self.half_length)
        down = (-sin(self.angle) * self.half_height, cos(self.angle) * self.half_height)
        signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))
        return [
            (self.x + a * along[0] + d * down[0], self.y + a * along[1] + d * down[1])
            for a, d in signs
        ]


def strips(chances: NDArray[np.float32], across: float, down: float) -> list[Strip]:
    """The lines on a map of chances, in pixels of a picture so many times as wide and high."""
    rows, starts, ends = runs(chances > _SEEN)
    if not len(rows) or len(rows) > _RUNS_MAX:
        return []
    names = components(rows, starts, ends)
    weights = np.concatenate([[0.0], np.cumsum(chances, dtype=np.float64)])
    wide = chances.shape[1]
    sums = weights[rows * wide + ends] - weights[rows * wide + starts]
    return rectangles(names, rows, starts, ends, sums, (across, down))


def runs(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """`(row, first column, column after the last)` of each run of true cells, row by row."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _rows, ends = np.nonzero(edges == -1)
    return rows, starts, ends


def components(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A component's number for each run; runs that touch, also by a corner, are one component."""
    parent = list(range(len(rows)))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    row, start, end = rows.tolist(), starts.tolist(), ends.tolist()
    above = 0
    for at in range(len(row)):
        while above < at and (
            row[above] < row[at] - 1 or (row[above] == row[at] - 1 and end[above] < start[at])
        ):
            above += 1
        near = above
        while near < at and row[near] == row[at] - 1 and start[near] <= end[at]:
            parent[root(near)] = root(at)
            near += 1
    _roots, names = np.unique([root(one) for one in range(len(row))], return_inverse=True)
    return names


def rectangles(
    names: NDArray[np.int64], rows: NDArray[np.int64], starts: NDArray[np.int64],
    ends: NDArray[np.int64], sums: Floats | None, scale: tuple[float, float],
    margin: float | None = None,
) -> list[Strip]:  # fmt: skip
    """Of each component; `sums` are the chances in each run, if there are any. `margin` is in cells
    of the map, else it is the detector's."""
    count = int(names.max()) + 1

    def total(values: Floats) -> Floats:
        return np.bincount(names, values, count).astype(np.float64)

    wide, y = (ends - starts).astype(np.float64), rows + 0.5
    middle = (starts + ends) / 2
    mass = total(wide)
    x_mean, y_mean = total(wide * middle) / mass, total(wide * y) / mass
    from_x, from_y = middle - x_mean[names], y - y_mean[names]
    xx = total(wide * (from_x**2 + wide**2 / 12)) / mass
    yy, xy = total(wide * (from_y**2 + 1 / 12)) / mass, total(wide * from_x * from_y) / mass
    sure = total(wide if sums is None else sums) / mass
    found = []
    spans = _spans(names, count, from_x, from_y, wide / 2, (xx, xy, yy))
    for one in np.nonzero(sure >= _SURE)[0]:
        low, high, top, bottom, angle = (float(value[one]) for value in spans)
        if min(high - low, bottom - top) < _SMALL:
            continue
        a, d = (low + high) / 2, (top + bottom) / 2
        x = x_mean[one] + a * cos(angle) - d * sin(angle)
        y_one = y_mean[one] + a * sin(angle) + d * cos(angle)
        found.append(
            _widened((x, y_one), (high - low) / 2, (bottom - top) / 2, angle, scale, margin)
        )
    return found


def _spans(
    names: NDArray[np.int64], count: int, x: Floats, y: Floats, half: Floats,
    moments: tuple[Floats, Floats, Floats],
) -> tuple[Floats, ...]:  # fmt: skip
    """Extents along and across each component's direction, and that direction."""
    xx, xy, yy = moments
    angles = 0.5 * np.arctan2(2 * xy, xx - yy)
    # Short words have no direction of their own: they lie flat, or stand.
    flat = np.maximum(xx, yy) < 4 * np.minimum(xx, yy)
    angles = np.where(flat, 0.0, angles)
    c, s = np.cos(angles)[names], np.sin(angles)[names]
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    top, bottom = np.full(count, np.inf), np.full(count, -np.inf)
    for side in (-half, half):
        for edge in (-0.5, 0.5):
            along, across = (x + side) * c + (y + edge) * s, (y + edge) * c - (x + side) * s
            np.minimum.at(low, names, along)
            np.maximum.at(high, names, along)
            np.minimum.at(top, names, across)
            np.maximum.at(bottom, names, across)
    return low, high, top, bottom, angles


def _widened(
    middle: tuple[float, float], length: float, height: float, angle: float,
    scale: tuple[float, float], margin: float | None,
) -> Strip:  # fmt: skip
    more = (4 * length * height) * _WIDEN / (4 * (length + height)) if margin is None else margin
    length, height = length + more, height + more
    across, down = scale
    stretch = (cos(angle) * across) ** 2 + (sin(angle) * down) ** 2
    return Strip(
        middle[0] * across, middle[1] * down, length * stretch**0.5,
        height * ((sin(angle) * across) ** 2 + (cos(angle) * down) ** 2) ** 0.5,
        atan2(sin(angle) * down, cos(angle) * across),
    )  # fmt: skip
