"""PDF pages by ReportLab, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

GRID = [("GRID", (0, 0), (-1, -1), 0.5, "black")]
Styles = dict[str, Any]


def styles() -> Styles:
    from reportlab.lib.styles import getSampleStyleSheet

    sheet = getSampleStyleSheet()
    return {"h1": sheet["Heading1"], "h2": sheet["Heading2"], "text": sheet["BodyText"]}


def flowing(story: Sequence[Any], **options: Any) -> bytes:
    from reportlab.platypus import SimpleDocTemplate

    target = io.BytesIO()
    SimpleDocTemplate(target, invariant=1, **options).build(list(story))
    return target.getvalue()


def drawn(draw: Callable[[Any], None], size: tuple[float, float] = (595, 842)) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1)
    draw(canvas)
    canvas.save()
    return target.getvalue()


def table(rows: Any, style: Sequence[Any] = GRID, **options: Any) -> Any:
    from reportlab.platypus import Table

    return Table(rows, style=list(style), **options)


def wrapped(text: str, width: float, size: float = 10, font: str = "Helvetica") -> list[str]:
    from reportlab.lib.utils import simpleSplit

    lines: list[str] = simpleSplit(text, font, size, width)
    return lines


def column(canvas: Any, lines: Sequence[str], x: float, y: float, size: float = 10) -> float:
    """Draws lines one below the other and gives the height below them."""
    canvas.setFont("Helvetica", size)
    for line in lines:
        canvas.drawString(x, y, line)
        y -= size * 1.25
    return y
