"""What a question asks of one table: which rows, which column, what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from agents.answers.tables.dates import Period

Op = Literal[
    "sum", "avg", "median", "max", "min", "count", "distinct", "list", "share", "diff", "value",
]  # fmt: skip
Unit = Literal["day", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True)
class Condition:
    """On one column: `in` values, `cmp` bounds, `period`, `empty`, `flag`, `contains`, `starts`;
    `any` of two, on several."""

    column: int
    kind: str
    values: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False  # the bound itself does not count
    high_open: bool = False
    period: Period | None = None
    negated: bool = False
    either: tuple[Condition, ...] = ()  # of `any`: rows that fit one of them


@dataclass(frozen=True, slots=True)
class Group:
    """Rows by what a column says, or by the month, quarter or year of its dates."""

    column: int
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Rank:
    """The first `count` of groups, or of rows where there is no group."""

    count: int
    descending: bool


@dataclass(frozen=True, slots=True)
class Plan:
    op: Op
    measures: tuple[int, ...] = ()
    where: tuple[Condition, ...] = ()
    group: Group | None = None
    rank: Rank | None = None
    shown: int | None = None  # the column that names a row, or whose values are listed
    explicit: bool = False  # a total per group was asked for in so many words
    base: tuple[Condition, ...] = ()  # of a share: what it is a share of
    sides: tuple[tuple[Condition, ...], ...] = ()  # of a difference
    score: float = field(default=0.0, compare=False)


class Unclear(Exception):
    """The table is meant, but not what is asked of it. `told` says why: a key of the phrases and
    what stands in it."""

    def __init__(self, why: str, *names: str) -> None:
        super().__init__(why, *names)
        self.why = why
        self.names = names


class NotThis(Exception):
    """The question is another one."""
