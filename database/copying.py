"""All rows of a PostgreSQL database, out and in again, by COPY.

Out: by the application's own role, tenant by tenant within one snapshot, so that a backup walks
through the same walls as everybody. In: by the role that owns the tables, in one transaction.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from core.errors import Conflict, Outage, Unfinishable
from database.postgres import PLATFORM_ROLE, TENANT_ROLE
from database.tables import SHARED, metadata

# Processes that serve now; whoever is restored begins without them.
_LEFT_OUT = frozenset({"workers"})
_CONNECT_SECONDS = 10
Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Copied:
    """`tables`: rows and SHA-256 of each. `objects`: (tenant, kind, name) of every stored object
    that some row needs."""

    version: str
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: frozenset[tuple[str, str, str]] = frozenset()


def tables() -> list[Table]:
    """Those that are copied, referenced ones first."""
    return [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]


def out(url: str, folder: Path) -> Copied:
    """One file a table: what the database said at one moment."""
    folder.mkdir(parents=True, exist_ok=True)
    with _cursor(url, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as cursor:
        version = _version(cursor)
        _become(cursor, PLATFORM_ROLE)
        cursor.execute("SELECT id FROM tenants ORDER BY id")
        tenants = [str(row[0]) for row in cursor.fetchall()]
        found = {table.name: _table_out(cursor, table, tenants, folder) for table in tables()}
        needed = {one for tenant in tenants for one in _needed(cursor, tenant)}
    return Copied(version, found, frozenset(needed))


def check_free(url: str, *, replace: bool) -> None:
    """Raises `Conflict` when there are rows that nobody asked to replace, or processes at work."""
    with _cursor(url, "BEGIN READ ONLY") as cursor:
        _become(cursor, PLATFORM_ROLE)
        _check_free(cursor, replace=replace)


def into(url: str, folder: Path, version: str, *, replace: bool = False) -> None:
    """All or nothing. `url` is the owner's. Raises what `check_free` raises."""
    with _cursor(url, "BEGIN") as cursor:
        if (own := _version(cursor)) != version:
            raise Unfinishable(
                f"The backup's tables are of version {version}, this Weft makes {own}. Restore it "
                "with the Weft that made it, then type: weft migrate",
                code="other_version",
            )
        walled = _walled(cursor)
        _wall(cursor, walled, "NO FORCE")
        if _check_free(cursor, replace=replace):
            names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables())
            cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for table in tables():
            _table_in(cursor, table, folder / f"{table.name}.copy")
        _wall(cursor, walled, "FORCE")


def _table_out(cursor: Cursor, table: Table, tenants: list[str], folder: Path) -> dict[str, Any]:
    key = sql.SQL(", ").join(sql.Identifier(one.name) for one in table.primary_key)
    command = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
        _columns(table), sql.Identifier(table.name), key
    )
    digest, rows = hashlib.sha256(), 0
    with (folder / f"{table.name}.copy").open("wb") as file:
        for tenant in [""] if table.name in SHARED else tenants:
            _become(cursor, TENANT_ROLE if tenant else PLATFORM_ROLE, tenant)
            with cursor.copy(command) as lines:
                for line in lines:
                    file.write(line)
                    digest.update(line)
                    rows += bytes(line).count(b"\n")  # within a value it is written `\n`
    return {"rows": rows, "sha256": digest.hexdigest()}


def _table_in(cursor: Cursor, table: Table, path: Path) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), _columns(table))
    with path.open("rb") as file, cursor.copy(command) as lines:
        while piece := file.read(1 << 18):
            lines.write(piece)
    for column in table.columns:
        if column.autoincrement is True:
            _count_on(cursor, table.name, column.name)


def _count_on(cursor: Cursor, table: str, column: str) -> None:
    cursor.execute(
        sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))").format(
            sql.Literal(table), sql.Literal(column), sql.Identifier(column), sql.Identifier(table)
        )
    )


def _needed(cursor: Cursor, tenant: str) -> Iterator[tuple[str, str, str]]:
    _become(cursor, TENANT_ROLE, tenant)
    cursor.execute("SELECT id FROM documents")
    yield from ((tenant, "original", row[0]) for row in cursor.fetchall())
    cursor.execute("SELECT segments FROM shelf_heads")
    for (segments,) in cursor.fetchall():
        for one in segments:
            if not one.get("retired_ms"):
                yield tenant, "segment", one["id"]
                yield tenant, "segment", one.get("vectors") or one["id"]
                for layer in one.get("layers", ()):
                    yield tenant, "segment", layer["vectors"]


def _check_free(cursor: Cursor, *, replace: bool) -> bool:
    """Whether there is something to replace."""
    if _count(cursor, "SELECT count(*) FROM tenants") == 0:
        return False
    if not replace:
        raise Conflict("The database already holds tenants. Use an empty one, or --force.")
    since = "extract(epoch from clock_timestamp()) * 1000 - 30000"
    if _count(cursor, f"SELECT count(*) FROM workers WHERE heartbeat_ms > {since}"):  # noqa: S608
        raise Conflict("Weft's workers are at work on that database. Stop them first: weft down")
    return True


def _count(cursor: Cursor, query: LiteralString) -> int:
    cursor.execute(query)
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _walled(cursor: Cursor) -> list[str]:
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relforcerowsecurity AND relnamespace = "
        "'public'::regnamespace ORDER BY relname"
    )
    return [str(row[0]) for row in cursor.fetchall()]


def _wall(cursor: Cursor, names: list[str], force: str) -> None:
    """Only an owner whose wall is down may COPY into a table; it stands again at the commit."""
    for name in names:
        cursor.execute(
            sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(
                sql.Identifier(name), sql.SQL(force)
            )
        )


def _version(cursor: Cursor) -> str:
    cursor.execute("SELECT version_num FROM alembic_version")
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _become(cursor: Cursor, role: str, tenant: str = "") -> None:
    cursor.execute(
        "SELECT set_config('role', %s, true), set_config('app.tenant', %s, true)", (role, tenant)
    )


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)


@contextlib.contextmanager
def _cursor(url: str, begin: str) -> Iterator[Cursor]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with (
            psycopg.connect(plain, autocommit=True, connect_timeout=_CONNECT_SECONDS) as link,
            link.cursor() as cursor,
        ):
            cursor.execute(begin.encode())
            yield cursor
            cursor.execute("COMMIT")
    except psycopg.OperationalError as error:
        raise Outage(
            f"The database does not answer: {error}", code="database_unavailable", retry_after=2
        ) from error
    except psycopg.Error as error:
        raise Unfinishable(
            f"The database refuses: {error}. Look at WEFT_DATABASE_URL and "
            "WEFT_DATABASE_ADMIN_URL.",
            code="copy_refused",
        ) from error
