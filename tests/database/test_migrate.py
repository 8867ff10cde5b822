"""Migrations: several processes may start on an empty folder at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.clock import SystemClock
from database import Database, migrate

ROOT = Path(__file__).parents[2]
START = """
import sys
from core.clock import SystemClock
from database import Database, migrate
sys.stdin.readline()
db = Database(sys.argv[1], SystemClock())
migrate.upgrade(db)
print(migrate.current(db))
"""


def test_many_processes_bring_one_empty_database_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/weft.db"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", START, url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=ROOT, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in started]
    db = Database(url, SystemClock())
    assert [out.strip() for out, _err in said] == [migrate.head()] * 4, said[0][1]
    db.close()
