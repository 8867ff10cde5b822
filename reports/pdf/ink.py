"""Drawing on a page without ReportLab's markup: text from documents can never be read as tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from reportlab.pdfbase.pdfdoc import PDFObject
from reportlab.pdfgen.canvas import Canvas

from reports.pdf import fonts
from reports.theme import INK, Colour

Align = Literal["left", "right", "centre"]
MARK_SIZE = 5.6


@dataclass
class Ink:
    """One document's pen: the accent, encoded strings, and on which pages sources are used."""

    accent: Colour
    used: dict[int, list[int]] = field(default_factory=dict)
    _names: dict[bool, str] = field(default_factory=dict)
    _encoded: dict[tuple[str, bool], list[tuple[str, str, float]]] = field(default_factory=dict)

    def text(
        self, canvas: Canvas, x: float, y: float, text: str, size: float, *,
        colour: Colour = INK, bold: bool = False, align: Align = "left",
    ) -> None:  # fmt: skip
        """Operators of PDF 32000-1 §9.4, written directly: a fifth of `drawString`'s time."""
        if align != "left":
            full = fonts.width(text, size, bold)
            x -= full if align == "right" else full / 2
        code: list[str] = canvas._code  # type: ignore[attr-defined]
        red, green, blue = colour
        code.append(f"BT {red:.3f} {green:.3f} {blue:.3f} rg")
        for name, shown, advance in self._encode(canvas, text, bold):
            code.append(f"{name} {size:g} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm ({shown}) Tj")
            x += advance * size
        code.append("ET")

    def _encode(self, canvas: Any, text: str, bold: bool) -> list[tuple[str, str, float]]:
        """(font, escaped bytes as text, advance at size 1) for each run of one font."""
        if text.isascii():
            # ReportLab keeps ASCII at its own codes in the first subset of every font.
            return [(self._ascii(canvas, bold), _escaped(text), 0.0)]
        key = (text, bold)
        if key not in self._encoded:
            self._encoded[key] = [
                part for name, run in fonts.runs(text, bold) for part in _pieces(canvas, name, run)
            ]
        return self._encoded[key]

    def _ascii(self, canvas: Any, bold: bool) -> str:
        if bold not in self._names:
            font = fonts.font("Weft-Bold" if bold else "Weft")
            font.splitString(" ", canvas._doc)
            self._names[bold] = font.getSubsetInternalName(0, canvas._doc)
        return self._names[bold]

    def marks(self, canvas: Canvas, x: float, y: float, numbers: Sequence[int]) -> float:
        """Raised `[n]` links to the sources; returns the x after them."""
        page = canvas.getPageNumber()
        for number in numbers:
            label = f"[{number}]"
            wide = fonts.width(label, MARK_SIZE)
            self.text(canvas, x, y + 2.2, label, MARK_SIZE, colour=self.accent)
            link(canvas, f"source-{number}", (x, y - 1, x + wide, y + 8))
            pages = self.used.setdefault(number, [])
            if page not in pages:
                pages.append(page)
            x += wide + 1
        return x


def marks_width(numbers: Sequence[int]) -> float:
    return sum(fonts.width(f"[{number}]", MARK_SIZE) + 1 for number in numbers)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _pieces(canvas: Any, name: str, run: str) -> Iterator[tuple[str, str, float]]:
    font, position = fonts.font(name), 0
    if name in fonts.EASTERN:
        internal = canvas._doc.getInternalFontName(name)
        yield internal, font.formatForPdf(run), fonts.advance(font, run)
        return
    for subset, part in font.splitString(run, canvas._doc):
        shown = run[position : position + len(part)]
        position += len(part)
        internal = font.getSubsetInternalName(subset, canvas._doc)
        yield internal, canvas._escape(part), fonts.advance(font, shown)


class _Link(PDFObject):
    """An annotation written inside its page's list: a tenth of the time of a ReportLab object."""

    def __init__(self, box: tuple[float, float, float, float], place: Any) -> None:
        self.box, self.place = box, place

    def format(self, document: Any) -> bytes:
        rect = " ".join(f"{edge:.2f}" for edge in self.box).encode()
        target: bytes = self.place.format(document)
        return b"<</Type/Annot/Subtype/Link/Border[0 0 0]/Rect[%b]/Dest %b>>" % (rect, target)


def link(canvas: Any, place: str, box: tuple[float, float, float, float]) -> None:
    """Inside the document only; there are no other links in a report."""
    left, bottom = canvas.absolutePosition(box[0], box[1])
    right, top = canvas.absolutePosition(box[2], box[3])
    reference = canvas._bookmarkReference(place)
    canvas._annotationrefs.append(_Link((left, bottom, right, top), reference))


def fill(canvas: Canvas, colour: Colour, x: float, y: float, wide: float, high: float) -> None:
    code: list[str] = canvas._code  # type: ignore[attr-defined]
    red, green, blue = colour
    code.append(f"{red:.3f} {green:.3f} {blue:.3f} rg {x:.2f} {y:.2f} {wide:.2f} {high:.2f} re f")


def rounded(
    canvas: Canvas, colour: Colour, x: float, y: float, wide: float, high: float, radius: float
) -> None:
    code: list[str] = canvas._code  # type: ignore[attr-defined]
    red, green, blue = colour
    path = _round_box(round(wide, 1), round(high, 1), radius)
    code.append(f"q {red:.3f} {green:.3f} {blue:.3f} rg 1 0 0 1 {x:.2f} {y:.2f} cm {path} f Q")


@lru_cache(maxsize=1024)
def _round_box(w: float, h: float, r: float) -> str:
    """Four sides and four Bézier quarters (0.5523 is their usual handle)."""
    k = r * 0.4477
    return (
        f"{r:g} 0 m {w - r:g} 0 l {w - k:g} 0 {w:g} {k:g} {w:g} {r:g} c {w:g} {h - r:g} l "
        f"{w:g} {h - k:g} {w - k:g} {h:g} {w - r:g} {h:g} c {r:g} {h:g} l "
        f"{k:g} {h:g} 0 {h - k:g} 0 {h - r:g} c 0 {r:g} l 0 {k:g} {k:g} 0 {r:g} 0 c h"
    )


def rule(
    canvas: Canvas, colour: Colour, x0: float, x1: float, y: float, thick: float = 0.5
) -> None:
    fill(canvas, colour, x0, y - thick / 2, x1 - x0, thick)
