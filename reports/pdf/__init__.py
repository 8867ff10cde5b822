"""PDF by ReportLab: cover, sections in order, sources linked both ways, fonts embedded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from reportlab.platypus import CondPageBreak, NextPageTemplate, PageBreak, Spacer

from reports.pdf.charts import drawing
from reports.pdf.grid import Grid, natural_width
from reports.pdf.ink import Ink
from reports.pdf.pages import Pages
from reports.pdf.parts import Heading, Prose, SourceEntry, Tiles
from reports.theme import A4, MARGIN, MUTED, accent_of
from reports.value import Chart, KeyFigures, Report, Section, Span, Table, Text

_ROOM = A4[0] - 2 * MARGIN


def render_pdf(report: Report) -> bytes:
    ink = Ink(accent_of(report.branding.accent))
    out = io.BytesIO()
    pages = Pages(out, report, ink)
    pages.build(list(_story(report, ink)), canvasmaker=pages.canvas_maker)
    return out.getvalue()


def _story(report: Report, ink: Ink) -> Iterator[Any]:
    landscape = False
    yield NextPageTemplate("portrait")
    yield PageBreak()
    for number, section in enumerate(report.sections):
        wide = isinstance(section, Table) and (landscape or _is_wide(section))
        if wide != landscape:
            landscape = wide
            yield NextPageTemplate("landscape" if wide else "portrait")
            yield PageBreak()
        yield from _section(section, ink, f"section-{number}")
    if report.withheld:
        yield _note(ink, f"{report.withheld} values had no source and were left out.")
    if report.sources:
        yield from _sources(report, ink, landscape)


def _is_wide(table: Table) -> bool:
    return bool(table.rows) and natural_width(table) > _ROOM * 1.1


def _section(section: Section, ink: Ink, key: str) -> Iterator[Any]:
    picture = _picture(section, ink)
    yield CondPageBreak(min(picture.height + 60, 600) if picture else 130)
    yield Heading(ink, section.title, key)
    if isinstance(section, Text):
        yield from _text(section, ink)
    elif isinstance(section, KeyFigures):
        for start in range(0, len(section.tiles), 3):
            yield Tiles(ink, section.tiles[start : start + 3])
    elif isinstance(section, Table):
        yield from _table(section, ink)
    else:
        yield from _chart(section, ink, picture)
    yield Spacer(1, 14)


def _note(ink: Ink, text: str) -> Prose:
    return Prose(ink, [Span(text)], size=7.8, colour=MUTED)


def _text(text: Text, ink: Ink) -> Iterator[Any]:
    if not text.paragraphs and text.empty:
        yield _note(ink, text.empty)
    for paragraph in text.paragraphs:
        if paragraph.heading:
            yield CondPageBreak(60)
            yield Prose(ink, [Span(paragraph.heading, strong=True)], size=10.4, after=2)
        yield Prose(ink, paragraph.spans, after=9)


def _table(table: Table, ink: Ink) -> Iterator[Any]:
    if not table.rows:
        yield _note(ink, table.empty)
        return
    yield Grid(table, ink)
    notes = [f"{c.title}: {c.computed}." for c in table.columns if c.computed]
    if table.note:
        notes.insert(0, table.note)
    if notes:
        yield Spacer(1, 5)
        yield _note(ink, " ".join(notes))


def _picture(section: Section, ink: Ink) -> Any:
    if isinstance(section, Chart) and section.labels:
        return drawing(section, ink.accent, _ROOM)
    return None


def _chart(chart: Chart, ink: Ink, picture: Any) -> Iterator[Any]:
    if picture is None:
        yield _note(ink, "Nothing to show.")
        return
    yield picture
    numbers = tuple(dict.fromkeys(n for s in chart.series for v in s.values for n in v.sources))
    caption = f"Computed from {chart.computed}. " if chart.computed else ""
    if caption or numbers:
        yield Spacer(1, 4)
        yield Prose(ink, [Span(caption or "Sources: ", numbers)], size=7.8, colour=MUTED)


def _sources(report: Report, ink: Ink, landscape: bool) -> Iterator[Any]:
    if landscape:
        yield NextPageTemplate("portrait")
    yield PageBreak()
    yield Heading(ink, "Sources", "sources")
    yield _note(ink, "Each number stands beside the figures it proves; page numbers lead back.")
    for number, source in enumerate(report.sources, 1):
        yield SourceEntry(ink, number, source)
