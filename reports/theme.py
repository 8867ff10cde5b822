"""Sizes and colours of all renderings. Points, origin bottom left; colours are RGB fractions."""

from __future__ import annotations

import math
import re

from reports.value import Tone

Colour = tuple[float, float, float]

A4 = (595.28, 841.89)
MARGIN = 50.0
TOP, BOTTOM = 62.0, 54.0


def rgb(code: str) -> Colour:
    return (int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255)


INK = rgb("#1f2733")
MUTED = rgb("#667080")
LINE = rgb("#e0e5ec")
ZEBRA = rgb("#f7f9fb")
PAPER = (1.0, 1.0, 1.0)
TINTS: dict[Tone, tuple[Colour, Colour]] = {  # fill, ink
    "good": (rgb("#e5f5eb"), rgb("#176639")),
    "warn": (rgb("#fdf2dc"), rgb("#8a5300")),
    "bad": (rgb("#fce8e6"), rgb("#a62b1f")),
    "info": (rgb("#e6effc"), rgb("#1f4e99")),
    "neutral": (rgb("#eef0f3"), rgb("#45505e")),
}


def accent_of(code: str) -> Colour:
    """The tenant's colour, darkened until white text can be read on it; a safe one if malformed."""
    colour = rgb(code if re.fullmatch(r"#[0-9a-fA-F]{6}", code) else "#2f5bea")
    while _luminance(colour) > 0.30:
        colour = (colour[0] * 0.92, colour[1] * 0.92, colour[2] * 0.92)
    return colour


def code_of(colour: Colour) -> str:
    """`RRGGBB`, as spreadsheets write it."""
    return "".join(f"{round(part * 255):02X}" for part in colour)


def _luminance(colour: Colour) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: Colour, share: float) -> Colour:
    """`share` of the colour, the rest white."""
    return (1 - (1 - colour[0]) * share, 1 - (1 - colour[1]) * share, 1 - (1 - colour[2]) * share)


def palette(accent: Colour, count: int) -> list[Colour]:
    """The accent first, then colours that stay apart for the colour-blind (Okabe and Ito 2008)
    and from the accent."""
    codes = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#0072b2", "#8c8c8c")
    others = [colour for colour in map(rgb, codes) if _distance(colour, accent) > 0.35]
    cycle = [accent, *others]
    return [cycle[index % len(cycle)] for index in range(count)]


def _distance(one: Colour, other: Colour) -> float:
    return math.dist(one, other)
