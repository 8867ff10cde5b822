"""Lists: `?limit=&cursor=` in, `{items, next_cursor}` out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Query
from pydantic import BaseModel

from database.pages import LIMIT_MAX, Page
from gateway.schemas.base import Listing

S = TypeVar("S")
A = TypeVar("A", bound=BaseModel)

Limit: TypeAlias = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor: TypeAlias = Annotated[str | None, Query(max_length=1024, min_length=1)]


def listed(page: Page[S], show: Callable[[S], A]) -> Listing[A]:
    return Listing(items=[show(item) for item in page.items], next_cursor=page.next_cursor)
