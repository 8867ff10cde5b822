"""Office files in the parser's own process and through the jail, beside the usual libraries."""

from __future__ import annotations

import gc
import importlib.util
import io
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import psutil

import ingestion
from benchmarks.figures import at_most
from core.documents import Document
from ingestion import docx, forkserver, xlsx
from ingestion.limits import Limits

T = TypeVar("T")
ROWS = 10_000
CHAPTERS, PARAGRAPHS, TABLES = 60, 5, 10
TRIES = 7


def run() -> Iterator[dict[str, Any]]:
    yield from _workbooks()
    yield from _texts()


def _best(ours: Callable[[], T], theirs: Callable[[], Any]) -> tuple[float, float, T, Any]:
    """CPU seconds of both, taken in turns: what else the machine does meets both alike."""
    mine: list[float] = []
    peer: list[float] = []
    for _ in range(TRIES):
        for call, times in ((ours, mine), (theirs, peer)):
            gc.collect()
            begun = time.process_time()
            value: Any = call()
            times.append(time.process_time() - begun)
            if call is ours:
                found = value
            else:
                other = value
    return min(mine), min(peer), found, other


def _workbooks() -> Iterator[dict[str, Any]]:
    import openpyxl

    data = _ledger()

    def whole() -> list[list[Any]]:
        sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
        return [list(row) for row in sheet.iter_rows(values_only=True)]

    def streamed() -> list[list[Any]]:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
        return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]

    def ours() -> Document:
        return xlsx.read(data, Limits())

    mine, peer, document, rows = _best(ours, whole)
    again, light, _, _ = _best(ours, streamed)
    assert _typed(document) == [[_value(value) for value in row] for row in rows]
    yield at_most("office.xlsx_80000_cells", mine, 0.25, "s")
    yield at_most("office.xlsx_ratio", mine / peer, 1 / 8, "x", "openpyxl")
    yield at_most("office.xlsx_read_only_ratio", again / light, 1 / 8, "x", "openpyxl, read-only")
    jailed = _through_the_jail(data, "ledger.xlsx", "xlsx")
    yield at_most("office.xlsx_jailed_ratio", jailed / peer, 1 / 4, "x", "openpyxl, without a jail")


def _through_the_jail(data: bytes, name: str, format: str) -> float:
    """CPU seconds of ours and of the child, from bytes to the document in the parent: what else
    the machine does is in neither. A child's are told in hundredths, so it is their mean."""
    ingestion.parse(data, name, format, limits=Limits())
    begun = _spent()
    for _ in range(TRIES):
        ingestion.parse(data, name, format, limits=Limits())
    return (_spent() - begun) / TRIES


def _spent() -> float:
    server = forkserver.found()
    assert server is not None
    told = psutil.Process(server.process.pid).cpu_times()
    return time.process_time() + told.children_user + told.children_system


def _ledger() -> bytes:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Ledger")
    sheet.append(["Date", "Invoice", "Customer", "Quantity", "Price", "Total", "Paid", "Note"])
    for at in range(ROWS - 1):
        count, price = at % 13 + 1, (at * 37 % 1000) / 4
        sheet.append([
            date(2026, 1, 1) + timedelta(at % 300), f"INV-{at}", f"Customer {at % 97}", count,
            price, count * price, at % 3 == 0, f"batch {at % 50}",
        ])  # fmt: skip
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _typed(document: Document) -> list[list[Any]]:
    tables = [table for page in document.pages for table in page.tables]
    return [[cell.value for cell in row] for table in tables for row in table.rows]


def _value(value: Any) -> Any:
    """Dates as we tell them; a number that is whole is the same number with and without a point."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _texts() -> Iterator[dict[str, Any]]:
    if importlib.util.find_spec("docx") is None:
        sys.stderr.write(
            "office: no DOCX ratio, for python-docx is not installed; type: "
            "uv pip install python-docx\n"
        )
        return
    from docx import Document as open_docx  # type: ignore[import-not-found, unused-ignore]

    data = _chapters(open_docx())

    def theirs() -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for block in open_docx(io.BytesIO(data)).iter_inner_content():
            if hasattr(block, "rows"):
                found.append(("table", [[cell.text for cell in row.cells] for row in block.rows]))
            else:
                kind = "heading" if block.style.name.startswith("Heading") else "paragraph"
                found.append((kind, block.text))
        return found

    def words_alone() -> str:
        book = open_docx(io.BytesIO(data))
        texts = [one.text for one in book.paragraphs]
        return "\n".join(texts + [c.text for t in book.tables for r in t.rows for c in r.cells])

    def ours() -> Document:
        return docx.read(data, Limits())

    mine, peer, document, blocks = _best(ours, theirs)
    again, bare, _, _ = _best(ours, words_alone)
    assert _blocks(document) == blocks, "the same words, headings and cells in the same order"
    yield at_most("office.docx_60_chapters", mine, 0.1, "s")
    yield at_most("office.docx_ratio", mine / peer, 1 / 4, "x", "python-docx, blocks in order")
    yield at_most("office.docx_words_ratio", again / bare, 1 / 2, "x", "python-docx, words alone")


def _blocks(document: Document) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for page in document.pages:
        tables = iter(page.tables)
        for block in page.blocks:
            if block.kind == "table":
                found.append(("table", [[cell.text for cell in r] for r in next(tables).rows]))
            else:
                found.append((block.kind, page.text[block.start : block.end]))
    return found


def _chapters(book: Any) -> bytes:
    """Headings and paragraphs, in every sixth chapter a table of 20 rows of 6 cells."""
    words = [f"word{number}" for number in range(500)]
    at = 0
    for chapter in range(CHAPTERS):
        book.add_heading(f"Chapter {chapter + 1}", 1)
        for _ in range(PARAGRAPHS):
            book.add_paragraph(" ".join(words[(at + step) % 500] for step in range(85)))
            at += 85
        if chapter % (CHAPTERS // TABLES) == 0:
            table = book.add_table(rows=0, cols=6)
            for row in range(20):
                for column, cell in enumerate(table.add_row().cells):
                    cell.text = f"c{chapter * 100 + row}-{column}"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
