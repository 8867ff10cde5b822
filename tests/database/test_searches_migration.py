"""A database from before searches were kept gets their table, and gives it back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.clock import SystemClock
from database import Database, migrate


def test_the_table_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "weft.db"
    db = Database(f"sqlite:///{path}", SystemClock())
    migrate.upgrade(db)
    migrate.downgrade(db, "0006")
    assert not _there(path)
    migrate.upgrade(db)
    assert _there(path)
    db.close()


def _there(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as look:
        names = {row[0] for row in look.execute("SELECT name FROM sqlite_master")}
    return "searches" in names
