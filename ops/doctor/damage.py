"""What was stored and is not what was written any more: parts of indexes."""

from __future__ import annotations

from database import Tx, vitals
from ops.doctor.finding import Finding, fail, ok


def examine(tx: Tx) -> Finding:
    """What searches and repairs have met so far; nothing is read from the store here. Documents
    whose files are damaged say so themselves: rows of tenants are not the platform's to read."""
    from vectorstore import Head

    heads = [Head.from_json(0, segments, ()) for segments, _ in vitals.shelves(tx)]
    lost = [head.count - head.readable for head in heads if head.damaged]
    if lost:
        words = f"{sum(lost)} passages of {len(lost)} tenants are in damaged parts of their index"
        todo = "a worker rebuilds them (weft up); where the objects are gone, restore a backup"
        return fail("index", words, todo)
    return ok("index", "no damage is known")
