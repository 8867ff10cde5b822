"""Charts as vector drawings: bars with their labels beside them, lines, and rings."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String, Wedge
from reportlab.lib.colors import Color

from reports.pdf import fonts
from reports.pdf.parts import shortened
from reports.theme import INK, LINE, MUTED, Colour, palette
from reports.value import Chart, Value
from reports.wording import clean, words

_BAR, _GAP, _LABELS = 13.0, 8.0, 150.0


def drawing(chart: Chart, accent: Colour, room: float) -> Drawing:
    """`room` points wide; as high as it needs."""
    for name in ("Weft", "Weft-Bold", "Weft-More"):
        fonts.font(name)
    count = len(chart.labels) if chart.kind == "donut" else len(chart.series)
    colours = palette(accent, count)
    if chart.kind == "donut":
        return _ring(chart, colours, room)
    if chart.kind == "line":
        return _lines(chart, colours, room)
    return _bars(chart, colours, room)


def _float(value: Value) -> float:
    return float(value.value) if isinstance(value.value, Decimal) else 0.0


def _colour(colour: Colour) -> Any:
    return Color(*colour)


def _box(x: float, y: float, wide: float, high: float, colour: Colour, radius: float = 0) -> Any:
    none: Any = None
    return Rect(x, y, wide, high, rx=radius, ry=radius, fillColor=_colour(colour), strokeColor=none)


def _write(
    picture: Drawing, x: float, y: float, text: str, size: float, *, colour: Colour = INK,
    anchor: str = "start", bold: bool = False,
) -> None:  # fmt: skip
    """One String per run of a font, because a String has one font only."""
    full = fonts.width(text, size, bold)
    x -= {"start": 0.0, "middle": full / 2, "end": full}[anchor]
    for name, part in fonts.runs(text, bold):
        picture.add(String(x, y, part, fontName=name, fontSize=size, fillColor=_colour(colour)))
        x += fonts.width(part, size, bold)


def _legend(picture: Drawing, names: list[str], colours: list[Colour], y: float) -> None:
    x = 0.0
    for name, colour in zip(names, colours, strict=True):
        name = shortened(name, 7.5, 140)
        picture.add(_box(x, y, 7, 7, colour))
        _write(picture, x + 11, y + 0.5, name, 7.5, colour=MUTED)
        x += 24 + fonts.width(name, 7.5)


def _bars(chart: Chart, colours: list[Colour], room: float) -> Drawing:
    stacked = chart.kind == "stacked"
    per_label = 1 if stacked else len(chart.series)
    step = _BAR * (1 if per_label == 1 else 0.7) * per_label + _GAP
    legend = 18 if len(chart.series) > 1 else 0
    high = step * len(chart.labels) + legend + 4
    picture = Drawing(room, high)
    if legend:
        _legend(picture, [clean(s.name) for s in chart.series], colours, high - 10)
    low, top = _span(chart, stacked)
    values_room = max(fonts.width(words(v), 7.4) for s in chart.series for v in s.values) + 8
    scale = (room - _LABELS - values_room) / (top - low)
    zero = _LABELS - low * scale
    for index, label in enumerate(chart.labels):
        y = high - legend - step * (index + 1) + _GAP / 2
        middle = y + (step - _GAP) / 2 - 2.8
        _write(picture, _LABELS - 8, middle, shortened(clean(label), 7.8, _LABELS - 12), 7.8,
               anchor="end")  # fmt: skip
        values = [series.values[index] for series in chart.series]
        draw = _stack if stacked else _group
        draw(picture, values, colours, zero, y, scale, step - _GAP)
    picture.add(Line(zero, 0, zero, high - legend, strokeColor=_colour(LINE), strokeWidth=0.8))
    return picture


def _span(chart: Chart, stacked: bool) -> tuple[float, float]:
    columns = list(zip(*(map(_float, series.values) for series in chart.series), strict=True))
    if stacked:
        tops = [sum(v for v in column if v > 0) for column in columns]
        lows = [sum(v for v in column if v < 0) for column in columns]
    else:
        tops = [max(column) for column in columns]
        lows = [min(column) for column in columns]
    low, top = min(0.0, *lows), max(0.0, *tops)
    return (low, top) if top > low else (0.0, 1.0)


def _group(
    picture: Drawing, values: list[Value], colours: list[Colour], zero: float, y: float,
    scale: float, high: float,
) -> None:  # fmt: skip
    each = high / len(values)
    for index, value in enumerate(values):
        wide = _float(value) * scale
        bottom = y + high - each * (index + 1)
        picture.add(_box(zero + min(0.0, wide), bottom + 0.5, max(abs(wide), 0.6), each - 1,
                         colours[index], 1.6))  # fmt: skip
        _write(picture, zero + max(0.0, wide) + 5, bottom + each / 2 - 2.7, words(value), 7.4,
               colour=MUTED)  # fmt: skip


def _stack(
    picture: Drawing, values: list[Value], colours: list[Colour], zero: float, y: float,
    scale: float, high: float,
) -> None:  # fmt: skip
    up = down = 0.0
    for value, colour in zip(values, colours, strict=True):
        wide = _float(value) * scale
        x = zero + (up if wide >= 0 else down + wide)
        picture.add(_box(x, y, abs(wide), high, colour))
        if abs(wide) > fonts.width(words(value), 6.6) + 6:
            _write(picture, x + abs(wide) / 2, y + high / 2 - 2.4, words(value), 6.6,
                   colour=(1.0, 1.0, 1.0), anchor="middle")  # fmt: skip
        up, down = (up + wide, down) if wide >= 0 else (up, down + wide)


def _lines(chart: Chart, colours: list[Colour], room: float) -> Drawing:
    legend = 18 if len(chart.series) > 1 else 0
    high, left, bottom = 180.0 + legend, 66.0, 24.0
    picture = Drawing(room, high)
    if legend:
        _legend(picture, [clean(s.name) for s in chart.series], colours, high - 10)
    top_y = high - legend - 8
    low, top = _span(chart, False)
    ticks = _ticks(low, top)
    low, top = ticks[0], ticks[-1]
    scale = (top_y - bottom) / (top - low)
    for tick in ticks:
        y = bottom + (tick - low) * scale
        picture.add(Line(left, y, room, y, strokeColor=_colour(LINE), strokeWidth=0.5))
        _write(picture, left - 6, y - 2.6, f"{tick:,.10g}" if abs(tick) < 1e6 else f"{tick:,.0f}",
               7.2, colour=MUTED, anchor="end")  # fmt: skip
    count = len(chart.labels)
    step = (room - left - 20) / max(1, count - 1)
    xs = [left + 10 + step * index for index in range(count)] if count > 1 else [(left + room) / 2]
    every = max(1, math.ceil(count * 46 / (room - left)))
    for index in range(0, count, every):
        label = shortened(clean(chart.labels[index]), 7.2, 60)
        edge = min(room - fonts.width(label, 7.2) / 2, xs[index])
        _write(picture, edge, 8, label, 7.2, colour=MUTED, anchor="middle")
    for series, colour in zip(chart.series, colours, strict=True):
        points = [
            (x, bottom + (_float(value) - low) * scale) if value.value is not None else None
            for x, value in zip(xs, series.values, strict=True)
        ]
        _trace(picture, points, colour)
    return picture


def _trace(picture: Drawing, points: list[tuple[float, float] | None], colour: Colour) -> None:
    """A figure that is not known interrupts the line."""
    for here, following in pairwise([*points, None]):
        if here is None:
            continue
        if following is not None:
            picture.add(PolyLine([*here, *following], strokeColor=_colour(colour), strokeWidth=1.6))
        picture.add(_box(here[0] - 1.9, here[1] - 1.9, 3.8, 3.8, colour, 1.9))


def _ticks(low: float, top: float) -> list[float]:
    """Four to seven round steps that enclose the values (1, 2, 2.5 or 5 times a power of ten)."""
    raw = (top - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= raw * 0.999)
    first = math.floor(low / step)
    return [step * index for index in range(first, math.ceil(top / step) + 1)]


def _ring(chart: Chart, colours: list[Colour], room: float) -> Drawing:
    values = [max(0.0, _float(value)) for value in chart.series[0].values]
    total = sum(values)
    high = max(150.0, 15.0 * len(values) + 10)
    picture = Drawing(room, high)
    angle = 90.0
    for value, colour in zip(values, colours, strict=True):
        sweep = 360 * value / total if total else 0.0
        if sweep > 0.01:
            # A full circle has no start and end of its own.
            picture.add(Wedge(80, high / 2, 66, angle - min(sweep, 359.99), angle, radius1=40,
                              fillColor=_colour(colour), strokeColor=_colour((1, 1, 1)),
                              strokeWidth=1.2))  # fmt: skip
        angle -= sweep
    y = high / 2 + 7.5 * len(values) - 10
    figures = chart.series[0].values
    for label, figure, part, colour in zip(chart.labels, figures, values, colours, strict=True):
        picture.add(_box(176, y, 7, 7, colour, 1.5))
        share = f"{part / total:.0%}" if total else "0%"
        text = words(figure)
        name = shortened(clean(label), 7.8, room - 176 - 70 - fonts.width(text, 7.8))
        _write(picture, 189, y + 0.5, name, 7.8)
        _write(picture, room - 34, y + 0.5, text, 7.8, anchor="end")
        _write(picture, room, y + 0.5, share, 7.8, colour=MUTED, anchor="end")
        y -= 15
    return picture
