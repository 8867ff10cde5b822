"""Drawing on a page without ReportLab's markup: text from documents can never be read as tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reportlab.pdfgen.canvas import Canvas

from reports.pdf import fonts
from reports.pdf.theme import INK, Colour

Align = Literal["left", "right", "centre"]
MARK_SIZE = 5.6


@dataclass
class Ink:
    """One document's pen: the accent, encoded strings, and on which pages sources are used."""

    accent: Colour
    used: dict[int, list[int]] = field(default_factory=dict)
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
        key = (text, bold)
        if key not in self._encoded:
            self._encoded[key] = [
                (font.getSubsetInternalName(subset, canvas._doc), canvas._escape(part),
                 sum(self._advance(font, part_text)))
                for font, subset, part, part_text in self._subsets(canvas, text, bold)
            ]  # fmt: skip
        return self._encoded[key]

    def _subsets(self, canvas: Any, text: str, bold: bool) -> Iterable[tuple[Any, int, bytes, str]]:
        for name, run in fonts.runs(text, bold):
            font, position = fonts.font(name), 0
            for subset, part in font.splitString(run, canvas._doc):
                yield font, subset, part, run[position : position + len(part)]
                position += len(part)

    @staticmethod
    def _advance(font: Any, text: str) -> Iterable[float]:
        face = font.face
        return (face.charWidths.get(ord(char), face.defaultWidth) / 1000 for char in text)

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


def link(canvas: Canvas, place: str, box: tuple[float, float, float, float]) -> None:
    """Inside the document only; there are no other links in a report."""
    canvas.linkRect("", place, box, relative=1, Border="[0 0 0]")


def fill(canvas: Canvas, colour: Colour, x: float, y: float, wide: float, high: float) -> None:
    code: list[str] = canvas._code  # type: ignore[attr-defined]
    red, green, blue = colour
    code.append(f"{red:.3f} {green:.3f} {blue:.3f} rg {x:.2f} {y:.2f} {wide:.2f} {high:.2f} re f")


def rounded(
    canvas: Canvas, colour: Colour, x: float, y: float, wide: float, high: float, radius: float
) -> None:
    canvas.setFillColorRGB(*colour)
    canvas.roundRect(x, y, wide, high, radius, stroke=0, fill=1)


def rule(
    canvas: Canvas, colour: Colour, x0: float, x1: float, y: float, thick: float = 0.5
) -> None:
    fill(canvas, colour, x0, y - thick / 2, x1 - x0, thick)
