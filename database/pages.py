"""Lists in pages: newest first, with an opaque cursor that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

from core.errors import InvalidInput
from database.engine import Tx

T = TypeVar("T")
LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next_cursor: str | None


def page(
    tx: Tx,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    make: Callable[[Any], T],
    *,
    limit: int,
    cursor: str | None,
) -> Page[T]:
    """Runs `query` in descending order of `keys` (columns that `query` selects), after `cursor`."""
    limit = max(1, min(limit, LIMIT_MAX))
    if cursor:
        query = query.where(tuple_(*keys) < tuple_(*_decode(cursor, len(keys))))
    query = query.order_by(*(key.desc() for key in keys)).limit(limit + 1)
    rows = tx.execute(query).fetchall()
    more = len(rows) > limit
    last = rows[limit - 1]._mapping if more else None
    following = _encode([last[key] for key in keys]) if last is not None else None
    return Page(tuple(make(row) for row in rows[:limit]), following)


def _encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str, count: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("This cursor is not one that we gave out.", code="bad_cursor") from error
    fits = isinstance(values, list) and len(values) == count
    if not fits or not all(isinstance(value, str | int) for value in values):
        raise InvalidInput("This cursor is not one that we gave out.", code="bad_cursor")
    return list(values)
