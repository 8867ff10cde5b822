"""A database for each test: SQLite's file, or one of PostgreSQL's own with `WEFT_TEST_DATABASE_URL`
(the application's role) and `WEFT_TEST_DATABASE_ADMIN_URL` (an owner that may make databases)."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from functools import cache

from sqlalchemy import URL, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from core.clock import SystemClock
from database import Database, migrate

APPLICATION = os.environ.get("WEFT_TEST_DATABASE_URL", "")
_LASTING = contextlib.ExitStack()
OWNER = os.environ.get("WEFT_TEST_DATABASE_ADMIN_URL", "")


def named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@contextlib.contextmanager
def fresh() -> Iterator[str]:
    """The application's URL of a migrated database that is gone afterwards; "" on SQLite."""
    if not APPLICATION:
        yield ""
        return
    with _made(_name(), _template()) as name:
        yield named(APPLICATION, name)


def lasting() -> str:
    """The same, gone at the end of the test process."""
    if not APPLICATION:
        return ""
    return named(APPLICATION, _LASTING.enter_context(_made(_name(), _template())))


def _name() -> str:
    return f"weft_t_{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def _made(name: str, template: str) -> Iterator[str]:
    run(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        drop(name)


@cache
def _template() -> str:
    """Migrated once in each test process."""
    name = f"weft_t_of_{os.getpid()}_{uuid.uuid4().hex[:6]}"
    run(f"CREATE DATABASE {name}")
    owner = Database(named(OWNER, name), SystemClock())
    migrate.upgrade(owner, application=APPLICATION)
    owner.close()
    return name


@contextlib.contextmanager
def empty(application: str, owner: str) -> Iterator[tuple[str, str]]:
    """A database of its own on that server, not migrated: (the application's URL, the owner's)."""
    name = _name()
    run(f"CREATE DATABASE {name}", owner)
    try:
        yield named(application, name), named(owner, name)
    finally:
        drop(name, owner)


@contextlib.contextmanager
def beside(application: str, owner: str) -> Iterator[tuple[str, str]]:
    """The same, migrated."""
    with empty(application, owner) as urls:
        db = Database(urls[1], SystemClock())
        migrate.upgrade(db, application=urls[0])
        db.close()
        yield urls


def run(statement: str, owner: str = "") -> None:
    """By the owner, outside a transaction."""
    url: URL = make_url(named(owner or OWNER, "postgres"))
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def drop(name: str, owner: str = "") -> None:
    """The owner may end connections of its own roles only: whoever else looks in (autovacuum, say)
    is waited for."""
    for _ in range(50):
        with contextlib.suppress(ProgrammingError):
            return run(f"DROP DATABASE {name} WITH (FORCE)", owner)
        threading.Event().wait(0.2)
    return run(f"DROP DATABASE {name} WITH (FORCE)", owner)


def sweep() -> None:
    """At the end of a test process: what it made goes."""
    _LASTING.close()
    if _template.cache_info().currsize:
        drop(_template())
