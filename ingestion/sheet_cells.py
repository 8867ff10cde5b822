"""Values of a sheet as cells, a column at a time: most columns hold one type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import chain, repeat
from typing import Any

from core.documents import Cell
from ingestion.values import letters

Value = str | int | float | bool | None
Seen = tuple[str, Value, str]  # what a person sees, the value, its kind

_ERRORS = re.compile(r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|GETTING_DATA|SPILL!|CALC!)")
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_HEAD = 4  # rows in which names and units of columns stand
_MADE = partial(tuple.__new__, Cell)


@dataclass(frozen=True, slots=True)
class SheetMarks:
    """What stands beside values, by address."""

    formulas: dict[str, str] = field(default_factory=dict)  # "=SUM(A1:A3)"
    merged: dict[str, tuple[int, int]] = field(default_factory=dict)  # top left → (rows, columns)


def rows_of(
    values: Sequence[Sequence[Any]], row0: int, col0: int, marks: SheetMarks
) -> list[tuple[Cell, ...]]:
    """Rows of one width, as cells with addresses."""
    numbers = [str(row0 + at) for at in range(1, len(values) + 1)]
    columns: list[list[Any]] = []
    for col, column in enumerate(zip(*values, strict=True), col0):
        texts, kept, kinds = _seen(column)
        letter = letters(col)
        places = [letter + number for number in numbers]
        columns.append(list(map(_MADE, zip(
            texts, range(row0, row0 + len(column)), repeat(col), kept, kinds, places,
            repeat(None), repeat(1), repeat(1), strict=False,
        ))))  # fmt: skip
    _mark(columns, row0, col0, marks)
    return list(zip(*columns, strict=True))


def _mark(columns: list[list[Any]], row0: int, col0: int, marks: SheetMarks) -> None:
    for place, formula in marks.formulas.items():
        if found := _at(columns, row0, col0, place):
            column, row = found
            column[row] = column[row]._replace(formula=formula)
    for place, (down, right) in marks.merged.items():
        if found := _at(columns, row0, col0, place):
            column, row = found
            column[row] = column[row]._replace(rowspan=down, colspan=right)


def _at(columns: list[list[Any]], row0: int, col0: int, place: str) -> tuple[list[Any], int] | None:
    told = _PLACE.fullmatch(place)
    if told is None:
        return None
    col, row = column_number(told[1]) - col0, int(told[2]) - 1 - row0
    if 0 <= col < len(columns) and 0 <= row < len(columns[col]):
        return columns[col], row
    return None


def column_number(name: str) -> int:
    """A is 0."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _seen(column: Sequence[Any]) -> tuple[Iterable[str], Iterable[Value], Iterable[str]]:
    """Texts, values and kinds; the name above a column is looked at apart."""
    alike = _alike(column)
    if alike is not None:
        return alike
    below = _alike(column[_HEAD:]) if len(column) > 2 * _HEAD else None
    found = [seen(value) for value in (column[:_HEAD] if below else column)]
    texts, kept, kinds = zip(*found, strict=True)
    if below is None:
        return texts, kept, kinds
    return chain(texts, below[0]), chain(kept, below[1]), chain(kinds, below[2])


def _alike(column: Sequence[Any]) -> tuple[Iterable[str], Iterable[Value], Iterable[str]] | None:
    """The same for a column of one type; None where there are several."""
    types = set(map(type, column))
    if types == {str}:
        texts = list(map(str.strip, column))
        joined = "".join(texts)
        if "#" not in joined and "\x00" not in joined and all(texts):
            return texts, column, repeat("text")
    elif types == {float} or types == {int}:
        numbers = list(map(_number, column))
        return [text for text, _ in numbers], [value for _, value in numbers], repeat("number")
    elif types == {date}:
        texts = list(map(date.isoformat, column))
        return texts, texts, repeat("date")
    elif types == {bool}:
        return ["TRUE" if value else "FALSE" for value in column], column, repeat("bool")
    return None


def _number(value: float) -> tuple[str, int | float]:
    """Whole numbers without a point, others with the twelve digits that a sheet can show."""
    if -1e15 < value < 1e15 and value == int(value):
        whole = int(value)
        return str(whole), whole
    return f"{value:.12g}", value


def seen(value: Any) -> Seen:
    """What a person sees, the value and its kind."""
    if value is None:
        return "", None, "empty"
    if isinstance(value, str):
        value = value.replace("\x00", "")
        text = value.strip()
        if not text:
            return "", None, "empty"
        return text, value, "error" if text[0] == "#" and _ERRORS.fullmatch(text) else "text"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), value, "bool"
    if isinstance(value, (int, float)):
        if value != value or value in (float("inf"), float("-inf")):
            return "#NUM!", "#NUM!", "error"
        return *_number(value), "number"
    if isinstance(value, datetime):
        told = value.date().isoformat() if value.time() == time() else value.isoformat()
        return told, told, "date"
    if isinstance(value, (date, time)):
        return value.isoformat(), value.isoformat(), "date"
    if isinstance(value, timedelta):
        return str(value), value.total_seconds(), "number"
    return str(value), str(value), "text"


def metadata_of(sheets: list[str], hidden: list[str], shown: Mapping[str, Any]) -> dict[str, Any]:
    """The names that answers over tables know; `shown` is by sheet."""
    metadata: dict[str, Any] = {"sheets": sheets}
    if hidden:
        metadata["hidden_sheets"] = hidden
    for key, told in (
        ("hidden_rows", {name: one.rows for name, one in shown.items() if one.rows}),
        ("hidden_columns", {name: one.columns for name, one in shown.items() if one.columns}),
        ("cell_units", {name: one.units for name, one in shown.items() if one.units}),
    ):
        if told:
            metadata[key] = told
    return metadata
