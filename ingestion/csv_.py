"""CSV and TSV: separator, quotes, encoding and the decimal comma found out from the content."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from core.documents import Document
from core.errors import Unfinishable
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.page_text import PageText, tidy
from ingestion.sheets import add_rows
from ingestion.values import typed_cell

_COMMA_NUMBER = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})*,\d{1,2}|[-+]?\d+,\d{1,2}")


def read(data: bytes, limits: Limits, format: str = "csv") -> Document:
    """One page; cells have addresses as in a sheet, an empty row ends a table."""
    text, encoding = decode_named(data)
    text = tidy(text)
    mark = "\t" if format == "tsv" else separator(text)
    texts, warnings = _records(text, mark, limits)
    if not texts:
        raise Unfinishable("The file has no rows.", code="empty")
    comma = mark != "," and _decimal_comma(texts)
    rows = [
        [typed_cell(cell.strip(), row, col, decimal_comma=comma, sheet=True)
         for col, cell in enumerate(record)]
        for row, record in enumerate(texts)
    ]  # fmt: skip
    page = PageText()
    add_rows(page, rows, None)
    metadata = {
        "encoding": encoding, "separator": mark, "rows": len(rows), "columns": len(rows[0]),
        "decimal_comma": comma,
    }  # fmt: skip
    return Document(format, (page.page(1),), metadata=metadata, warnings=tuple(warnings))


def separator(text: str) -> str:
    """The mark that splits most of the first lines into the same number of columns."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    best, best_score = ",", 0.0
    for mark in (",", ";", "\t", "|"):
        widths = Counter(len(record) for record in _parse(lines, mark))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        score = (count / max(1, len(lines))) * (width - 1) ** 0.25 if width > 1 else 0.0
        if score > best_score:
            best, best_score = mark, score
    return best


def _parse(lines: list[str], mark: str) -> list[list[str]]:
    try:
        return [record for record in csv.reader(lines, delimiter=mark) if record]
    except csv.Error:
        return [line.split(mark) for line in lines]


def _records(text: str, mark: str, limits: Limits) -> tuple[list[list[str]], list[str]]:
    csv.field_size_limit(2**20)
    records: list[list[str]] = []
    warnings: list[str] = []
    cells = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for record in reader:
            cells += len(record)
            if cells > limits.cells:
                warnings.append(f"Only the first {len(records)} rows were read: cell limit.")
                break
            records.append(record)
    except csv.Error as error:
        warnings.append(
            f"Row {reader.line_num} could not be read ({error}); rows after it are missing."
        )
    while records and not any(field.strip() for field in records[-1]):
        records.pop()
    width = max((len(record) for record in records), default=0)
    if width * len(records) > limits.cells:
        return records, [*warnings, "Rows have very different lengths."]
    return [record + [""] * (width - len(record)) for record in records], warnings


def _decimal_comma(records: list[list[str]]) -> bool:
    sample = [cell.strip() for record in records[:200] for cell in record]
    commas = sum(bool(_COMMA_NUMBER.fullmatch(cell)) for cell in sample)
    points = sum(bool(re.fullmatch(r"[-+]?\d+\.\d{1,2}", cell)) for cell in sample)
    return commas > points
