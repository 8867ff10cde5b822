"""A tenant's shelf: passages in immutable segments, found by words and by vectors.

Promises: removed documents never appear; filters keep their recall; a segment of one tenant never
opens for another; nothing is unpickled, and nothing is written outside the vault.
"""

from vectorstore.shelves import SEGMENT, Shelves
from vectorstore.values import K_MAX, About, Entry, Head, Query, Segment

__all__ = ["K_MAX", "SEGMENT", "About", "Entry", "Head", "Query", "Segment", "Shelves"]
