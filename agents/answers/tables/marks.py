"""What a workbook shows beside its values, as `ingestion` notes it: hidden rows and columns, and
cells whose number format shows a currency or a percent sign."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.documents import Document

_SPAN = re.compile(r"([A-Z]*)(\d+)(?::[A-Z]*(\d+))?")


@dataclass(frozen=True, slots=True)
class Marks:
    """Of one sheet; `units` by address."""

    units: Mapping[str, str] = field(default_factory=dict)
    rows: frozenset[int] = frozenset()
    columns: frozenset[str] = frozenset()


def marks(document: Document) -> dict[str | None, Marks]:
    """Sheet → its marks; sheets without any are left out."""
    told = {key: _of(document, key) for key in ("cell_units", "hidden_rows", "hidden_columns")}
    return {
        sheet: Marks(
            {f"{column}{row}": unit
             for unit, spans in told["cell_units"].get(sheet, {}).items()
             for column, rows in map(_span, spans) for row in rows},
            frozenset(row for _, rows in map(_span, told["hidden_rows"].get(sheet, ()))
                      for row in rows),
            frozenset(told["hidden_columns"].get(sheet, ())),
        )
        for sheet in {name for one in told.values() for name in one}
    }  # fmt: skip


def _of(document: Document, key: str) -> Mapping[str, Any]:
    found = document.metadata.get(key)
    return found if isinstance(found, Mapping) else {}


def _span(told: str) -> tuple[str, Iterable[int]]:
    match = _SPAN.fullmatch(told)
    if match is None:
        return "", ()
    return match[1], range(int(match[2]), int(match[3] or match[2]) + 1)
