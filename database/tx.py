"""An open transaction, whatever the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, overload

from sqlalchemy import CursorResult, Engine, Executable

from core import telemetry
from core.context import Ctx
from core.errors import Outage, Unavailable
from database.prepared import Answer, Params, Prepared

_TOO_SLOW = "57014"  # PostgreSQL: query_canceled, by statement_timeout


class Tx(Protocol):
    """`now_ms` is the database's clock at its start."""

    @property
    def now_ms(self) -> int: ...
    @property
    def dialect(self) -> str: ...
    @overload
    def execute(self, statement: Prepared, params: Params | None = None) -> Answer: ...
    @overload
    def execute(
        self, statement: Executable, params: Params | None = None
    ) -> CursorResult[*tuple[Any, ...]]: ...
    def become(self, ctx: Ctx) -> None:
        """The rest of the transaction is `ctx`'s: for what begins before its tenant is known."""
        ...

    def insist(self, statement: Prepared, params: Mapping[str, Any], otherwise: Exception) -> None:
        """Raises `otherwise`, at the latest instead of the commit, when there is no such row."""
        ...

    def ahead(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        """This will be asked soon and nothing written before: it may travel with the next one."""
        ...

    def at_last(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        """Just before the commit: what others would have to wait for is locked last."""
        ...


class Store(Protocol):
    """SQLite's or PostgreSQL's side of `Database`, which says what each does."""

    @property
    def engine(self) -> Engine: ...
    def transaction(self, ctx: Ctx, *, durable: bool = True) -> AbstractContextManager[Tx]: ...
    def read(self, ctx: Ctx) -> AbstractContextManager[Tx]: ...
    def glance(self, ctx: Ctx, query: Prepared, params: Mapping[str, Any]) -> Any: ...


@contextmanager
def translated(*errors: type[Exception]) -> Iterator[None]:
    """The driver's words for "it does not answer" become `Outage`."""
    try:
        yield
    except errors as error:
        telemetry.database_errors.inc()
        cause = getattr(error, "orig", error)
        kind = Unavailable if _asked_wrongly(cause) else Outage
        raise kind(
            f"The database does not answer: {cause}", code="database_unavailable", retry_after=1
        ) from error


def _asked_wrongly(error: object) -> bool:
    """The database is there; this statement is what it does not like. Waiting would not end."""
    if getattr(error, "sqlstate", None) == _TOO_SLOW:
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_ERROR
