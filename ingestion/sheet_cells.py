"""Values of a sheet as cells, a column at a time: most columns hold one type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any, TypeVar

from core.documents import Cell
from core.grid import KINDS, Column, Grid

Mark = TypeVar("Mark")
Value = str | int | float | bool | None
Seen = tuple[str, Value, str]  # what a person sees, the value, its kind

_ERRORS = re.compile(r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|GETTING_DATA|SPILL!|CALC!)")
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_HEAD = 4  # rows in which names and units of columns stand
_LETTERS = {kind: letter for letter, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class SheetMarks:
    """What stands beside values, by address."""

    formulas: dict[str, str] = field(default_factory=dict)  # "=SUM(A1:A3)"
    merged: dict[str, tuple[int, int]] = field(default_factory=dict)  # top left → (rows, columns)


def grid_of(values: Sequence[Sequence[Any]], row0: int, col0: int, marks: SheetMarks) -> Grid[Cell]:
    """Rows of one width; what stands beside cells that are not among them is left out."""
    columns = list(map(_column, zip(*values, strict=True)))

    def placed(told: Mapping[str, Mark]) -> dict[tuple[int, int], Mark]:
        found = {}
        for place, mark in told.items():
            at = _PLACE.fullmatch(place)
            row, col = (int(at[2]) - 1 - row0, column_number(at[1]) - col0) if at else (-1, -1)
            if 0 <= row < len(values) and 0 <= col < len(columns):
                found[row, col] = mark
        return found

    return Grid(row0, col0, columns, Cell, placed(marks.formulas), placed(marks.merged))


def column_number(name: str) -> int:
    """A is 0."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _column(values: Sequence[Any]) -> Column:
    """The names above a column are looked at apart from what stands below."""
    alike = _alike(values)
    if alike is not None:
        return alike
    below = _alike(values[_HEAD:]) if len(values) > 2 * _HEAD else None
    found = [seen(value) for value in (values[:_HEAD] if below else values)]
    texts, kept, kinds = (list(one) for one in zip(*found, strict=True))
    letters = "".join(_LETTERS[kind] for kind in kinds)
    if below is None:
        return Column(texts, letters, kept)
    after = below.texts if below.values is None else below.values
    return Column([*texts, *below.texts], letters + below.kinds, [*kept, *after])


def _alike(values: Sequence[Any]) -> Column | None:
    """The same for values of one type; None where there are several."""
    types = set(map(type, values))
    if types == {str}:
        texts = list(map(str.strip, values))
        joined = "".join(texts)
        if "#" not in joined and "\x00" not in joined and all(texts):
            kept = None if tuple(texts) == tuple(values) else list(values)
            return Column(texts, "t" * len(texts), kept)
    elif types in ({float}, {int}) and isfinite(sum(values)):
        numbers = list(map(_number, values))
        texts, kept = [text for text, _ in numbers], [value for _, value in numbers]
        return Column(texts, "n" * len(texts), kept)
    elif types == {date}:
        texts = list(map(date.isoformat, values))
        return Column(texts, "d" * len(texts))
    elif types == {bool}:
        texts = ["TRUE" if value else "FALSE" for value in values]
        return Column(texts, "b" * len(texts), list(values))
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
