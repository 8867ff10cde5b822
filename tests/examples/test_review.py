"""The review of the example invoices finds each planted fault and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ingestion
from agents.checks.facts import Unreadable
from agents.checks.ledger import Ledger, read_ledger
from agents.checks.papers import Paper
from agents.checks.review import review
from core.documents import Document
from core.errors import Unfinishable
from examples.make import invoices
from ingestion import fields

ROOT = Path(__file__).parent.parent.parent / "examples"
AS_OF = date(2026, 11, 21)


def read(filename: str, data: bytes) -> Iterator[tuple[str, Document]]:
    """The document and its attachments."""
    form = ingestion.sniff(data, filename)
    document = ingestion.parse(data, filename, form, limits=ingestion.Limits())
    yield filename, document
    for attachment in document.attachments:
        yield from read(attachment.filename, attachment.data)


def test_each_planted_fault_is_found_and_nothing_else() -> None:
    papers: list[Paper] = []
    ledgers: list[Ledger] = []
    unreadable: list[Unreadable] = []
    for name, data in invoices():
        try:
            found = list(read(name, data))
        except Unfinishable as error:
            unreadable.append({"document_id": name, "filename": name, "error": error.detail})
            continue
        for filename, document in found:
            told = fields.extract(document, filename, filename)
            if filename == "ledger.xlsx":
                ledgers.append(read_ledger(document, filename, filename))
            else:
                papers.append(Paper(filename, filename, told.document_type, told))
    facts = review(papers, ledgers, unreadable, AS_OF)
    wanted = json.loads((ROOT / "expected.json").read_text())["exceptions"]
    faults = {(one["kind"], frozenset({one["filename"], one.get("also", one["filename"])}))
              for one in wanted}  # fmt: skip
    seen = [(one["kind"], one["filename"]) for one in facts["exceptions"]]
    missed = [f for f in faults if not any(kind == f[0] and name in f[1] for kind, name in seen)]
    false = [(kind, name) for kind, name in seen
             if not any(kind == f[0] and name in f[1] for f in faults)]  # fmt: skip
    assert (missed, false) == ([], [])
