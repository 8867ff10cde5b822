"""XLSX: a summary, one sheet per table, charts, and a Sources sheet that every figure links to."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Any
from zipfile import ZIP_DEFLATED

from openpyxl import Workbook
from openpyxl.chart import BarChart, DoughnutChart, LineChart, Reference
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from core.documents import Source
from reports.sheet import BODY, LINK, FixedZip, Look, Sheet, column_letters, look, typed
from reports.theme import accent_of, code_of, palette
from reports.value import Chart, KeyFigures, Report, Span, Table, Text, Value
from reports.wording import clean, day, moment, words

MUTED = Look(ink="667080", wrap=True)
LABEL = Look(ink="45505E", wrap=True)
WRAPPED = Look(wrap=True)
STRONG = Look(bold=True, size=12)
_WIDTH_MAX = 60


class _Book:
    """The workbook, its sheets by name, and where each source was first used."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.workbook = Workbook()
        self.workbook.remove(self.workbook.worksheets[0])
        self.sheets: list[Sheet] = []
        self.used: dict[int, str] = {}
        colour = accent_of(report.branding.accent)
        self.accent = code_of(colour)
        self.palette = [code_of(each) for each in palette(colour, 8)]
        self.head = Look(bold=True, ink="FFFFFF", fill=self.accent, wrap=True)

    def sheet(self, title: str) -> Sheet:
        sheet = Sheet(self.workbook.create_sheet(self._name(title)))
        sheet.ws.sheet_view.showGridLines = False
        sheet.ws.page_setup.orientation = "landscape"
        sheet.ws.page_setup.fitToHeight = 0
        sheet.ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self.sheets.append(sheet)
        return sheet

    def _name(self, title: str) -> str:
        base = re.sub(r"[\[\]:*?/\\']", " ", clean(title)).strip()[:28] or "Sheet"
        taken = {name.lower() for name in self.workbook.sheetnames} | {"history"}
        if title != "Sources":
            taken.add("sources")
        number, name = 2, base
        while name.lower() in taken:
            name, number = f"{base[:27]} {number}", number + 1
        return name

    def prove(self, sheet: Sheet, column: int, row: int, numbers: tuple[int, ...]) -> None:
        """Links a cell to its first source, and remembers the way back."""
        cell = f"{column_letters(column)}{row}"
        for number in numbers:
            self.used.setdefault(number, f"'{sheet.ws.title}'!{cell}")
        if numbers:
            sheet.link(cell, f"'Sources'!A{numbers[0] + 1}", "Source " + marks(numbers))


def marks(numbers: tuple[int, ...]) -> str:
    return " ".join(f"[{number}]" for number in numbers)


def render_xlsx(report: Report) -> bytes:
    book = _Book(report)
    _summary(book)
    for table in report.tables:
        _table(book, table)
    _charts(book)
    if report.sources:
        _sources(book)
    return _saved(book)


def _summary(book: _Book) -> None:
    report, sheet = book.report, book.sheet("Summary")
    for column, width in (("A", 34), ("B", 24), ("C", 16), ("D", 60)):
        sheet.ws.column_dimensions[column].width = width
    sheet.add([(report.title, Look(bold=True, size=18, ink=book.accent))], 2)
    if report.subtitle:
        sheet.add([(report.subtitle, Look(ink="667080", size=11))])
    sheet.add([(report.branding.name, Look(bold=True)), (day(moment(report.created_ms)), BODY)])
    for name, given in report.parameters:
        sheet.add([(name, LABEL), (given, BODY)])
    for section in report.sections:
        if isinstance(section, KeyFigures):
            _figures(book, sheet, section)
        elif isinstance(section, Text):
            _text(book, sheet, section)
    if report.withheld:
        sheet.add([])
        sheet.add([(f"{report.withheld} values had no source and were left out.", MUTED)])


