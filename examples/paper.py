"""A sheet of paper to draw business documents on, and the parts that every invoice has."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import TYPE_CHECKING

from examples.purchases import Invoice, Line

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 595.28, 841.89  # A4 in points
INK, GREY = "#1F2933", "#6B7780"
Column = tuple[float, str, str]  # x, heading, align ("l" starts at x, "r" ends there)


class Paper:
    """A canvas whose origin is the top left corner."""

    def __init__(self, title: str, author: str, width: float = WIDTH, height: float = HEIGHT):
        from reportlab.pdfgen.canvas import Canvas

        self.width, self.height = width, height
        self._out = io.BytesIO()
        self.canvas: Canvas = Canvas(self._out, pagesize=(width, height), invariant=1)
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)

    def text(
        self, x: float, y: float, words: str, size: float = 9, *,
        bold: bool = False, color: str = INK, align: str = "l", font: str = "Helvetica",
    ) -> None:  # fmt: skip
        self.canvas.setFont(_font(font, bold), size)
        self.canvas.setFillColor(color)
        draw = self.canvas.drawRightString if align == "r" else self.canvas.drawString
        if align == "c":
            draw = self.canvas.drawCentredString
        draw(x, self.height - y, words)

    def stack(self, x: float, y: float, lines: tuple[str, ...], size: float = 9,
              leading: float = 12.5, color: str = INK, align: str = "l") -> float:  # fmt: skip
        for line in lines:
            self.text(x, y, line, size, color=color, align=align)
            y += leading
        return y

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        self.canvas.setFillColor(fill)
        self.canvas.rect(x, self.height - y - height, width, height, stroke=0, fill=1)

    def box(self, x: float, y: float, width: float, height: float, line: str = INK) -> None:
        self.canvas.setStrokeColor(line)
        self.canvas.setLineWidth(0.7)
        self.canvas.rect(x, self.height - y - height, width, height, stroke=1, fill=0)

    def rule(self, x: float, y: float, to: float, line: str = INK, weight: float = 0.6) -> None:
        self.canvas.setStrokeColor(line)
        self.canvas.setLineWidth(weight)
        self.canvas.line(x, self.height - y, to, self.height - y)

    def circle(self, x: float, y: float, radius: float, fill: str) -> None:
        self.canvas.setFillColor(fill)
        self.canvas.circle(x, self.height - y, radius, stroke=0, fill=1)

    def polygon(self, points: tuple[tuple[float, float], ...], fill: str) -> None:
        path = self.canvas.beginPath()
        path.moveTo(points[0][0], self.height - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, self.height - y)
        path.close()
        self.canvas.setFillColor(fill)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def row(self, y: float, columns: tuple[Column, ...], cells: tuple[str, ...],
            size: float = 9, *, bold: bool = False, color: str = INK) -> None:  # fmt: skip
        for (x, _, align), cell in zip(columns, cells, strict=True):
            self.text(x, y, cell, size, bold=bold, color=color, align=align)

    def heads(self, y: float, columns: tuple[Column, ...], color: str, size: float = 9) -> None:
        self.row(y, columns, tuple(name for _, name, _ in columns), size, bold=True, color=color)

    def bytes(self) -> bytes:
        self.canvas.save()
        return self._out.getvalue()


def _font(font: str, bold: bool) -> str:
    if font == "Times":
        return "Times-Bold" if bold else "Times-Roman"
    return f"{font}-Bold" if bold else font


def sums(paper: Paper, invoice: Invoice, x: float, right: float, y: float,
          names: tuple[str, str, str], accent: str) -> float:  # fmt: skip
    """Subtotal, tax and total; gives the y below them."""
    rate = invoice.tax_percent.replace(".", ",") if invoice.german else invoice.tax_percent
    for name, amount in ((names[0], invoice.subtotal), (f"{names[1]} {rate} %", invoice.tax)):
        paper.text(x, y, name, color=GREY)
        paper.text(right, y, invoice.money(amount), align="r")
        y += 16
    paper.rule(x, y - 8, right, accent, 1.2)
    paper.text(x, y + 6, names[2], 11, bold=True)
    paper.text(right, y + 6, f"{invoice.currency} {invoice.money(invoice.total)}", 11,
               bold=True, align="r")  # fmt: skip
    return y + 24


def cells(invoice: Invoice, line: Line) -> tuple[str, ...]:
    price = invoice.money(Decimal(line.price))
    return (line.code, line.text, str(line.quantity), price, invoice.money(line.amount))
