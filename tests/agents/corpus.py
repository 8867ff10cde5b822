"""The labelled support corpus: small documents as hits, cut at headings as ingestion cuts them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.documents import Chunk, Hit

FOLDER = Path(__file__).parent / "answers_corpus"
_CHARS_MAX = 900


@dataclass(frozen=True)
class Case:
    tenant: str
    ask: str
    expect: tuple[str, ...]


def cases() -> list[Case]:
    data: dict[str, list[dict[str, Any]]] = yaml.safe_load((FOLDER / "cases.yaml").read_text())
    return [
        Case(tenant, row["ask"], tuple(row.get("expect", ())))
        for tenant, rows in data.items()
        for row in rows
    ]


@cache
def hits(tenant: str) -> tuple[Hit, ...]:
    """Every passage of a tenant, as search would give them."""
    return tuple(hit for path in sorted((FOLDER / tenant).iterdir()) for hit in hits_of(path))


def hits_of(path: Path) -> Iterator[Hit]:
    yield from hits_in(path.name, path.read_text())


def hits_in(filename: str, text: str) -> Iterator[Hit]:
    title = text.splitlines()[0].strip("# ")
    for ordinal, (start, part) in enumerate(_parts(text)):
        heading = part.splitlines()[0].strip("# ") if part.startswith("#") else ""
        context = " > ".join(dict.fromkeys(filter(None, (title, heading))))
        chunk = Chunk(
            f"{filename}/{ordinal}", filename, ordinal, part, 1, start, start + len(part),
            context=context,
        )  # fmt: skip
        yield Hit(chunk, filename, 1.0)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Sections; long ones at blank lines."""
    for section in re.finditer(r"(?:\A|(?<=\n))(?:#[^\n]*\n)?(?:(?!#).*\n?)*", text):
        start, part = section.start(), section.group()
        while len(part) > _CHARS_MAX and (cut := part.rfind("\n\n", 0, _CHARS_MAX)) > 0:
            yield start, part[:cut]
            start, part = start + cut, part[cut:]
        if part.strip():
            yield start, part
