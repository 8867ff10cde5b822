"""Report value → PDF, XLSX, CSV. Pure: values in, bytes out.

The three renderings say the same; what came from a document carries its source; text from
documents is never markup or a formula; equal reports give equal bytes.
"""

from __future__ import annotations

from core.errors import InvalidInput
from reports.compose import compose
from reports.template import Template, builtin, builtin_names, parse
from reports.value import Branding, Report

FORMATS: dict[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def render(report: Report, format: str) -> bytes:
    """Raises `InvalidInput` for a format that is not in `FORMATS`."""
    # ReportLab and openpyxl cost memory and a second of start; only who renders pays.
    if format == "pdf":
        from reports.pdf import render_pdf as draw
    elif format == "xlsx":
        from reports.xlsx import render_xlsx as draw
    elif format == "csv":
        from reports.csv import render_csv as draw
    else:
        raise InvalidInput(f"No report format {format!r}; choose from {', '.join(FORMATS)}.")
    return draw(report)


__all__ = [
    "FORMATS", "Branding", "Report", "Template", "builtin", "builtin_names", "compose", "parse",
    "render",
]  # fmt: skip
