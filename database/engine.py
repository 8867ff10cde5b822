"""One door to the database: `transaction()` to write, `read()` to look."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from core.clock import Clock
from core.context import Ctx
from database.prepared import Prepared
from database.sqlite import Sqlite
from database.tx import Store, Tx
from database.wal import Log

__all__ = ["Database", "Tx"]

CONNECTIONS = 20  # of one process to PostgreSQL


class Database:
    """SQLite (WAL) or PostgreSQL, by the URL alone. Who asks is the first argument of everything:
    PostgreSQL shows that tenant's rows and no others."""

    def __init__(self, url: str, clock: Clock, connections: int = CONNECTIONS) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._store: Store
        if self.is_sqlite:
            self._store = Sqlite(parsed, clock)
        else:
            from database.postgres import Postgres

            self._store = Postgres(parsed, clock, connections)

    @property
    def engine(self) -> Engine:
        return self._store.engine

    @property
    def log(self) -> Log | None:
        """SQLite's write-ahead log."""
        return self._store.log if isinstance(self._store, Sqlite) else None

    @log.setter
    def log(self, log: Log) -> None:
        assert isinstance(self._store, Sqlite)
        self._store.log = log

    def transaction(self, ctx: Ctx, *, durable: bool = True) -> AbstractContextManager[Tx]:
        """As `ctx`; commits on exit, rolls back on an exception.

        `durable=False`: the commit survives the death of every process but not a power cut; for
        progress that would only be done again. Any later durable commit also saves it.
        """
        return self._store.transaction(ctx, durable=durable)

    def read(self, ctx: Ctx) -> AbstractContextManager[Tx]:
        """A consistent look as `ctx`; nothing is written."""
        return self._store.read(ctx)

    def glance(self, ctx: Ctx, query: Prepared, params: Mapping[str, Any]) -> Any:
        """One row of one SELECT, or None: the cheapest look there is."""
        return self._store.glance(ctx, query, params)

    def pool(self) -> dict[str, int]:
        """Connections of this process by state, for the metrics."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return {}
        return {"idle": pool.checkedin(), "busy": pool.checkedout()}

    def close(self) -> None:
        self.engine.dispose()
