"""CSV: the main table from line 1, then blocks: the other tables, key figures, charts, sources.

UTF-8 with a byte order mark and CRLF (RFC 4180), because spreadsheets guess wrongly without it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from reports.value import Chart, KeyFigures, Report, Table, Text, Value
from reports.wording import clean, plain

Row = list[str]
# A number, or digits with spaces such as a phone number: no spreadsheet makes a formula of these.
_HARMLESS = re.compile(r"[+-]?\d[\d.,]*|\+?\d[\d ]*")
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(text: str) -> str:
    """Text that a spreadsheet could take for a formula gets a leading apostrophe (OWASP)."""
    text = clean(text)
    if text.lstrip(" ").startswith(_TRIGGERS) and not _HARMLESS.fullmatch(text):
        return "'" + text
    return text


def render_csv(report: Report) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(_lines(report))
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _lines(report: Report) -> Iterator[Row]:
    for index, table in enumerate(report.tables):
        if index:
            yield from ([], [guarded(table.title)])
        yield from _table(table)
    for section in report.sections:
        if isinstance(section, KeyFigures):
            yield from ([], [guarded(section.title)], ["Figure", "Value", "Currency", "Sources"])
            for tile in section.tiles:
                yield [guarded(tile.label), _cell(tile.value), guarded(tile.value.currency),
                       _marks(tile.value.sources)]  # fmt: skip
        elif isinstance(section, Chart):
            yield from _chart(section)
        elif isinstance(section, Text):
            yield from _text(section)
    yield from _sources(report)


def _table(table: Table) -> Iterator[Row]:
    header: Row = []
    for column in table.columns:
        header.append(guarded(column.title))
        if column.kind == "money":
            header.append(guarded(f"{column.title} currency"))
    yield [*header, "Sources"]
    for row in table.rows:
        yield _row(table, row)


def _row(table: Table, row: tuple[Value, ...]) -> Row:
    cells: Row = []
    proofs = []
    for column, value in zip(table.columns, row, strict=True):
        cells.append(_cell(value))
        if column.kind == "money":
            cells.append(guarded(value.currency))
        if value.sources:
            proofs.append(f"{column.title}: {_marks(value.sources)}")
    return [*cells, guarded("; ".join(proofs))]


def _chart(chart: Chart) -> Iterator[Row]:
    yield from ([], [guarded(chart.title)], ["Label", *(guarded(s.name) for s in chart.series)])
    for index, label in enumerate(chart.labels):
        yield [guarded(label), *(_cell(series.values[index]) for series in chart.series)]


def _text(text: Text) -> Iterator[Row]:
    yield from ([], [guarded(text.title)])
    if not text.paragraphs and text.empty:
        yield [guarded(text.empty)]
    for paragraph in text.paragraphs:
        if paragraph.heading:
            yield [guarded(paragraph.heading)]
        numbers = dict.fromkeys(n for span in paragraph.spans for n in span.sources)
        words = "".join(span.text for span in paragraph.spans).strip()
        yield [guarded(words), _marks(numbers)]


def _sources(report: Report) -> Iterator[Row]:
    if not report.sources:
        return
    yield from ([], ["Sources"], ["No", "Document", "Page", "Sheet", "Cells", "Quote"])
    for number, source in enumerate(report.sources, 1):
        page = "" if source.cells else str(source.page)
        yield [str(number), guarded(source.filename), page, guarded(source.sheet or ""),
               guarded(source.cells or ""), guarded(source.quote)]  # fmt: skip


def _marks(numbers: Iterable[int]) -> str:
    return " ".join(f"[{number}]" for number in numbers)


def _cell(value: Value) -> str:
    held = value.value
    if held is None:
        return ""
    if isinstance(held, Decimal):
        return plain(held, 2 if value.kind == "money" else 0)
    return held.isoformat() if isinstance(held, date) else guarded(held)
