"""A database from before runs were forgotten keeps all it has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.clock import SystemClock
from database import Database, migrate


def test_the_column_and_its_indexes_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "weft.db"
    db = Database(f"sqlite:///{path}", SystemClock())
    migrate.upgrade(db)
    new = _indexes(path)
    migrate.downgrade(db, "0008")
    assert new - _indexes(path) == {"ix_runs_forget", "ix_approvals_run"}
    migrate.upgrade(db)
    assert _indexes(path) == new
    db.close()


def _indexes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as look:
        return {row[0] for row in look.execute("SELECT name FROM sqlite_master WHERE type='index'")}
