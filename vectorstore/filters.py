"""`{"field": value | {"in": […]} | {"gte": …, "lte": …}}` to the documents of a segment it admits.

A field is looked up in sorted columns, made once per segment, so a filter costs what it selects.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from vectorstore.values import About

Mask = npt.NDArray[np.bool_]
_DAY_MS = 86_400_000
_BOUNDS = {"gte", "lte", "gt", "lt"}
_VALUES_MAX = 1000  # of one `in`
_SHOWN_MAX = 30
_KINDS: Mapping[type, str] = {str: "text", float: "numbers", bool: "true and false"}
_OWN = frozenset({"document_id", "document_type", "filename", "tags", "created_at"})


class Columns:
    """The documents of one segment by field and value. A list admits by any of its elements."""

    def __init__(self, documents: Sequence[About]) -> None:
        self._documents = documents
        self._columns: dict[str, dict[type, tuple[list[Any], list[int]]]] = {}

    @cached_property
    def metadata(self) -> frozenset[str]:
        """Names of the fields that any of the documents has besides our own."""
        return frozenset(name for about in self._documents for name in about.metadata)

    def admits(self, filters: Mapping[str, Any]) -> Mask:
        """One flag per document."""
        mask = np.ones(len(self._documents), np.bool_)
        for field, wanted in filters.items():
            mask &= self._field(field, wanted)
        return mask

    def _field(self, field: str, wanted: Any) -> Mask:
        mask = np.zeros(len(self._documents), np.bool_)
        for low, high, closed_low, closed_high in _ranges(field, wanted):
            values, ordinals = self._column(field).get(_family(low, high), ([], []))
            start = 0 if low is None else (bisect_left if closed_low else bisect_right)(values, low)
            end = len(values)
            if high is not None:
                end = (bisect_right if closed_high else bisect_left)(values, high)
            mask[ordinals[start:end]] = True
        return mask

    def families(self, field: str) -> frozenset[type]:
        """The kinds of values that the field has."""
        return frozenset(self._column(field))

    def _column(self, field: str) -> dict[type, tuple[list[Any], list[int]]]:
        if field not in self._columns:
            families: dict[type, list[tuple[Any, int]]] = {}
            for ordinal, about in enumerate(self._documents):
                for value in _values(about, field):
                    families.setdefault(_family(value), []).append((value, ordinal))
            self._columns[field] = {
                family: ([v for v, _ in sorted(pairs)], [o for _, o in sorted(pairs)])
                for family, pairs in families.items()
            }
        return self._columns[field]


def check(filters: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` that names the field."""
    for field, wanted in filters.items():
        _ranges(field, wanted)


def known(filters: Mapping[str, Any], columns: Sequence[Columns]) -> None:
    """Raises `InvalidInput` for a field that no document has: nothing could match, and whoever
    mistyped it would take that for an answer."""
    for field in filters:
        name = field.removeprefix("metadata.")
        if field not in _OWN and not any(name in one.metadata for one in columns):
            names = sorted(_OWN.union(*(one.metadata for one in columns)))
            raise InvalidInput(
                f"No document has a field {name!r} to filter by. There are: "
                f"{', '.join(names[:_SHOWN_MAX])}.",
                code="unknown_field", field=field,
            )  # fmt: skip
        _comparable(field, filters[field], columns)


def _comparable(field: str, wanted: Any, columns: Sequence[Columns]) -> None:
    held = frozenset[type]().union(*(one.families(field) for one in columns))
    asked = {_family(low, high) for low, high, _, _ in _ranges(field, wanted)}
    if held and asked and not held & asked:
        raise InvalidInput(
            f"Field {field.removeprefix('metadata.')!r} holds {_told(held)}, and the filter "
            f"compares with {_told(asked)}.",
            field=field,
        )


def _told(families: Iterable[type]) -> str:
    return " and ".join(sorted(_KINDS[one] for one in families))


def _ranges(field: str, wanted: Any) -> list[tuple[Any, Any, bool, bool]]:
    if not isinstance(wanted, Mapping):
        return [(_plain(field, wanted), _plain(field, wanted, last=True), True, True)]
    if set(wanted) == {"in"} and isinstance(wanted["in"], list | tuple):
        if len(wanted["in"]) > _VALUES_MAX:
            raise InvalidInput(
                f"Filter {field!r} may name {_VALUES_MAX} values, not {len(wanted['in'])}.",
                field=field,
            )
        return [
            (_plain(field, value), _plain(field, value, last=True), True, True)
            for value in wanted["in"]
        ]
    if wanted and set(wanted) <= _BOUNDS:
        bounds = {
            name: _plain(field, value, last=name in ("lte", "gt")) for name, value in wanted.items()
        }
        low, high = bounds.get("gte", bounds.get("gt")), bounds.get("lte", bounds.get("lt"))
        if low is not None and high is not None and _family(low) is not _family(high):
            raise InvalidInput(f"The bounds of filter {field!r} are of two kinds.", field=field)
        return [(low, high, "gte" in bounds, "lte" in bounds)]
    raise InvalidInput(
        f'Filter {field!r} must be a value, {{"in": [values]}} or {{"gte": value, "lte": value}}.',
        field=field,
    )


def _plain(field: str, value: Any, *, last: bool = False) -> str | int | float | bool:
    """`last`: a day without a time stands for its last millisecond."""
    if field == "created_at" and isinstance(value, str):
        whole_day = last and len(value.strip()) <= len("2026-11-21")
        return _milliseconds(value.strip()) + (_DAY_MS - 1 if whole_day else 0)
    if isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise InvalidInput(f"Filter {field!r} must compare with text, numbers or bool.", field=field)


def _milliseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not a date such as 2026-11-21 or 2026-11-21T08:00:00Z.",
            field="created_at",
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _family(*values: Any) -> type:
    """Numbers compare with numbers, text with text."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else str


def _values(about: About, field: str) -> Iterable[Any]:
    own: dict[str, Any] = {
        "document_id": about.document_id, "document_type": about.document_type,
        "filename": about.filename, "tags": about.tags, "created_at": about.created_ms,
    }  # fmt: skip
    name = field.removeprefix("metadata.")
    value = own[field] if field in own else about.metadata.get(name)
    many = value if isinstance(value, list | tuple) else (value,)
    return (one for one in many if isinstance(one, str | int | float))
