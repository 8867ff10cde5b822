"""A database that was made before runs kept their trace gets both, and gives them back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.clock import SystemClock
from database import Database, migrate


def shape(path: Path) -> tuple[bool, bool]:
    with closing(sqlite3.connect(path)) as look:
        columns = {row[1] for row in look.execute("PRAGMA table_info(runs)")}
        indexes = {row[1] for row in look.execute("PRAGMA index_list(runs)")}
    return "traceparent" in columns, "ix_runs_open" in indexes


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "weft.db"
    db = Database(f"sqlite:///{path}", SystemClock())
    migrate.upgrade(db)
    assert shape(path) == (True, True)
    migrate.downgrade(db, "0002")
    assert shape(path) == (False, False)
    migrate.upgrade(db)
    assert shape(path) == (True, True)
    db.close()
