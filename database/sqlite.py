"""SQLite in WAL mode: one file, one writer at a time."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from core import telemetry
from core.clock import Clock
from core.context import Ctx
from database.prepared import Params, Prepared
from database.tx import translated
from database.wal import Log
from database.writers import Writers

_writing = telemetry.database_seconds.labels("write")
_reading = telemetry.database_seconds.labels("read")
_DOWN = (OperationalError, sqlite3.OperationalError)


@dataclass(frozen=True, slots=True)
class SqliteTx:
    """There are no roles here: whose a row is is up to the queries alone."""

    connection: Connection
    now_ms: int
    driver: sqlite3.Connection
    dialect: str = "sqlite"

    def execute(self, statement: Any, params: Params | None = None) -> Any:
        if isinstance(statement, Prepared):
            return statement.on(self.driver, params)
        return self.connection.execute(statement, params)

    def become(self, ctx: Ctx) -> None: ...

    def insist(self, statement: Prepared, params: Mapping[str, Any], otherwise: Exception) -> None:
        done = statement.on(self.driver, params)
        if done.rowcount < 1 and done.first() is None:
            raise otherwise

    def ahead(self, statement: Prepared, params: Mapping[str, Any]) -> None: ...

    def at_last(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        statement.on(self.driver, params)


class Sqlite:
    """Writers queue on a lock of this process before they queue on the file, because SQLite's own
    waiting sleeps in growing steps and costs the tail."""

    def __init__(self, url: URL, clock: Clock) -> None:
        self._clock = clock
        self._writers = Writers()
        self.log = Log(Path(url.database or ""))
        self.engine = _open(url)

    @contextlib.contextmanager
    def transaction(self, ctx: Ctx, *, durable: bool = True) -> Iterator[SqliteTx]:
        began = time.perf_counter()
        with (
            self._writers.turn(ctx.tenant),
            translated(*_DOWN),
            self.engine.connect() as connection,
        ):
            try:
                yield self._begun(connection, "BEGIN IMMEDIATE")
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        if durable:
            self.log.sync()
        _writing.observe(time.perf_counter() - began)

    @contextlib.contextmanager
    def read(self, ctx: Ctx) -> Iterator[SqliteTx]:
        began = time.perf_counter()
        with translated(*_DOWN), self.engine.connect() as connection:
            try:
                yield self._begun(connection, "BEGIN")
            finally:
                connection.rollback()
        _reading.observe(time.perf_counter() - began)

    def glance(self, ctx: Ctx, query: Prepared, params: Mapping[str, Any]) -> Any:
        """By the driver itself, without a transaction: half of what `read()` costs."""
        with translated(*_DOWN):
            connection = self.engine.raw_connection()
            try:
                driver = connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                return query.on(driver, params).first()
            finally:
                connection.close()

    def _begun(self, connection: Connection, begin: str) -> SqliteTx:
        connection.begin()
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute(begin)
        return SqliteTx(connection, self._clock.now_ms(), driver)


def _open(url: URL) -> Engine:
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
