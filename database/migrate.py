"""Migrations by Alembic, from code: `upgrade(db)` brings any older database to this version."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from core.errors import InvalidInput, Unavailable
from database import walls
from database.engine import Database
from database.tx import translated

_LOCK = 0x77656674  # "weft": the advisory lock that migrations hold on PostgreSQL
_WAIT_SECONDS = 60.0


def _config(engine: Engine | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    return config


def upgrade(db: Database, revision: str = "head", *, application: str = "") -> None:
    """Applies what is missing. Cheap when nothing is: one look at the version table. On PostgreSQL
    `db` is the owner's, and `application` the URL of the role that may work with the tables."""
    if revision == "head" and current(db) == head():
        return
    with _alone(db), _plain(db) as engine:
        command.upgrade(_config(engine), revision)
        if application:
            _admit(engine, make_url(application))


def ready(db: Database) -> None:
    """Raises `InvalidInput` that says what to type unless this version can work on `db`."""
    if (version := current(db)) != head():
        raise InvalidInput(
            f"The database is at version {version}, this Weft needs {head()}. Type: weft migrate "
            "(it needs WEFT_DATABASE_ADMIN_URL, the role that owns the tables).",
            code="old_schema",
        )
    if wrong := wall_gaps(db):
        raise InvalidInput(f"PostgreSQL does not wall the tenants: {wrong[0]}.", code="no_wall")


def wall_gaps(db: Database) -> list[str]:
    """What is wrong with the walls between tenants, in words; SQLite has none."""
    if db.is_sqlite:
        return []
    with db.engine.connect() as connection:
        return walls.standing(connection, db.engine.url.username or "")


def _admit(engine: Engine, application: URL) -> None:
    """A password travels hashed, as psql's \\password does it."""
    role, secret = application.username or "", application.password
    with engine.begin() as connection:
        hashed = None
        if secret is not None:
            driver: Any = connection.connection.driver_connection
            algorithm = b"scram-sha-256"
            hashed = driver.pgconn.encrypt_password(
                str(secret).encode(), role.encode(), algorithm
            ).decode()
        walls.admit(connection, role, hashed)


@contextlib.contextmanager
def _plain(db: Database) -> Iterator[Engine]:
    """Migrations have no deadline, and transactions of their own."""
    if db.is_sqlite:
        yield db.engine
        return
    engine = create_engine(db.engine.url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def _alone(db: Database) -> Iterator[None]:
    """One process migrates, the others wait for it and then find nothing left to do."""
    if not db.is_sqlite:
        with _plain(db) as engine, engine.connect() as connection:
            wait = f"SET lock_timeout = '{int(_WAIT_SECONDS)}s'"
            connection.exec_driver_sql(wait)
            try:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))  # until it is closed
            except OperationalError as error:
                raise _migrating() from error
            yield
        return
    with Path(f"{db.engine.url.database}.migrating").open("w") as file:
        _wait_for(file.fileno())
        yield


def _wait_for(descriptor: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise _migrating() from None
            time.sleep(0.05)
        else:
            return


def _migrating() -> Unavailable:
    return Unavailable(
        "Another process has been migrating this database for a minute. Wait for it, or stop it "
        "and start again.",
        code="migrating",
    )


def downgrade(db: Database, revision: str) -> None:
    with _alone(db), _plain(db) as engine:
        command.downgrade(_config(engine), revision)


def current(db: Database) -> str | None:
    """The version of the database, None for an empty one."""
    with translated(OperationalError), db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str | None:
    """The version of this code."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()
