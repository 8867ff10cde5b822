"""Log files."""

from __future__ import annotations

from dataclasses import replace

from core.documents import Document
from ingestion import text
from ingestion.limits import Limits


def read(data: bytes, limits: Limits) -> Document:
    return replace(text.read(data, limits), format="log")
