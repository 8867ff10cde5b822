"""A database for each test: SQLite's file, or one of PostgreSQL's own with `WEFT_TEST_DATABASE_URL`
(the application's role) and `WEFT_TEST_DATABASE_ADMIN_URL` (an owner that may make databases)."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from functools import cache

from sqlalchemy import URL, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from core.clock import SystemClock
from database import Database, migrate

APPLICATION = os.environ.get("WEFT_TEST_DATABASE_URL", "")
OWNER = os.environ.get("WEFT_TEST_DATABASE_ADMIN_URL", "")


def named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@contextlib.contextmanager
def fresh() -> Iterator[str]:
    """The application's URL of a migrated database that is gone afterwards; "" on SQLite."""
    if not APPLICATION:
        yield ""
        return
    with _made(f"weft_t_{uuid.uuid4().hex[:12]}", _template()) as name:
        yield named(APPLICATION, name)


@contextlib.contextmanager
def _made(name: str, template: str) -> Iterator[str]:
    run(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        run(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _template() -> str:
    """Migrated once in each test process."""
    name = f"weft_t_of_{os.getpid()}_{uuid.uuid4().hex[:6]}"
    run(f"CREATE DATABASE {name}")
    owner = Database(named(OWNER, name), SystemClock())
    migrate.upgrade(owner, application=APPLICATION)
    owner.close()
    return name


def run(statement: str, database: str = "postgres") -> None:
    """By the owner, outside a transaction."""
    url: URL = make_url(named(OWNER, database))
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def sweep() -> None:
    """At the end of a test process: its template goes."""
    if _template.cache_info().currsize:
        run(f"DROP DATABASE {_template()} WITH (FORCE)")
