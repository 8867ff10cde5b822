"""Fields of business documents by rules and geometry; every value with its place in the text.

Precision goes first: what is not found is None, what is doubtful has a low confidence, and no value
is given without the words that it was read from.
"""

from ingestion.fields.extraction import FIELDS, Reading, extract, named, read, seen
from ingestion.fields.schema import Filled, fill
from ingestion.fields.shapes import shape_of

__all__ = ["FIELDS", "Filled", "Reading", "extract", "fill", "named", "read", "seen", "shape_of"]
