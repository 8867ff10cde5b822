"""Bytes to documents: pages, blocks, tables with cells, chunks; every piece with its exact place.

Pure: values in, values out, no database and no network. A file is only ever opened in a child
process that can be killed (`parse`); the parsers' libraries are never loaded into the platform.
"""

from __future__ import annotations

from ingestion.chunking import chunk, unsearched
from ingestion.formats import FORMATS, sniff
from ingestion.limits import Limits
from ingestion.opening import check_openable
from ingestion.sandbox import achieved_level, parse, picture_walls

__all__ = [
    "FORMATS", "Limits", "achieved_level", "check_openable", "chunk", "parse", "picture_walls",
    "sniff", "unsearched",
]  # fmt: skip
