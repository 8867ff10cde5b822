"""Tables: ruled, half ruled, unruled, shaded, merged, wide, long and side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.papers.drawing import GRID, column, drawn, flowing, styles, table, wrapped
from benchmarks.papers.values import Rows, Sample, Speech

_LINES = [("LINEABOVE", (0, 0), (-1, 0), 1, "black"), ("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"),
          ("LINEBELOW", (0, -1), (-1, -1), 1, "black")]  # fmt: skip
_ZEBRA = [("ROWBACKGROUNDS", (0, 0), (-1, -1), ["#dddddd", "#ffffff"])]


def _between(name: str, rows: Rows, style: Sequence[Any], shown: Any = None) -> Sample:
    """Prose, the table, prose."""
    from reportlab.platypus import Paragraph, Spacer

    sample, speech, look = Sample(name, "pdf"), Speech(f"{name} text"), styles()
    before, after = speech.prose(3), speech.prose(3)
    story: list[Any] = [Paragraph(sample.heading(speech.title()), look["h1"])]
    sample.says(before)
    story += [Paragraph(before, look["text"]), Spacer(1, 8)]
    sample.table(rows)
    story += [table(shown or rows, style), Spacer(1, 8), Paragraph(after, look["text"])]
    sample.says(after)
    sample.data = flowing(story)
    return sample


def ruled(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(4 + variant, 8), GRID)


def gaps(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(5, 9 + variant, empty=0.3), GRID)


def merged(name: str, variant: int) -> Sample:
    rows = Speech(name).rows(4, 6)
    rows[0][2] = ""
    style: list[Any] = [*GRID, ("SPAN", (1, 0), (2, 0))]
    if variant:
        rows[3][0] = rows[4][0] = ""
        style.append(("SPAN", (0, 2), (0, 4)))
    return _between(name, rows, style)


def unruled(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(4 + variant, 9), [])


def unruled_gaps(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(5, 10 + variant, empty=0.15), [])


def lined(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(4 + variant, 8), _LINES)


def shaded(name: str, variant: int) -> Sample:
    return _between(name, Speech(name).rows(4 + variant, 8), _ZEBRA)


def tall(name: str, variant: int) -> Sample:
    """Cells of several lines."""
    from reportlab.platypus import Paragraph

    speech, look = Speech(name), styles()
    rows = speech.rows(3, 6)
    for row in rows[1:]:
        row[1] = speech.sentence(10 + variant * 4)
    shown = [[cell if r == 0 or c != 1 else Paragraph(cell, look["text"])
              for c, cell in enumerate(row)] for r, row in enumerate(rows)]  # fmt: skip
    return _between(name, rows, [*GRID, ("VALIGN", (0, 0), (-1, -1), "TOP")], shown)


def wide(name: str, variant: int) -> Sample:
    small = [("FONTSIZE", (0, 0), (-1, -1), 6), ("LEFTPADDING", (0, 0), (-1, -1), 2)]
    return _between(name, Speech(name).rows(9 + variant, 20), [*GRID, *small])


def long(name: str, variant: int) -> Sample:
    """Over two pages, the header on both."""
    sample, speech = Sample(name, "pdf"), Speech(name)
    rows = speech.rows(4, 60 + variant)
    shown = table(rows, GRID, repeatRows=1)
    sample.data = flowing([shown])
    fit = _fitting(rows)
    for part in (rows[:fit], [rows[0], *rows[fit:]]):
        sample.table(part)
    return sample


def _fitting(rows: Rows) -> int:
    """Rows on the first page: 18 points each in the frame of the default template."""
    from reportlab.lib.pagesizes import A4

    first = table(rows, GRID, repeatRows=1)
    first.wrap(A4[0] - 156, A4[1])
    return len(first.split(A4[0] - 156, A4[1] - 156)[0]._cellvalues)


def beside(name: str, variant: int) -> Sample:
    """Two ruled tables side by side."""
    sample, speech = Sample(name, "pdf"), Speech(name)
    left, right = speech.rows(3, 6 + variant), speech.rows(3, 6 + variant)

    def draw(canvas: Any) -> None:
        intro = speech.prose(2)
        sample.says(intro)
        column(canvas, wrapped(intro, 450), 60, 780)
        for rows, x in ((left, 40), (right, 320)):
            shown = table(sample.table(rows))
            shown.wrapOn(canvas, 250, 400)
            shown.drawOn(canvas, x, 500)

    sample.data = drawn(draw)
    return sample


def invoice(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 20)
        canvas.drawString(60, 790, sample.heading("INVOICE"))
        column(canvas, [""], 60, 770)
        for at, label in enumerate(("Number", "Date", "Customer")):
            value = (speech.code(), f"2026-1{variant}-05", speech.title(2))[at]
            sample.says(label, value)
            canvas.drawString(60, 750 - 16 * at, label)
            canvas.drawString(180, 750 - 16 * at, value)
        rows = sample.table(speech.rows(5, 7 + variant))
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                put = canvas.drawRightString if c > 1 else canvas.drawString
                put((60, 130, 330, 430, 530)[c], 660 - 18 * r, cell)
        canvas.line(60, 654, 535, 654)
        total = f"EUR {speech.amount()}"
        sample.says("Total due:", total)
        canvas.drawString(330, 480, "Total due:")
        canvas.drawRightString(530, 480, total)

    sample.data = drawn(draw)
    return sample


MAKERS = {
    "ruled": ruled, "gaps": gaps, "merged": merged, "unruled": unruled,
    "unruled-gaps": unruled_gaps, "lined": lined, "shaded": shaded, "tall": tall, "wide": wide,
    "long": long, "beside": beside, "invoice": invoice,
}  # fmt: skip
