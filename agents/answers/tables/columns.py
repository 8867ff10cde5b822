"""What the numbers of a column are: money, quantities that add up, prices that do not."""

from __future__ import annotations

from agents.answers.tables.grids import Column
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import ADDITIVE, concepts, listed
from ingestion.fields.numbers import CODES

_MONEY = listed(
    "amount value revenue price cost payment tax net gross discount total budget profit salary "
    "invoice order purchase balance fee"
)
_CODES = frozenset(CODES)
_NOT_MONEY = frozenset(("rate", "quantity", "hour", "day", "weight", "age", "number", "stock"))


def money(column: Column) -> bool:
    """Whether its numbers are amounts of a currency."""
    if column.unit in _CODES or not _CODES.isdisjoint(column.used):
        return True
    if column.unit == "%" or "%" in column.used:
        return False
    told = concepts(column.name)
    return column.measured and column.unit is None and bool(told & _MONEY) and not told & _NOT_MONEY


def currency_column(vocabulary: Vocabulary) -> Column | None:
    """The column that says the currency of each row."""
    for column in vocabulary.columns:
        if column.kind != "text" or not any(column.texts):
            continue
        if all(text.upper() in _CODES for text in column.texts if text):
            return column
    return None


def additive(column: Column) -> bool:
    """Whether a sum over rows says something: of amounts and quantities, not of prices or rates."""
    told = concepts(column.name)
    if column.unit == "%" or "%" in column.used or told & {"rate", "price", "age", "score"}:
        return False
    return bool(told & ADDITIVE) or (column.unit is not None and column.unit != "%")
