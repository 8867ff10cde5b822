"""A database from before memory was sealed gets the new tables, and gives them back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.clock import SystemClock
from database import Database, migrate

NEW = {"chat_sessions", "chat_messages", "memories", "kept_answers", "kept_replies"}


def _look(path: Path) -> tuple[set[str], set[str], set[str]]:
    """Tables, columns of the messages, columns of the heads."""
    with closing(sqlite3.connect(path)) as look:
        tables = {row[0] for row in look.execute("SELECT name FROM sqlite_master")}
        messages, heads = (
            {row[1] for row in look.execute(f"PRAGMA table_info({name})")}
            for name in ("chat_messages", "shelf_heads")
        )
    return tables, messages, heads


def test_what_was_kept_in_the_clear_is_gone_and_the_rest_is_there(tmp_path: Path) -> None:
    path = tmp_path / "weft.db"
    db = Database(f"sqlite:///{path}", SystemClock())
    migrate.upgrade(db)
    migrate.downgrade(db, "0003")
    tables, messages, heads = _look(path)
    assert tables & NEW == {"chat_messages"}
    assert "content" in messages
    assert "content" not in heads
    with closing(sqlite3.connect(path)) as old:
        old.execute("INSERT INTO tenants VALUES ('t', 't', 't', 'free', '{}', 'active', NULL, 1)")
        row = "('t', 's', 1, 'a', 'user', 'canary', NULL, 1)"
        old.execute(f"INSERT INTO chat_messages VALUES {row}")
        old.commit()
    migrate.upgrade(db)
    tables, messages, heads = _look(path)
    assert tables >= NEW
    assert "sealed" in messages
    assert "content" not in messages
    assert "content" in heads
    db.close()
    assert b"canary" not in _rows(path)


def _rows(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as look:
        rows = look.execute("SELECT * FROM chat_messages").fetchall()
    return repr(rows).encode()
