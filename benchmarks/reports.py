"""Reports against the libraries they stand on, in the same process.

Best of five each, alternating, so that a busy machine hits both.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import openpyxl
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.platypus import SimpleDocTemplate, Table

from benchmarks.figures import at_most
from core.documents import Source
from reports import Report, compose, parse, render
from reports.value import Column, Value
from reports.value import Table as ReportTable

ROUNDS = 5
PDF_ROWS, XLSX_ROWS = 2_000, 10_000
_TEMPLATE = """
name: bench
title: Quarterly report
sections:
  - kind: table
    title: Rows
    role: main
    from: rows
    columns:
      - {field: "0", title: Id}
      - {field: "1", title: Region}
      - {field: "2", title: Units, format: number, computed: the rows}
      - {field: "3", title: Price, format: money, computed: the rows}
      - {field: "4", title: Date, format: date, computed: the rows}
      - {field: "5", title: State, format: status}
"""


def run() -> Iterator[dict[str, Any]]:
    rows = [_row(index) for index in range(PDF_ROWS)]
    report = compose(parse(_TEMPLATE), {"rows": rows})
    ours, peer = _best(lambda: render(report, "pdf"), lambda: _plain_pdf(rows))
    said = f"ReportLab Table, Helvetica: {peer:.3f} s"
    yield at_most("reports.pdf_2000_rows", ours, round(peer, 4), "s", said)

    sourced = _sourced(report)
    ours, _ = _best(lambda: render(sourced, "pdf"), lambda: None)
    yield at_most("reports.pdf_2000_rows_6000_sources", ours, 2.0, "s")

    cells = [_cells(index) for index in range(XLSX_ROWS)]
    wide = _wide(cells)
    ours, peer = _best(lambda: render(wide, "xlsx"), lambda: _plain_xlsx(cells))
    said = f"openpyxl, no styles: {peer:.3f} s"
    yield at_most("reports.xlsx_10000x8", ours, round(peer, 4), "s", said)


def _row(i: int) -> list[Any]:
    return [f"R{i:04d}", f"Region{i % 17:02d}", i * 37 % 9973, f"{i * 3.17 % 1000:.2f}",
            f"2026-{i % 12 + 1:02d}-{i % 28 + 1:02d}", "open" if i % 3 else "closed"]  # fmt: skip


def _cells(i: int) -> list[Any]:
    return [f"R{i:05d}", f"Region{i % 17:02d}", i * 37 % 9973, round(i * 3.17 % 1000, 2),
            "2026-01-01", round(i / 7, 3), "open", f"Owner{i % 211}"]  # fmt: skip


def _sourced(report: Report) -> Report:
    """The same table with a source of its own for each of three figures in a row."""
    (table,) = report.tables
    sources, rows = [], []
    for index, row in enumerate(table.rows):
        cells = []
        for value in row:
            numbers: tuple[int, ...] = ()
            if value.kind in ("number", "money", "date"):
                sources.append(Source(f"d{index}", f"invoice-{index}.pdf", 1, 0, 9, "Total due"))
                numbers = (len(sources),)
            cells.append(Value(value.kind, value.value, value.currency, numbers, value.tone))
        rows.append(tuple(cells))
    linked = ReportTable(table.title, table.columns, tuple(rows), "main")
    return Report("Quarterly report", 0, sections=(linked,), sources=tuple(sources))


def _wide(cells: list[list[Any]]) -> Report:
    columns = tuple(
        Column(f"C{n}", "text" if isinstance(cell, str) else "number")
        for n, cell in enumerate(cells[0])
    )
    rows = tuple(tuple(map(_typed, row)) for row in cells)
    return Report("Wide", 0, sections=(ReportTable("Rows", columns, rows, "main"),))


def _typed(cell: Any) -> Value:
    return Value("text", cell) if isinstance(cell, str) else Value("number", Decimal(str(cell)))


def _plain_pdf(rows: list[list[Any]]) -> None:
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.25, colors.grey), ("FONTSIZE", (0, 0), (-1, -1), 8),
        ("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey),
    ]  # fmt: skip
    header = ["Id", "Region", "Units", "Price", "Date", "State"]
    table = Table([header, *rows], repeatRows=1, style=style)
    SimpleDocTemplate(io.BytesIO(), pagesize=A4).build([table])


def _plain_xlsx(cells: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in cells:
        sheet.append(row)
    book.save(io.BytesIO())


def _best(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for work, kept in zip((ours, peer), seconds, strict=True):
            start = time.perf_counter()
            work()
            kept.append(time.perf_counter() - start)
    return min(seconds[0]), min(seconds[1])
