"""Lists: `?limit=&cursor=` in, `{items, next_cursor}` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Query
from pydantic import BaseModel

from database.pages import LIMIT_MAX, Page
from gateway.schemas.base import Listing

S = TypeVar("S")
A = TypeVar("A", bound=BaseModel)

Limit: TypeAlias = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor: TypeAlias = Annotated[str | None, Query(max_length=1024, min_length=1)]


def sliced(items: Sequence[S], name: Callable[[S], str], limit: int, cursor: str | None) -> Page[S]:
    """A page of a list that is short enough to be held whole. The cursor is the last name shown."""
    rest = sorted((one for one in items if cursor is None or name(one) > cursor), key=name)
    shown = tuple(rest[:limit])
    return Page(shown, name(shown[-1]) if len(rest) > limit else None)


def listed(page: Page[S], show: Callable[[S], A]) -> Listing[A]:
    return Listing(items=[show(item) for item in page.items], next_cursor=page.next_cursor)
