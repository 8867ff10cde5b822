"""Migrations by Alembic, from code: `upgrade(db)` brings any older database to this version."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select

from core.errors import Unavailable
from database.engine import Database

_LOCK = 0x77656674  # "weft": the advisory lock that migrations hold on PostgreSQL
_WAIT_SECONDS = 60.0


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = db.engine
    return config


def upgrade(db: Database, revision: str = "head") -> None:
    """Applies what is missing. Cheap when nothing is: one look at the version table."""
    if revision == "head" and current(db) == head(db):
        return
    with _alone(db):
        command.upgrade(_config(db), revision)


@contextlib.contextmanager
def _alone(db: Database) -> Iterator[None]:
    """One process migrates, the others wait for it and then find nothing left to do."""
    if not db.is_sqlite:
        with db.engine.connect() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))  # until it is closed
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
                raise Unavailable(
                    "Another process has been migrating this database for a minute. Wait for it, "
                    "or stop it and start again.",
                    code="migrating",
                ) from None
            time.sleep(0.05)
        else:
            return


def downgrade(db: Database, revision: str) -> None:
    command.downgrade(_config(db), revision)


def current(db: Database) -> str | None:
    """The version of the database, None for an empty one."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head(db: Database) -> str | None:
    """The version of this code."""
    return ScriptDirectory.from_config(_config(db)).get_current_head()
