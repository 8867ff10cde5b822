"""Papers in five languages, nine kinds and four formats, made for this: what is read from them."""

from __future__ import annotations

import pytest

from core.documents import Document
from ingestion.fields import extract
from ingestion.limits import Limits
from ingestion.readers import read
from tests.ingestion.papers import KINDS, LANGUAGES, SEEN, Made, paper
from tests.ingestion.papers.scoring import score


def parsed(made: Made) -> Document:
    """In this process: the bytes are our own."""
    return read(made.data, made.filename, made.format, None, Limits())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_papers_that_were_seen_are_read(language: str) -> None:
    made = [paper(language, kind, variant) for kind in KINDS for variant in SEEN]
    found = score((one, parsed(one)) for one in made)
    assert found.share("all") >= 0.98, found.faults
    assert found.share("kinds") == 1.0, found.faults
    assert found.share("rows") >= 0.98, found.faults
    assert found.told["all"]["wrong"] <= 1, found.faults
    assert sum(found.sure[edge].total() for edge in (0.9, 0.95)) >= 10
    assert found.reliable(0.9) >= 0.9, found.faults


@pytest.mark.parametrize("format", ["pdf", "docx", "xlsx", "txt"])
def test_every_value_of_a_paper_quotes_it_in_each_format(format: str) -> None:
    for kind in ("contract", "bank_statement", "payslip"):
        made = paper("de", kind, 0, format)
        document = parsed(made)
        fields = extract(document, "d", made.filename)
        assert fields.document_type == kind
        values = [v for v in fields.fields.values() if v.value is not None]
        for value in [*values, *(v for row in fields.line_items for v in row.values())]:
            assert value.source is not None
            text = document.pages[value.source.page - 1].text
            assert text[value.source.start : value.source.end] == value.source.quote != ""
        assert len(values) >= len(made.fields)
