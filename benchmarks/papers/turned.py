"""Turned pages and turned text, stamps across the page."""

from __future__ import annotations

from typing import Any

from benchmarks.papers.drawing import GRID, column, drawn, table, wrapped
from benchmarks.papers.values import Sample, Speech


def _wide_table(sample: Sample, canvas: Any, speech: Speech, variant: int) -> None:
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(40, 540, sample.heading(speech.title()))
    text = speech.prose(3)
    sample.says(text)
    column(canvas, wrapped(text, 700), 40, 515)
    shown = table(sample.table(speech.rows(7, 8 + variant)), GRID)
    shown.wrapOn(canvas, 760, 400)
    shown.drawOn(canvas, 40, 250)


def page(name: str, variant: int) -> Sample:
    """The page is turned, its text stands upright for the reader."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        quarter = 270 if variant else 90
        canvas.setPageRotation(quarter)
        if quarter == 90:
            canvas.translate(595, 0)
            canvas.rotate(90)
        else:
            canvas.translate(0, 842)
            canvas.rotate(270)
        _wide_table(sample, canvas, speech, variant)

    sample.data = drawn(draw, size=(842, 595))
    return sample


def text(name: str, variant: int) -> Sample:
    """A wide table laid on its side upon an upright page."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        canvas.translate(595, 0)
        canvas.rotate(90)
        _wide_table(sample, canvas, speech, variant)

    sample.data = drawn(draw)
    return sample


def margin(name: str, variant: int) -> Sample:
    """A line that runs up the margin."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        body, aside = speech.prose(12 + variant), speech.title(5)
        sample.says(body, aside)
        column(canvas, wrapped(body, 430), 90, 780)
        canvas.translate(40, 300)
        canvas.rotate(90)
        canvas.drawString(0, 0, aside)

    sample.data = drawn(draw)
    return sample


def stamped(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        body = speech.prose(20 + variant)
        sample.says(body, "CONFIDENTIAL COPY")
        column(canvas, wrapped(body, 430), 90, 780)
        canvas.translate(150, 450)
        canvas.rotate(40)
        canvas.setFont("Helvetica-Bold", 40)
        canvas.setFillGray(0.9)
        canvas.drawString(0, 0, "CONFIDENTIAL COPY")

    sample.data = drawn(draw)
    return sample


MAKERS = {"turned-page": page, "turned-text": text, "margin": margin, "stamped": stamped}
