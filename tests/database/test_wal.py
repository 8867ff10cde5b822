"""The log is on the disk when a durable commit returns, and many commits share one sync."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from core.clock import FakeClock
from core.context import PLATFORM
from core.errors import Unavailable
from database import Database
from database.wal import Log

CALLS, THREADS = 50, 8


class Watched(Log):
    """Counts the syncs that have begun and ended."""

    begun = ended = 0

    def _write_out(self) -> None:
        self.begun += 1
        super()._write_out()
        self.ended = self.begun


def test_whoever_asks_gets_a_sync_that_began_after_the_question(tmp_path: Path) -> None:
    (tmp_path / "weft.db-wal").write_bytes(b"x")
    log, late = Watched(tmp_path / "weft.db"), []

    def ask() -> None:
        for _ in range(CALLS):
            before = log.begun
            log.sync()
            late.append(log.ended <= before)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert late == [False] * CALLS * THREADS
    assert log.begun <= CALLS * THREADS


def test_a_durable_commit_syncs_and_another_does_not(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/weft.db", FakeClock(1))
    log = Watched(tmp_path / "weft.db")
    db.log = log
    with db.transaction(PLATFORM) as tx:
        tx.execute(text("CREATE TABLE things (id INTEGER)"))
    assert log.ended == 1
    with db.transaction(PLATFORM, durable=False) as tx:
        tx.execute(text("INSERT INTO things VALUES (1)"))
    db.close()
    assert log.ended == 1


def test_a_disk_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="disk does not answer"):
        Log(tmp_path / "nowhere" / "weft.db").sync()
