"""Papers whose words, order, tables and headings are known, because they are made here.

`samples()` makes the same files each time: every layout from a seed of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.papers import columns, office, plain, tables, turned
from benchmarks.papers.values import Sample

LAYOUTS = (plain, tables, columns, turned, office)


def samples(variants: int = 2) -> Iterator[Sample]:
    """`variants` of each layout, with other words and sizes."""
    for room in LAYOUTS:
        for name, make in room.MAKERS.items():
            for variant in range(variants):
                yield make(f"{name}-{variant + 1}", variant)
