"""Transactions: whole or not at all, one writer, references that stay inside a tenant."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from core.clock import FakeClock
from core.context import Ctx
from core.errors import InvalidInput, Unavailable
from database import Database, audit, migrate
from database.pages import page
from database.tables import audit as audit_table
from database.tables import documents, tenants

CTX = Ctx("tenant-a", "user:1")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/weft.db", FakeClock(1_000))
    migrate.upgrade(database)
    yield database
    database.close()


def count(db: Database) -> int:
    with db.read(CTX) as tx:
        return int(tx.execute(select(func.count()).select_from(audit_table)).scalar_one())


def tenant(db: Database, name: str) -> None:
    with db.transaction(CTX) as tx:
        tx.execute(
            insert(tenants),
            {"id": name, "slug": name, "name": name, "tier": "free", "config": {},
             "status": "active", "created_ms": 1},
        )  # fmt: skip


def document(name: str, owner: str, parent: str | None = None) -> dict[str, object]:
    return {
        "id": name, "tenant_id": owner, "filename": name, "format": "txt", "content_type": "t/p",
        "sha256": "0" * 64, "size": 1, "status": "ready", "warnings": [], "metadata": {},
        "tags": [], "parent_id": parent, "created_by": "user:1", "created_ms": 1, "updated_ms": 1,
    }  # fmt: skip


@pytest.mark.parametrize("durable", [True, False])
def test_an_exception_leaves_nothing_behind(db: Database, durable: bool) -> None:
    def half_done() -> None:
        with db.transaction(CTX, durable=durable) as tx:
            audit.record(tx, CTX, "thing.make", "1")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        half_done()
    assert count(db) == 0
    with db.transaction(CTX, durable=durable) as tx:
        audit.record(tx, CTX, "thing.make", "2")
    assert count(db) == 1


def test_many_writers_take_turns_and_none_is_lost(db: Database) -> None:
    def write() -> None:
        for number in range(25):
            with db.transaction(CTX, durable=False) as tx:
                audit.record(tx, CTX, "thing.make", str(number))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert count(db) == 200


def test_a_reader_sees_one_state_while_others_write(db: Database) -> None:
    with db.read(CTX) as tx:
        before = tx.execute(select(func.count()).select_from(audit_table)).scalar_one()
        with db.transaction(CTX) as other:
            audit.record(other, CTX, "thing.make", "1")
        after = tx.execute(select(func.count()).select_from(audit_table)).scalar_one()
    assert before == after == 0
    assert count(db) == 1


def test_a_reference_into_another_tenant_cannot_be_stored(db: Database) -> None:
    tenant(db, "tenant-a")
    tenant(db, "tenant-b")
    with db.transaction(CTX) as tx:
        tx.execute(insert(documents), document("one", "tenant-a"))

    def steal() -> None:
        with db.transaction(CTX) as tx:
            tx.execute(insert(documents), document("two", "tenant-b", parent="one"))

    with pytest.raises(IntegrityError):
        steal()
    with db.transaction(CTX) as tx:
        tx.execute(insert(documents), document("two", "tenant-a", parent="one"))


def test_an_unreachable_database_is_said_in_words(tmp_path: Path) -> None:
    lost = Database(f"sqlite:///{tmp_path}/no/such/folder/weft.db", FakeClock(1))
    with pytest.raises(Unavailable, match="database does not answer"), lost.read(CTX):
        pytest.fail("it opened")


def test_pages_walk_every_row_once_newest_first(db: Database) -> None:
    with db.transaction(CTX) as tx:
        for number in range(23):
            audit.record(tx, CTX, "thing.make", str(number))
    seen: list[int] = []
    cursor: str | None = None
    while True:
        with db.read(CTX) as tx:
            found = page(
                tx, select(audit_table.c.seq), (audit_table.c.seq,), lambda row: int(row.seq),
                limit=5, cursor=cursor,
            )  # fmt: skip
        seen += found.items
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 23


@pytest.mark.parametrize("cursor", ["x", "W10", "e30", "WzEuNV0", "WzEsMl0", "é", "W251bGxd"])
def test_a_cursor_that_we_did_not_make_is_refused(db: Database, cursor: str) -> None:
    def look() -> None:
        with db.read(CTX) as tx:
            page(
                tx, select(audit_table.c.seq), (audit_table.c.seq,), lambda row: row.seq,
                limit=5, cursor=cursor,
            )  # fmt: skip

    with pytest.raises(InvalidInput):
        look()
