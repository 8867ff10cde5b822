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
from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from core import telemetry
from core.clock import Clock, SystemClock
from core.context import Ctx
from database.prepared import Params, Prepared
from database.server_clock import ServerClock
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
    """The pool. No ping before each use: `_begin` tries a connection that has rested. No reset
    after it: every transaction ends with COMMIT or ROLLBACK."""
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
        pool_timeout=CONNECT_SECONDS, pool_reset_on_return=None,
    )  # fmt: skip


@dataclass(slots=True)
class PostgresTx:
    """An open transaction. `now_ms` is the server's clock at its start, or, for a tenant, what is
    known of it without a question; the platform's own look, which compares, always asks."""

    engine: Engine
    pooled: PoolProxiedConnection
    wire: Wire
    role: str
    tenant: str
    start: Later
    clock: ServerClock
    begun: float
    given_ms: int | None  # by a test's clock
    last: list[tuple[Prepared, Mapping[str, Any]]]
    coming: list[tuple[Prepared, Mapping[str, Any], Later]]
    made: Connection | None = None

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's side of it; made only for whom a `Prepared` is too little."""
        if self.made is None:
            self.made = Connection(self.engine, self.pooled)
        return self.made

    def close(self) -> None:
        """Back into the pool, or out of it when it broke."""
        if self.wire.broken:
            self.pooled.invalidate()
        elif self.made is not None:
            self.made.close()
        else:
            self.pooled.close()

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def now_ms(self) -> int:
        if self.given_ms is None and self.tenant and not self.start.arrived:
            self.given_ms = self.clock.at_least_ms()
        if self.given_ms is None:
            self.given_ms = self.heard()
        return self.given_ms

    def heard(self) -> int:
        """The server's own word."""
        first = self.start.first()
        assert first is not None
        at_ms = int(first[0])
        self.clock.heard(at_ms, self.begun, self.wire.used)
        return at_ms

    def execute(self, statement: Any, params: Params | None = None) -> Any:
        if isinstance(statement, Prepared):
            for one in self.coming:
                if one[0] is statement and one[1] == params:
                    self.coming.remove(one)
                    return one[2]
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

    def ahead(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        answer = statement.on_wire(self.wire, self.role, params)
        self.coming.append((statement, params, answer))

    def at_last(self, statement: Prepared, params: Mapping[str, Any]) -> None:
        self.last.append((statement, params))


class Postgres:
    """Begins and ends transactions; a statement travels with the next question."""

    def __init__(self, url: URL, clock: Clock, connections: int) -> None:
        # A clock given by a test rules there too; the machine's own never does.
        self._clock = None if isinstance(clock, SystemClock) else clock
        self._server_clock = ServerClock()
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
            tx = self._begin(ctx, begin, start)
            try:
                yield tx
                for statement, params in tx.last:
                    tx.execute(statement, params)
                tx.wire.send("", b"COMMIT", ())
                tx.wire.leave()
                tx.heard()
            except BaseException:
                _undo(tx.wire)
                raise
            finally:
                tx.close()
        seconds.observe(time.perf_counter() - began)

    def _begin(self, ctx: Ctx, begin: bytes, start: bytes) -> PostgresTx:
        """A connection that the server has closed meanwhile is replaced, once."""
        for attempt in (1, 2):
            pooled = self.engine.raw_connection()
            wire = _wire_of(pooled)
            begun = time.monotonic()
            role = _role(ctx)
            try:
                wire.send("", begin, ())
                answer = wire.send("", start, (role, ctx.tenant))
                if begun - wire.used > _TRUSTED_SECONDS:
                    wire.settle()
            except BaseException as error:
                _undo(wire)
                pooled.invalidate() if wire.broken else pooled.close()
                if attempt == 2 or not isinstance(error, psycopg.OperationalError):
                    raise
                self.engine.dispose()
            else:
                given = None if self._clock is None else self._clock.now_ms()
                return PostgresTx(
                    self.engine, pooled, wire, role, ctx.tenant, answer, self._server_clock, begun,
                    given, [], [],
                )  # fmt: skip
        raise AssertionError("unreachable")


def _undo(wire: Wire) -> None:
    wire.abandon()
    try:
        if not wire.broken:
            wire.send("", b"ROLLBACK", ())
            wire.leave()
    except psycopg.Error:
        wire.close()


def _wire_of(pooled: PoolProxiedConnection) -> Wire:
    driver = pooled.driver_connection
    assert isinstance(driver, _Patient)
    return driver.wire


def _role(ctx: Ctx) -> str:
    return TENANT_ROLE if ctx.tenant else PLATFORM_ROLE
