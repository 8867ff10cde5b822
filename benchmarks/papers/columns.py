"""Columns of running text, alone and with what breaks them."""

from __future__ import annotations

from typing import Any

from benchmarks.papers.drawing import column, drawn, table, wrapped
from benchmarks.papers.values import Sample, Speech


def _columns(sample: Sample, canvas: Any, speech: Speech, count: int, top: float) -> None:
    width = 495 / count - 15
    for at in range(count):
        lines = wrapped(speech.prose(11), width, 9)[:34]
        sample.says(*lines)
        column(canvas, lines, 50 + at * (width + 22), top, 9)


def two(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)
    sample.data = drawn(lambda canvas: _columns(sample, canvas, speech, 2, 780 - variant * 30))
    return sample


def three(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)
    sample.data = drawn(lambda canvas: _columns(sample, canvas, speech, 3, 780 - variant * 30))
    return sample


def titled(name: str, variant: int) -> Sample:
    """A title over both columns, a table below them."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 20)
        canvas.drawString(50, 790, sample.heading(speech.title()))
        _columns(sample, canvas, speech, 2, 750)
        shown = table(sample.table(speech.rows(4, 5 + variant)))
        shown.wrapOn(canvas, 450, 300)
        shown.drawOn(canvas, 60, 150)

    sample.data = drawn(draw)
    return sample


def parted(name: str, variant: int) -> Sample:
    """Headings inside the columns."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        for x in (50, 310):
            y = 780.0
            for _ in range(3 + variant):
                canvas.setFont("Helvetica-Bold", 13)
                canvas.drawString(x, y, sample.heading(speech.title(2)))
                lines = wrapped(speech.prose(3), 230, 9)
                sample.says(*lines)
                y = column(canvas, lines, x, y - 18, 9) - 14

    sample.data = drawn(draw)
    return sample


MAKERS = {"two": two, "three": three, "titled": titled, "parted": parted}
