"""The three renderings read back, each by a reader that is not ours."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
from openpyxl import load_workbook

from reports import Report, render


def csv_rows(report: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(render(report, "csv").decode("utf-8-sig"), newline="")))


def workbook(report: Report) -> Any:
    """An openpyxl workbook; its stubs allow for every kind of cell that we never write."""
    return load_workbook(io.BytesIO(render(report, "xlsx")))


@contextmanager
def pdf(report: Report) -> Iterator[Any]:
    document = pypdfium2.PdfDocument(render(report, "pdf"))
    try:
        yield document
    finally:
        document.close()


def pdf_text(document: Any) -> str:
    """All pages without white space: line breaks inside a cell are layout, not content."""
    pages = []
    for page in document:
        text = page.get_textpage()
        pages.append(text.get_text_bounded())
        text.close()
        page.close()
    return re.sub(r"\s+", "", "".join(pages))
