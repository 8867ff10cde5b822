"""Statements that are asked often: compiled once, then handed to the driver as they are.

SQLAlchemy stays the source of the SQL and of the types; what is left out is its work for each
call, which costs four times what SQLite itself does.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Insert, UpdateBase, literal_column, select
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from database.wire import Later, Wire

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Convert = Callable[[Any], Any]
_ROWS = 100  # of one INSERT on PostgreSQL
_PLACE = re.compile(r"\$(\d+)")
_SQLITE = SQLiteDialect_pysqlite()
_POSTGRES: Dialect = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Answer(Protocol):
    """What both ways give: rows as tuples, and how many rows were written."""

    @property
    def rowcount(self) -> int: ...
    def first(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...
    def scalar_one(self) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: Sequence[tuple[Any, ...]]
    rowcount: int

    def first(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        return self.rows

    def scalar_one(self) -> Any:
        ((value,),) = self.rows
        return value

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)


@dataclass(frozen=True, slots=True)
class _Way:
    """One statement for one database: its text, where parameters go, how values are converted."""

    sql: str
    fixed: Mapping[str, Any]  # what the statement itself says: `status='ready'`
    slots: tuple[tuple[str, Convert | None], ...]
    results: tuple[tuple[int, Convert], ...]
    wire_sql: bytes
    wider: dict[int, bytes] = field(default_factory=dict)

    def bind(self, params: Mapping[str, Any]) -> list[Any]:
        given = {**self.fixed, **params}
        return [
            given[name] if convert is None else convert(given[name]) for name, convert in self.slots
        ]

    def of_rows(self, count: int) -> bytes:
        """The INSERT of that many rows at once."""
        if count not in self.wider:
            head, _, one = self.sql.partition(" VALUES ")
            width = len(self.slots)
            rows = (
                _PLACE.sub(lambda found, n=n: f"${int(found[1]) + n * width}", one)  # type: ignore[misc]
                for n in range(count)
            )
            self.wider[count] = f"{head} VALUES {', '.join(rows)}".encode()
        return self.wider[count]

    def row(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(values)
        for index, convert in self.results:
            changed[index] = convert(changed[index])
        return tuple(changed)


class Prepared:
    """`tx.execute(Prepared(statement), params)`. No `in_`; an insert may be given
    different columns at different calls."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._by_columns = isinstance(statement, Insert)
        self._ways: dict[tuple[Any, ...], _Way] = {}

    @cached_property
    def insisting(self) -> Prepared:
        """For PostgreSQL: the same, but the server divides by the number of its rows. None: an
        error, which needs nobody to wait for a count."""
        rows: Any = self.statement
        if isinstance(rows, UpdateBase):
            found = rows.returning(literal_column("1")).cte("found")
        else:
            found = rows.subquery("found")
        return Prepared(select(literal_column("1 / count(*)")).select_from(found))

    def on(
        self,
        connection: sqlite3.Connection,
        params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
    ) -> _Rows:
        """By the driver, inside its open transaction."""
        if isinstance(params, Sequence):
            way = self._way(_SQLITE, params[0])
            done = connection.executemany(way.sql, [way.bind(row) for row in params])
            return _Rows((), done.rowcount)
        way = self._way(_SQLITE, params or {})
        cursor = connection.execute(way.sql, way.bind(params or {}))
        rows = cursor.fetchall()
        return _Rows([way.row(row) for row in rows] if way.results else rows, cursor.rowcount)

    def on_wire(self, wire: Wire, role: str, params: Params | None) -> Later:
        """On its way to PostgreSQL; of several rows the answer to the last one."""
        if not isinstance(params, Sequence):
            way = self._way(_POSTGRES, params or {})
            return wire.send(role, way.wire_sql, way.bind(params or {}))
        way = self._way(_POSTGRES, params[0])
        if len(params) == 1 or not (self._by_columns and way.sql.endswith(")")):
            return [wire.send(role, way.wire_sql, way.bind(row)) for row in params][-1]
        for at in range(0, len(params), _ROWS):
            some = params[at : at + _ROWS]
            values = [value for row in some for value in way.bind(row)]
            answer = wire.send(role, way.of_rows(len(some)), values)
        return answer

    def _way(self, dialect: Dialect, params: Mapping[str, Any]) -> _Way:
        columns = (dialect.name, *params) if self._by_columns else (dialect.name,)
        way = self._ways.get(columns)
        if way is None:
            way = self._ways[columns] = _compiled(self.statement, dialect, columns[1:])
        return way


def _compiled(statement: Executable, dialect: Dialect, columns: tuple[str, ...]) -> _Way:
    assert isinstance(statement, ClauseElement)
    made = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    assert isinstance(made, SQLCompiler)
    assert "POSTCOMPILE" not in str(made), "an IN whose length is known at the call only"
    fixed = {name: one.effective_value for name, one in made.binds.items() if not one.required}
    for column in made.insert_prefetch:
        assert column.default is not None
        fixed[column.key] = column.default.arg  # type: ignore[attr-defined]
    # PostgreSQL's numbered places name a value once, however often it is used.
    names = made.positiontup or []
    if dialect is _POSTGRES:
        names = list(dict.fromkeys(names))
    slots = tuple((name, _binder(dialect, made.binds[name])) for name in names)
    # Not `exported_columns`: a statement remembers those of the one it was derived from.
    types = [column.type for column in made._result_columns]
    return _Way(str(made), fixed, slots, _results(types), str(made).encode())


def _binder(dialect: Dialect, parameter: Any) -> Convert | None:
    found: Convert | None = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _results(types: Iterable[TypeEngine[Any]]) -> tuple[tuple[int, Convert], ...]:
    """Only the columns whose values are not what SQLite's driver gives."""
    found = []
    for index, kind in enumerate(types):
        convert = kind.dialect_impl(_SQLITE).result_processor(_SQLITE, None)
        if convert is not None:
            found.append((index, convert))
    return tuple(found)
