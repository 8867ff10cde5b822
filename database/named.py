"""What a tenant sets up under a name, and what may be due: integrations and triggers alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.context import Ctx
from core.errors import Conflict, NotFound
from database.engine import Tx
from database.pages import Page, page
from database.tables import tenants

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Due:
    """Of any tenant: what `take_due` is asked with."""

    tenant: str
    id: str
    due_ms: int


class Named(Generic[T]):
    """The rows of a table with `name`, `enabled`, `due_ms` and who made them when, each a `row`;
    `what` is their word in messages."""

    def __init__(self, table: Table, row: type[T], what: str, **first: Any) -> None:
        self._table, self._row, self._what, self._first = table, row, what, first
        self._columns = [table.c[one.name] for one in fields(row)]  # type: ignore[arg-type]

    def create(self, tx: Tx, ctx: Ctx, row_id: str, values: Mapping[str, Any]) -> T:
        """Raises `Conflict` for a name that is taken."""
        row = {
            **self._first, "tenant_id": ctx.tenant, "id": row_id, "created_by": ctx.actor,
            "created_ms": tx.now_ms, "updated_ms": tx.now_ms, **values,
        }  # fmt: skip
        try:
            tx.execute(insert(self._table), row)
        except IntegrityError as error:
            raise self._taken(values["name"]) from error
        return self.get(tx, ctx, row_id)

    def get(self, tx: Tx, ctx: Ctx, row_id: str) -> T:
        row = tx.execute(select(*self._columns).where(self.own(ctx, row_id))).first()
        if row is None:
            raise self._missing()
        return self._row(*row)

    def by_name(self, tx: Tx, ctx: Ctx, name: str) -> T | None:
        c = self._table.c
        query = select(*self._columns).where(c.tenant_id == ctx.tenant, c.name == name)
        row = tx.execute(query).first()
        return None if row is None else self._row(*row)

    def change(self, tx: Tx, ctx: Ctx, row_id: str, **values: Any) -> None:
        """Raises `NotFound`, or `Conflict` for a name that is taken."""
        found = update(self._table).where(self.own(ctx, row_id))
        try:
            done = tx.execute(found.values(**values, updated_ms=tx.now_ms))
        except IntegrityError as error:
            raise self._taken(values.get("name")) from error
        if done.rowcount != 1:
            raise self._missing()

    def remove(self, tx: Tx, ctx: Ctx, row_id: str) -> None:
        """What came of it stays."""
        if tx.execute(delete(self._table).where(self.own(ctx, row_id))).rowcount != 1:
            raise self._missing()

    def listing(self, tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[T]:
        c = self._table.c
        query = select(*self._columns).where(c.tenant_id == ctx.tenant)
        keys = (c.created_ms, c.id)
        return page(tx, query, keys, lambda row: self._row(*row), limit=limit, cursor=cursor)

    def due(self, tx: Tx, limit: int) -> list[Due]:
        """Over all active tenants, the longest due first."""
        c = self._table.c
        active = select(tenants.c.id).where(tenants.c.status == "active")
        query = (
            select(c.tenant_id, c.id, c.due_ms)
            .where(c.due_ms <= tx.now_ms, c.enabled, c.tenant_id.in_(active))
            .order_by(c.due_ms)
            .limit(limit)
        )
        return [Due(*row) for row in tx.execute(query)]

    def take_due(self, tx: Tx, ctx: Ctx, one: Due, next_ms: int | None) -> bool:
        """Whether this caller is the one who starts it."""
        c = self._table.c
        found = update(self._table).where(self.own(ctx, one.id), c.due_ms == one.due_ms, c.enabled)
        return tx.execute(found.values(due_ms=next_ms)).rowcount == 1

    def own(self, ctx: Ctx, row_id: str) -> ColumnElement[bool]:
        return and_(self._table.c.tenant_id == ctx.tenant, self._table.c.id == row_id)

    def _missing(self) -> NotFound:
        return NotFound(f"There is no such {self._what}.")

    def _taken(self, name: Any) -> Conflict:
        return Conflict(f"Another {self._what} is called {name!r}.", code="name_taken")
