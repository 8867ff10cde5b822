"""The pieces of a question over tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agents.answers.tables.dates import Period


@dataclass(frozen=True, slots=True)
class Token:
    """`whole` is the place of the chunk that a part of `PO-10231` belongs to."""

    text: str
    fold: str
    kind: str  # word | number | date | quoted | file | op
    number: Decimal | None = None
    unit: str | None = None
    period: Period | None = None
    ordinal: int | None = None
    whole: int = -1


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    language: str
    tokens: tuple[Token, ...]
    today: date | None = None  # where the question tells a date from it

    @property
    def files(self) -> list[str]:
        return [token.fold for token in self.tokens if token.kind == "file"]


class Doubtful(Exception):
    """A number or date of two readings."""
