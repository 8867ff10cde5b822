"""PostgreSQL's wire: statements leave when they are given, and are waited for only when somebody
asks for an answer. A transaction costs as many round trips as it has questions.

libpq's pipeline mode (PostgreSQL documentation, 34.5), by psycopg's `pq`.
"""

from __future__ import annotations

import itertools
import json
import select
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus

Decode = Callable[[bytes], Any]
_GOOD = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.PIPELINE_SYNC})


def _text(value: bytes) -> str:
    return str(value, "utf-8")


def _bytes(value: bytes) -> bytes:
    return bytes.fromhex(value[2:].decode())


# By the types' object ids (pg_type.dat); everything else is text.
_DECODERS: dict[int, Decode] = {
    16: lambda value: value == b"t", 17: _bytes, 20: int, 21: int, 23: int, 114: json.loads,
    700: float, 701: float, 1700: lambda value: float(value) if b"." in value else int(value),
    3802: json.loads,
}  # fmt: skip


def encode(value: Any) -> bytes | None:
    """For the wire's text format; bytes go as they are, in the binary one."""
    kind = type(value)
    if kind is str:
        # PostgreSQL keeps no NUL in a text, and libpq would cut it there.
        return bytes(value.replace("\x00", "\ufffd") if "\x00" in value else value, "utf-8")
    if value is None or kind is bytes:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return b"t" if value else b"f"
    if kind is list:  # of numbers: JSON is text by now
        return b"{%b}" % ",".join(map(repr, value)).encode()
    return encode(str.__str__(value)) if isinstance(value, str) else repr(value).encode()


class Later:
    """The answer to a statement that is on its way; asking for anything waits for it."""

    __slots__ = ("_result", "_wire", "otherwise")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.otherwise: Exception | None = None  # raised instead of a division by zero
        self._result: psycopg.pq.abc.PGresult | None = None

    def arrive(self, result: psycopg.pq.abc.PGresult) -> None:
        self._result = result

    @property
    def arrived(self) -> bool:
        return self._result is not None

    def _known(self) -> psycopg.pq.abc.PGresult:
        if self._result is None:
            self._wire.settle()
            assert self._result is not None
        return self._result

    @property
    def rowcount(self) -> int:
        return self._known().command_tuples or 0

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        result = self._known()
        value = result.get_value
        decoders = [_DECODERS.get(result.ftype(n), _text) for n in range(result.nfields)]
        return [
            tuple(
                [
                    None if (raw := value(row, n)) is None else decode(raw)
                    for n, decode in enumerate(decoders)
                ]
            )
            for row in range(result.ntuples)
        ]

    def first(self) -> tuple[Any, ...] | None:
        rows = self.fetchall()
        return rows[0] if rows else None

    def scalar_one(self) -> Any:
        ((value,),) = self.fetchall()
        return value

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())


class Wire:
    """One connection. Statements are prepared on the server at their first use; once for each
    role, because the server plans anew when the role of a walled statement changes."""

    def __init__(self, connection: psycopg.Connection[Any], seconds: float) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._seconds = seconds
        self._names: dict[tuple[str, bytes], bytes] = {}
        self._fresh: list[tuple[str, bytes]] = []
        self._numbers = itertools.count()
        self._waiting: deque[Later] = deque()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)
        self.used = time.monotonic()
        self.trips = 0

    @property
    def broken(self) -> bool:
        return self._pg.status != ConnStatus.OK

    def send(self, role: str, sql: bytes, values: Sequence[Any]) -> Later:
        """Puts the statement on its way. `values` as Python has them, for `$1`, `$2` and so on."""
        if self._pg.pipeline_status == PipelineStatus.OFF:
            self._pg.enter_pipeline_mode()
        key = (role, sql)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = b"w%d" % next(self._numbers)
            self._pg.send_prepare(name, sql)
            self._fresh.append(key)
            self._waiting.append(Later(self))
        formats = [type(value) is bytes for value in values] if bytes in map(type, values) else None
        self._pg.send_query_prepared(name, list(map(encode, values)), formats)
        answer = Later(self)
        self._waiting.append(answer)
        return answer

    def settle(self) -> None:
        """Waits until everything sent was answered; raises the first error of the server."""
        error = self._settled()
        if error is not None:
            raise error

    def _settled(self) -> Exception | None:
        if not self._waiting:
            return None
        self.trips += 1
        self._pg.pipeline_sync()
        failed = self._receive()
        self.used = time.monotonic()
        if failed is None:
            self._fresh.clear()
            return None
        for key in self._fresh:
            self._names.pop(key, None)
        self._fresh.clear()
        answer, result = failed
        error = psycopg.errors.error_from_result(result, encoding="utf-8")
        if answer.otherwise is not None and isinstance(error, psycopg.errors.DivisionByZero):
            return answer.otherwise
        return error

    def _receive(self) -> tuple[Later, psycopg.pq.abc.PGresult] | None:
        failed: tuple[Later, psycopg.pq.abc.PGresult] | None = None
        deadline = time.monotonic() + self._seconds
        while self._pg.flush():
            self._ready(select.POLLIN | select.POLLOUT, deadline)
            self._pg.consume_input()
        while True:
            while self._pg.is_busy():
                self._ready(select.POLLIN, deadline)
                self._pg.consume_input()
            result = self._pg.get_result()
            if result is None:
                if self.broken:
                    raise self._lost("the connection broke")
                continue
            status = result.status
            if status == ExecStatus.PIPELINE_SYNC:
                return failed
            if self.broken or not self._waiting:
                raise self._lost(psycopg.pq.error_message(result))
            answer = self._waiting.popleft()
            answer.arrive(result)
            if status not in _GOOD and status != ExecStatus.PIPELINE_ABORTED and failed is None:
                failed = answer, result

    def _ready(self, events: int, deadline: float) -> None:
        self._poll.modify(self._pg.socket, events) if events != select.POLLIN else None
        left = deadline - time.monotonic()
        try:
            if left <= 0 or not self._poll.poll(left * 1000):
                raise self._lost(f"no answer within {self._seconds:g} seconds")
        finally:
            if events != select.POLLIN:
                self._poll.modify(self._pg.socket, select.POLLIN)

    def _lost(self, why: str) -> psycopg.OperationalError:
        self.close()
        return psycopg.OperationalError(why)

    def leave(self) -> None:
        """Settles, and lets psycopg itself use the connection."""
        self.settle()
        if self._pg.pipeline_status != PipelineStatus.OFF:
            self._pg.exit_pipeline_mode()

    def close(self) -> None:
        self._waiting.clear()
        self._connection.close()

    def abandon(self) -> None:
        """The transaction is over by an error: nobody waits for what is still on its way."""
        if not self.broken:
            try:
                self._settled()
            except psycopg.Error:
                self._waiting.clear()
