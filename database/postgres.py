"""PostgreSQL: each transaction takes its tenant's role before anything else, and the server's clock
is the only one that counts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from core import telemetry
from core.clock import Clock, SystemClock
from core.context import Ctx
from database.prepared import Params, Prepared
from database.tx import translated
from database.wire import Later, Wire

_writing = telemetry.database_seconds.labels("write")
_reading = telemetry.database_seconds.labels("read")
# A full pool (TimeoutError) counts too.
_DOWN = (OperationalError, InterfaceError, TimeoutError, psycopg.OperationalError)

TENANT_ROLE, PLATFORM_ROLE = "weft_tenant", "weft_platform"
# Every wait has an end: the server's come first, the client's when the server itself is silent.
STATEMENT_SECONDS, LOCK_SECONDS, IDLE_SECONDS, CONNECT_SECONDS = 15, 10, 60, 5
_CLIENT_SECONDS = STATEMENT_SECONDS + 5.0
# A connection that rested longer is tried before it is trusted.
_TRUSTED_SECONDS = 1.0

_ROLE = "set_config('role', $1, true), set_config('app.tenant', $2, true)"
_NOW = "(extract(epoch from clock_timestamp()) * 1000)::bigint"
_START = f"SELECT {_NOW}, {_ROLE}".encode()
_START_LAZY = f"SELECT {_NOW}, {_ROLE}, set_config('synchronous_commit', 'off', true)".encode()
_BECOME = f"SELECT {_ROLE}".encode()


class _Patient(psycopg.Connection[Any]):
    """psycopg waits without end for a server that is paused; this one does not."""

    wire: Wire

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, _CLIENT_SECONDS if timeout is None else timeout)


def open_engine(url: URL, connections: int) -> Engine:
    """The pool. No ping before each use: `_begin` tries a connection that has rested."""
    given: dict[str, Any] = {**url.query}
    given |= {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    given["password"] = None if url.password is None else str(url.password)
    options = (
        f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s -c search_path=public"
    )

    def connect() -> psycopg.Connection[Any]:
        made = _Patient.connect(
            **{"connect_timeout": CONNECT_SECONDS, "options": options, "keepalives_idle": 10,
               "keepalives_interval": 5, "keepalives_count": 3, "application_name": "weft",
               **{key: value for key, value in given.items() if value is not None}},
            autocommit=True,  # `_begin` says BEGIN itself
        )  # fmt: skip
        made.wire = Wire(made, _CLIENT_SECONDS)
        return made

    return create_engine(
        url, creator=connect, use_native_hstore=False, pool_use_lifo=True,
        pool_size=min(8, connections), max_overflow=max(0, connections - 8),
        pool_timeout=CONNECT_SECONDS,
    )  # fmt: skip


@dataclass(slots=True)
class PostgresTx:
    """An open transaction. `now_ms` is the server's clock at its start."""

    connection: Connection
    wire: Wire
    role: str
    tenant: str
    start: Later
    given_ms: int | None  # by a test's clock
    last: list[tuple[Prepared, Mapping[str, Any]]]

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def now_ms(self) -> int:
        if self.given_ms is None:
            first = self.start.first()
            assert first is not None
            self.given_ms = int(first[0])
        return self.given_ms

    def execute(self, statement: Any, params: Params | None = None) -> Any:
        if isinstance(statement, Prepared):
            return statement.on_wire(self.wire, self.role, params)
        self.wire.leave()
        return self.connection.execute(statement, params)

    def become(self, ctx: Ctx) -> None:
        if ctx.tenant == self.tenant:
            return
        self.role, self.tenant = _role(ctx), ctx.tenant
        self.wire.send("", _BECOME, (self.role, ctx.tenant))

    def insist(self, statement: Prepared, params: Mapping[str, Any], otherwise: Exception) -> None:
        statement.insisting.on_wire(self.wire, self.role, params).otherwise = otherwise

    def at_last(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        self.last.append((statement, params))


class Postgres:
    """Begins and ends transactions; a statement travels with the next question."""

    def __init__(self, url: URL, clock: Clock, connections: int) -> None:
        # A clock given by a test rules there too; the machine's own never does.
        self._clock = None if isinstance(clock, SystemClock) else clock
        self.engine = open_engine(url, connections)

    def transaction(self, ctx: Ctx, *, durable: bool = True) -> AbstractContextManager[PostgresTx]:
        return self._within(ctx, b"BEGIN", _START if durable else _START_LAZY, _writing)

    def read(self, ctx: Ctx) -> AbstractContextManager[PostgresTx]:
        begin = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        return self._within(ctx, begin, _START, _reading)

    def glance(self, ctx: Ctx, query: Prepared, params: Mapping[str, Any]) -> Any:
        """Everything from BEGIN to COMMIT in one round trip."""
        with self.read(ctx) as tx:
            answer = tx.execute(query, params)
        return answer.first()

    @contextlib.contextmanager
    def _within(self, ctx: Ctx, begin: bytes, start: bytes, seconds: Any) -> Iterator[PostgresTx]:
        began = time.perf_counter()
        with translated(*_DOWN):
            connection, tx = self._begin(ctx, begin, start)
            with connection:
                try:
                    yield tx
                    for statement, params in tx.last:
                        tx.execute(statement, params)
                    tx.wire.send("", b"COMMIT", ())
                    tx.wire.leave()
                except BaseException:
                    self._undo(connection, tx.wire)
                    raise
        seconds.observe(time.perf_counter() - began)

    def _begin(self, ctx: Ctx, begin: bytes, start: bytes) -> tuple[Connection, PostgresTx]:
        """A connection that the server has closed meanwhile is replaced, once."""
        for attempt in (1, 2):
            connection = self.engine.connect()
            wire = wire_of(connection)
            try:
                rested = time.monotonic() - wire.used > _TRUSTED_SECONDS
                wire.send("", begin, ())
                role = _role(ctx)
                answer = wire.send("", start, (role, ctx.tenant))
                if rested:
                    wire.settle()
            except BaseException as error:
                self._undo(connection, wire)
                connection.close()
                if attempt == 2 or not isinstance(error, psycopg.OperationalError):
                    raise
                self.engine.dispose()
            else:
                given = None if self._clock is None else self._clock.now_ms()
                return connection, PostgresTx(connection, wire, role, ctx.tenant, answer, given, [])
        raise AssertionError("unreachable")

    def _undo(self, connection: Connection, wire: Wire) -> None:
        wire.abandon()
        try:
            if not wire.broken:
                wire.send("", b"ROLLBACK", ())
                wire.leave()
        except psycopg.Error:
            wire.close()
        if wire.broken:
            with contextlib.suppress(InterfaceError):
                connection.invalidate()


def wire_of(connection: Connection) -> Wire:
    driver = connection.connection.driver_connection
    assert isinstance(driver, _Patient)
    return driver.wire


def _role(ctx: Ctx) -> str:
    return TENANT_ROLE if ctx.tenant else PLATFORM_ROLE
