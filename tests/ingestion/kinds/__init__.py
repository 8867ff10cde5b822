"""Texts with the kind that a person would give them: one set to learn from, one held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingestion import Limits, sniff
from ingestion.readers import read


def texts(name: str) -> Iterator[tuple[str, str]]:
    """`(kind, text)` of `dev` or `held`."""
    for part in Path(__file__).with_name(f"{name}.txt").read_text().split("=== ")[1:]:
        kind, _, text = part.partition("\n")
        yield kind.strip(), text.strip()


def found(text: str) -> str:
    """The kind by content alone: the file's name tells nothing."""
    data = text.encode()
    return read(data, "scan-0001.txt", sniff(data, "scan-0001.txt"), None, Limits()).document_type


def table(name: str) -> Counter[tuple[str, str]]:
    """How often a text of the first kind was given the second."""
    return Counter((kind, found(text)) for kind, text in texts(name))
