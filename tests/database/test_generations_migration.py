"""A head from before generations is read as it was, and can be moved."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from core.clock import SystemClock
from core.context import Ctx
from database import Database, migrate, shelves
from vectorstore import Head

SEGMENT = {"id": "a", "count": 3, "size": 9, "vectors": "b", "digest": "model", "dimension": 4}


def test_an_old_head_knows_its_model_by_its_segments(tmp_path: Path) -> None:
    path = tmp_path / "weft.db"
    db, ctx = Database(f"sqlite:///{path}", SystemClock()), Ctx("t", "system")
    migrate.upgrade(db)
    migrate.downgrade(db, "0004")
    with closing(sqlite3.connect(path)) as old:
        assert "generations" not in {
            row[1] for row in old.execute("PRAGMA table_info(shelf_heads)")
        }
        old.execute("INSERT INTO tenants VALUES ('t', 't', 't', 'free', '{}', 'active', NULL, 1)")
        old.execute(
            "INSERT INTO shelf_heads (tenant_id, version, segments, tombstones, updated_ms) "
            "VALUES ('t', 1, ?, '[]', 1)",
            (json.dumps([SEGMENT]),),
        )
        old.commit()
    migrate.upgrade(db)
    with db.transaction(ctx) as tx:
        row = shelves.head(tx, ctx)
        head = Head.from_json(row.version, row.segments, row.tombstones, row.generations)
        assert (head.generations, head.count) == ((), 3)
        assert head.serving is not None
        assert head.serving.digest == "model"
        assert shelves.move(tx, ctx, row.version, *head.to_json())
    db.close()
