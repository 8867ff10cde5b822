"""Sheets as accounting programs export them: sums between the rows, each with its stars."""

from __future__ import annotations

import pytest

from agents.answers.tables.choosing import answered
from agents.answers.tables.reading import grids
from agents.answers.tables.vocabulary import vocabulary
from ingestion.csv_ import read
from ingestion.limits import Limits

OPEN_ITEMS = """Lieferant;Name;Beleg;Datum;Betrag;Waehrung;Status
100001;Kessler GmbH;B1;01.09.2026;3.732,72;EUR;offen
100001;Kessler GmbH;B2;02.09.2026;9.391,59;EUR;offen
100001;Kessler GmbH;B3;03.09.2026;774,95-;EUR;offen
*;{one};;;12.349,36;EUR;
100002;Bolz AG;B4;01.09.2026;1.668,42;EUR;offen
100002;Bolz AG;B5;02.09.2026;6.023,25;EUR;offen
*;{two};;;7.691,67;EUR;
**;{all};;;20.041,03;EUR;
"""
NAMED = {"one": "Summe Kessler GmbH", "two": "Summe Bolz AG", "all": "Gesamtsumme"}


@pytest.mark.parametrize("names", [NAMED, dict.fromkeys(NAMED, "")])
def test_sums_under_stars_are_not_counted_again(names: dict[str, str]) -> None:
    document = read(OPEN_ITEMS.format(**names).encode(), Limits())
    tables = [vocabulary(grid) for grid in grids(document, "id", "open.csv")]
    for question, figure in (
        ("What is the total Betrag?", "20,041.03"),
        ("Sum of Betrag per Name", "Bolz AG: 7,691.67"),
    ):
        found = answered(question, tables)
        assert found is not None
        assert figure in found.text
        assert "**" not in found.text
