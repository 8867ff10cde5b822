"""Personal data in text: where it stands, of which kind, how sure; and the same text without it.

Pure and without a model: patterns with their check digits, labels, salutations, addresses by their
grammar. Names in running prose are not found.
"""

from __future__ import annotations

from ingestion.pii.finding import find
from ingestion.pii.marks import Marks, Sight, document_shown, marks_of, shown, slice_shown
from ingestion.pii.values import BY_DEFAULT, KINDS, Finding, hidden

__all__ = [
    "BY_DEFAULT", "KINDS", "Finding", "Marks", "Sight", "document_shown", "find", "hidden",
    "marks_of", "shown", "slice_shown",
]  # fmt: skip
