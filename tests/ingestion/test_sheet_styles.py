"""Number formats say which currency a cell is in; hidden rows and columns are named."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

import ingestion
from ingestion.sheet_styles import unit_in


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("#,##0.00 [$€-407]", "EUR"), ("0.0%", "%"), ('"EUR" 0', "EUR"), ('"$"#,##0', "USD"),
        ("[$$-C0C]#,##0", "CAD"), ("[$$-4009]0", "$"), ("[$CHF] 0", "CHF"), ("£#,##0.00", "GBP"),
        ('_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-', "EUR"),
        ("[$-409]d-mmm-yy", None), ('0.00" kg"', None), ("General", None), ("[h]:mm", None),
        ("dd/mm/yyyy", None), ("[Red]0", None), ('0"% of plan"', None),
    ],
)  # fmt: skip
def test_a_number_format_shows_a_unit(code: str, unit: str | None) -> None:
    assert unit_in(code) == unit


def test_units_and_hidden_parts_are_named_by_their_cells() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Item", "Net", "Tax", "Note"], ["a", 10, 0.19, "x"], ["b", 20, 0.07, "y"]):
        sheet.append(row)
    for place, code in (("B2", "0.00 [$€-2]"), ("B3", "0.00 [$€-2]"), ("C2", "0%"), ("C3", "0%")):
        sheet[place].number_format = code
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["D"].hidden = True
    file = io.BytesIO()
    book.save(file)
    told = ingestion.parse(file.getvalue(), "a.xlsx", "xlsx").metadata
    assert told["cell_units"] == {"Sheet": {"EUR": ["B2:B3"], "%": ["C2:C3"]}}
    assert told["hidden_rows"] == {"Sheet": ["3"]}
    assert told["hidden_columns"] == {"Sheet": ["D"]}
