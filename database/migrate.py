"""Migrations by Alembic, from code: `upgrade(db)` brings any older database to this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from database.engine import Database


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = db.engine
    return config


def upgrade(db: Database, revision: str = "head") -> None:
    """Applies what is missing. Cheap when nothing is: one look at the version table."""
    if revision == "head" and current(db) == head(db):
        return
    command.upgrade(_config(db), revision)


def downgrade(db: Database, revision: str) -> None:
    command.downgrade(_config(db), revision)


def current(db: Database) -> str | None:
    """The version of the database, None for an empty one."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head(db: Database) -> str | None:
    """The version of this code."""
    return ScriptDirectory.from_config(_config(db)).get_current_head()
