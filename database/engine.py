"""One door to the database: `transaction()` to write, `read()` to look."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from sqlalchemy import URL, Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from core import telemetry
from core.clock import Clock
from core.context import Ctx
from core.errors import Unavailable
from database.prepared import Answer, Prepared
from database.wal import Log

_writing = telemetry.database_seconds.labels("write")
_reading = telemetry.database_seconds.labels("read")
Params = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tx:
    """An open transaction. `now_ms` is the database's clock at its start."""

    connection: Connection
    now_ms: int
    driver: sqlite3.Connection | None  # on SQLite

    @overload
    def execute(self, statement: Prepared, params: Params | None = None) -> Answer: ...
    @overload
    def execute(
        self, statement: Executable, params: Params | None = None
    ) -> CursorResult[*tuple[Any, ...]]: ...
    def execute(self, statement: Executable | Prepared, params: Params | None = None) -> Any:
        if not isinstance(statement, Prepared):
            return self.connection.execute(statement, params)
        if self.driver is None:
            return self.connection.execute(statement.statement, params)
        return statement.on(self.driver, params)

    def become(self, ctx: Ctx) -> None:
        """The rest of the transaction is `ctx`'s: for what begins before its tenant is known."""


class Database:
    """SQLite (WAL) or PostgreSQL, by the URL alone.

    On SQLite writers queue on a lock of this process before they queue on the file, because
    SQLite's own waiting sleeps in growing steps and costs the tail.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._url = make_url(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._writer = threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        self.log = Log(Path(self._url.database or "")) if self.is_sqlite else None
        self.engine = _open(self._url)

    @contextlib.contextmanager
    def transaction(self, ctx: Ctx, *, durable: bool = True) -> Iterator[Tx]:
        """As `ctx`; commits on exit, rolls back on an exception.

        `durable=False`: the commit survives the death of every process but not a power cut; for
        progress that would only be done again. Any later durable commit also saves it.
        """
        began = time.perf_counter()
        with self._writer, _translated(), self.engine.connect() as connection:
            try:
                yield self._begun(connection, "BEGIN IMMEDIATE")
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        if durable and self.log is not None:
            self.log.sync()
        _writing.observe(time.perf_counter() - began)

    @contextlib.contextmanager
    def read(self, ctx: Ctx) -> Iterator[Tx]:
        """A consistent look as `ctx`; nothing is written."""
        began = time.perf_counter()
        with _translated(), self.engine.connect() as connection:
            try:
                yield self._begun(connection, "BEGIN")
            finally:
                connection.rollback()
        _reading.observe(time.perf_counter() - began)

    def _begun(self, connection: Connection, begin: str) -> Tx:
        if not self.is_sqlite:
            return Tx(connection, self._clock.now_ms(), None)
        connection.begin()
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute(begin)
        return Tx(connection, self._clock.now_ms(), driver)

    def glance(self, sql: str, params: Mapping[str, Any]) -> Any:
        """One row of one SELECT by the driver itself, or None: no transaction, no compiling (half
        of what `read()` costs). `sql` names its parameters `:name`; SQLite only."""
        with _translated():
            connection = self.engine.raw_connection()
            try:
                return connection.cursor().execute(sql, params).fetchone()
            finally:
                connection.close()

    def pool(self) -> dict[str, int]:
        """Connections of this process by state, for the metrics."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return {}
        return {"idle": pool.checkedin(), "busy": pool.checkedout()}

    def close(self) -> None:
        self.engine.dispose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        telemetry.database_errors.inc()
        raise Unavailable(
            f"The database does not answer: {getattr(error, 'orig', error)}",
            code="database_unavailable",
            retry_after=1,
        ) from error


def _open(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    # The connection used last knows the pages that the next one wants.
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": 30.0}, pool_size=8,
        max_overflow=64, pool_use_lifo=True,
    )  # fmt: skip
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin by itself: `transaction` says BEGIN IMMEDIATE.
    connection.isolation_level = None
    # NORMAL: `Log` makes durable what must be. Pages of the log are gathered for longer than
    # SQLite's own 1000, because each time they are carried over costs three syncs.
    for pragma in (
        "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=4000", "foreign_keys=ON",
        "cache_size=-4000", "temp_store=MEMORY",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")
