"""A tenant's shelf: passages in immutable segments, found by words and by vectors.

Promises: removed documents never appear; what is damaged is named and never guessed at; filters
keep their recall; a segment of one tenant never opens for another; nothing is unpickled, nothing
written outside the vault.
"""

from vectorstore import generations
from vectorstore.damage import DamagedError
from vectorstore.filters import check as check_filters
from vectorstore.shelves import ONE_OBJECT_ROWS, SEGMENT, Searched, Shelves
from vectorstore.values import K_MAX, About, Entry, Generation, Head, Layer, Query, Segment

__all__ = [
    "K_MAX", "ONE_OBJECT_ROWS", "SEGMENT", "About", "DamagedError", "Entry", "Generation", "Head",
    "Layer", "Query", "Searched", "Segment", "Shelves", "check_filters", "generations",
]  # fmt: skip
