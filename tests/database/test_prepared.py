"""A prepared statement gives and takes what SQLAlchemy would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from core.clock import FakeClock
from core.context import PLATFORM
from database import Database
from database.prepared import Prepared

things = Table(
    "things",
    MetaData(),
    Column("id", String(8), primary_key=True),
    Column("data", JSON(none_as_null=True)),
    Column("done", Boolean, nullable=False, default=False),
    Column("size", Integer, nullable=False, default=7),
)
ALL: Select[Any] = select(things).order_by(things.c.id)
ADD = insert(things)
FINISH = (
    update(things)
    .where(things.c.id == bindparam("thing"), things.c.done.is_(False))
    .values(done=True, data=bindparam("result"), size=things.c.size + 1)
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/weft.db", FakeClock(1_000))
    things.metadata.create_all(database.engine)
    yield database
    database.close()


def rows(db: Database) -> list[tuple[Any, ...]]:
    with db.read(PLATFORM) as tx:
        plain = [tuple(row) for row in tx.execute(ALL)]
        assert list(tx.execute(Prepared(ALL))) == plain
    return plain


def test_values_go_in_and_come_out_as_they_were(db: Database) -> None:
    with db.transaction(PLATFORM) as tx:
        tx.execute(Prepared(ADD), {"id": "a", "data": {"n": [1, None]}, "done": True, "size": 3})
    assert rows(db) == [("a", {"n": [1, None]}, True, 3)]


def test_what_is_not_given_gets_its_default(db: Database) -> None:
    add = Prepared(ADD)
    with db.transaction(PLATFORM) as tx:
        tx.execute(add, [{"id": "a"}, {"id": "b"}])
        tx.execute(add, {"id": "c", "size": 1})
    assert rows(db) == [("a", None, False, 7), ("b", None, False, 7), ("c", None, False, 1)]


def test_an_update_says_how_many_rows_it_met(db: Database) -> None:
    finish = Prepared(FINISH)
    with db.transaction(PLATFORM) as tx:
        tx.execute(Prepared(ADD), {"id": "a"})
        assert tx.execute(finish, {"thing": "a", "result": {"ok": True}}).rowcount == 1
        assert tx.execute(finish, {"thing": "a", "result": None}).rowcount == 0
    assert rows(db) == [("a", {"ok": True}, True, 8)]


def test_an_update_gives_back_what_it_made(db: Database) -> None:
    finish = Prepared(FINISH.returning(things.c.data, things.c.done))
    with db.transaction(PLATFORM) as tx:
        tx.execute(Prepared(ADD), {"id": "a"})
        assert tx.execute(finish, {"thing": "a", "result": [1]}).first() == ([1], True)


def test_one_value_and_no_row(db: Database) -> None:
    with db.read(PLATFORM) as tx:
        assert tx.execute(Prepared(select(func.count()).select_from(things))).scalar_one() == 0
        assert tx.execute(Prepared(ALL)).first() is None


def test_a_list_of_unknown_length_is_refused(db: Database) -> None:
    some = Prepared(ALL.where(things.c.id.in_(bindparam("ids", expanding=True))))
    with db.read(PLATFORM) as tx, pytest.raises(AssertionError, match="known at the call only"):
        tx.execute(some, {"ids": ["a"]})
