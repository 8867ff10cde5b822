"""What the clauses of an English contract agree: its days, its durations and its law.

A duration or a day counts only in a sentence that speaks of the contract itself; one of a breach,
an audit or a delivery is none of its terms, and no value is better than such a one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ingestion.fields import clause_days, clause_terms
from ingestion.fields.clause import Hit
from ingestion.fields.clause_days import made
from ingestion.fields.clause_law import law
from ingestion.fields.context import Context
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Sheet
from ingestion.fields.prose import sentences
from ingestion.fields.reading import Candidate
from ingestion.fields.spans import DURATION


def _dated(sheet: Sheet, context: Context) -> Iterator[Hit]:
    for segment, row in sentences(sheet):
        for hit in find_dates(segment.text):
            if hit.other is None or context.order:
                yield Hit(segment, row, hit.start, hit.end, hit.read(context.order).isoformat())


def _lasting(sheet: Sheet, context: Context) -> Iterator[Hit]:
    for segment, row in sentences(sheet):
        for match in DURATION.finditer(segment.text):
            yield Hit(segment, row, *match.span(), " ".join(match[0].split()))


_READ: dict[str, tuple[Callable[[Sheet, Context], Iterator[Hit]], Callable[[Hit], float]]] = {
    "term": (_lasting, clause_terms.term), "renewal_term": (_lasting, clause_terms.renewal),
    "notice_period": (_lasting, clause_terms.notice),
    "contract_start": (_dated, clause_days.start), "contract_end": (_dated, clause_days.end),
}  # fmt: skip
NAMES = (*_READ, "governing_law", "contract_date")


def read(name: str, sheet: Sheet, context: Context) -> Candidate | None:
    """The value that the clauses agree, doubtful where another clause says another."""
    if name == "governing_law":
        found = list(law(sheet))
    elif name == "contract_date":
        return next(made(sheet, context), None)
    else:
        hits, weigh = _READ[name]
        found = [hit.told(sure) for hit in hits(sheet, context) if (sure := weigh(hit))]
    return max(found, key=lambda c: (c.confidence, -c.row, -c.segment.start), default=None)