def _figures(book: _Book, sheet: Sheet, figures: KeyFigures) -> None:
    sheet.add([])
    sheet.add([(figures.title, STRONG)])
    sheet.add([(name, book.head) for name in ("Figure", "Value", "Sources", "Computed from")])
    for tile in figures.tiles:
        row = sheet.add([(tile.label, LABEL), (typed(tile.value), look(tile.value)),
                         (marks(tile.value.sources), LINK), (tile.computed, MUTED)])  # fmt: skip
        book.prove(sheet, 2, row, tile.value.sources)


def _text(book: _Book, sheet: Sheet, text: Text) -> None:
    sheet.add([])
    sheet.add([(text.title, STRONG)])
    if not text.paragraphs and text.empty:
        sheet.add([(text.empty, MUTED)])
    for paragraph in text.paragraphs:
        if paragraph.heading:
            sheet.add([(paragraph.heading, Look(bold=True))])
        written = "".join(_proven(span) for span in paragraph.spans).strip()
        lines = sum(1 + len(line) // 125 for line in written.split("\n"))
        row = sheet.add([(written, WRAPPED)], min(lines, 28))
        # Cells below the first of a merged range stay unwritten.
        sheet.ws.merge_cells(f"A{row}:D{row}")
        book.prove(sheet, 1, row, tuple(n for span in paragraph.spans for n in span.sources))


def _proven(span: Span) -> str:
    return f"{span.text.rstrip()} {marks(span.sources)} " if span.sources else span.text


def _table(book: _Book, table: Table) -> None:
    sheet = book.sheet(table.title)
    sheet.add([(c.title, book.head) for c in table.columns] + [("Sources", book.head)])
    for values in table.rows:
        cells = [(typed(value), look(value)) for value in values]
        row = sheet.add([*cells, (_proofs(table, values), LINK)])
        for column, value in enumerate(values, 1):
            if value.sources and value.value is not None:
                book.prove(sheet, column, row, value.sources)
    last = sheet.count
    if not table.rows:
        sheet.add([(table.empty, MUTED)])
    sheet.ws.freeze_panes = "A2"
    sheet.ws.print_title_rows = "1:1"
    sheet.ws.auto_filter.ref = f"A1:{column_letters(len(table.columns) + 1)}{last}"
    _widths(sheet, table)
    notes = [f"{c.title}: {c.computed}" for c in table.columns if c.computed]
    for note in filter(None, [table.note, *notes] if table.rows else []):
        sheet.add([])
        sheet.add([(note, Look(ink="667080"))])


def _proofs(table: Table, values: tuple[Value, ...]) -> str:
    named = zip(table.columns, values, strict=True)
    return "; ".join(f"{c.title}: {marks(v.sources)}" for c, v in named if v.sources)


def _widths(sheet: Sheet, table: Table) -> None:
    for index, column in enumerate(table.columns):
        seen = [len(words(row[index])) for row in table.rows[:300]]
        width = max([len(column.title) + 3, *seen])
        letters = column_letters(index + 1)
        sheet.ws.column_dimensions[letters].width = min(_WIDTH_MAX, width + 2)
    sheet.ws.column_dimensions[column_letters(len(table.columns) + 1)].width = 40


def _charts(book: _Book) -> None:
    charts = [s for s in book.report.sections if isinstance(s, Chart) and s.labels]
    if not charts:
        return
    sheet = book.sheet("Charts")
    sheet.ws.column_dimensions["A"].width = 34
    for letters in "BCDEFGHI"[: max(len(chart.series) for chart in charts)]:
        sheet.ws.column_dimensions[letters].width = 20
    for chart in charts:
        _chart(book, sheet, chart)
        # Room for the picture, which stands beside its figures.
        for _ in range(max(3, 18 - len(chart.labels))):
            sheet.add([])


def _chart(book: _Book, sheet: Sheet, chart: Chart) -> None:
    sheet.add([(chart.title, STRONG)])
    names = [series.name for series in chart.series]
    header = sheet.add([("", book.head), *((name, book.head) for name in names)])
    for index, label in enumerate(chart.labels):
        values = [series.values[index] for series in chart.series]
        row = sheet.add([(label, LABEL), *((typed(v), look(v)) for v in values)])
        for column, value in enumerate(values, 2):
            book.prove(sheet, column, row, value.sources)
    if chart.computed:
        sheet.add([(f"Computed from {chart.computed}", MUTED)])
    drawn = _picture(chart)
    columns, rows = len(chart.series) + 1, len(chart.labels)
    data = Reference(sheet.ws, min_col=2, max_col=columns, min_row=header, max_row=header + rows)
    labels = Reference(sheet.ws, min_col=1, min_row=header + 1, max_row=header + rows)
    drawn.add_data(data, titles_from_data=True)
    drawn.set_categories(labels)
    _coloured(drawn, chart, book.palette)
    sheet.ws.add_chart(drawn, f"{column_letters(columns + 2)}{header - 1}")


def _coloured(drawn: Any, chart: Chart, palette: list[str]) -> None:
    if chart.kind == "donut":
        return
    for series, colour in zip(drawn.series, palette, strict=False):
        series.smooth = False
        line = chart.kind == "line"
        (series.graphicalProperties.line if line else series.graphicalProperties).solidFill = colour


def _picture(chart: Chart) -> Any:
    drawn: Any
    if chart.kind == "line":
        drawn = LineChart()
    elif chart.kind == "donut":
        drawn = DoughnutChart(holeSize=55)
    else:
        drawn = BarChart()
        drawn.type = "bar"
        drawn.gapWidth = 60
        drawn.x_axis.scaling.orientation = "maxMin"
        drawn.y_axis.crosses = "max"  # the first label on top, and its axis below all the same
    if chart.kind == "stacked":
        drawn.grouping, drawn.overlap = "stacked", 100
    if chart.kind != "donut":
        # openpyxl hides axes unless told otherwise.
        drawn.x_axis.tickLblPos = "low"
        drawn.x_axis.delete = drawn.y_axis.delete = False
        drawn.y_axis.title = clean(chart.unit) or None
    drawn.title = clean(chart.title)
    drawn.height, drawn.width = 8, 16
    if len(chart.series) == 1 and chart.kind != "donut":
        drawn.legend = None
    return drawn


def _sources(book: _Book) -> None:
    sheet = book.sheet("Sources")
    names = ("No", "Document", "Page", "Sheet", "Cells", "Quote", "First used in")
    sheet.add([(name, book.head) for name in names])
    for number, source in enumerate(book.report.sources, 1):
        place = book.used.get(number, "")
        row = sheet.add([*_source(number, source), (place, LINK)])
        if place:
            sheet.link(f"G{row}", place, "Back to the figure")
            sheet.link(f"A{row}", place, "Back to the figure")
    for letters, width in zip("ABCDEFG", (7, 40, 8, 20, 14, 80, 24), strict=True):
        sheet.ws.column_dimensions[letters].width = width
    sheet.ws.freeze_panes = "A2"
    sheet.ws.auto_filter.ref = f"A1:G{sheet.count}"


def _source(number: int, source: Source) -> list[tuple[Any, Look]]:
    page = None if source.cells else Decimal(source.page)
    return [(Decimal(number), LINK), (source.filename, BODY), (page, BODY), (source.sheet, BODY),
            (source.cells, BODY), (source.quote, Look(wrap=True))]  # fmt: skip


def _saved(book: _Book) -> bytes:
    at = moment(book.report.created_ms).replace(tzinfo=None)
    properties = book.workbook.properties
    properties.title, properties.creator = (
        clean(book.report.title),
        clean(book.report.branding.name),
    )
    properties.created = properties.modified = at
    out = io.BytesIO()
    archive = FixedZip(out, "w", ZIP_DEFLATED, allowZip64=True)
    archive.stamp = (max(1980, at.year), at.month, at.day, at.hour, at.minute, at.second)
    archive.sheets = {
        f"xl/worksheets/sheet{number}.xml": sheet for number, sheet in enumerate(book.sheets, 1)
    }
    ExcelWriter(book.workbook, archive).save()
    return out.getvalue()
