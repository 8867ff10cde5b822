"""Who writes next, where several wait."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput
from database import Database
from database.writers import Writers

WAIT = 10.0


def _waiting(writers: Writers, many: int) -> None:
    pause = threading.Event()
    for _ in range(int(WAIT / 0.005)):
        if writers.waiting == many:
            return
        pause.wait(0.005)
    raise AssertionError("they do not wait")


def _order(writers: Writers, held_by: str, asked: Sequence[str]) -> list[str]:
    """In which order those who ask one after another, while somebody writes, are served."""
    served: list[str] = []

    def write(tenant: str) -> None:
        with writers.turn(tenant):
            served.append(tenant)

    threads = [threading.Thread(target=write, args=(one,)) for one in asked]
    with writers.turn(held_by):
        for number, thread in enumerate(threads, 1):
            thread.start()
            _waiting(writers, number)
    for thread in threads:
        thread.join(WAIT)
    return served


def test_a_tenant_that_writes_much_waits_behind_itself() -> None:
    assert _order(Writers(), "loud", ["loud"] * 3 + ["quiet"]) == ["quiet"] + ["loud"] * 3


def test_who_wrote_longest_ago_is_next() -> None:
    writers = Writers()
    for one in ("a", "b", "c"):
        with writers.turn(one):
            pass
    assert _order(writers, "a", ["c", "c", "b", "a", "a"]) == ["b", "c", "a", "c", "a"]


def test_whoever_breaks_lets_the_next_one_write() -> None:
    writers = Writers()
    with pytest.raises(InvalidInput), writers.turn("a"):
        raise InvalidInput("half-way")
    assert _order(writers, "a", ["b"]) == ["b"]


def test_only_so_many_are_remembered() -> None:
    writers = Writers()
    for number in range(1_500):
        with writers.turn(str(number)):
            pass
    assert _order(writers, "1499", ["1498", "3"]) == ["3", "1498"]
    assert len(writers._served) <= 1_000


def test_transactions_of_sqlite_take_turns_by_tenant(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/weft.db", FakeClock(1_000))
    writers: Writers = db._store._writers  # type: ignore[attr-defined]
    served: list[str] = []

    def write(tenant: str) -> None:
        with db.transaction(Ctx(tenant, "user:1"), durable=False):
            served.append(tenant)

    threads = [threading.Thread(target=write, args=(one,)) for one in ("loud", "loud", "quiet")]
    with db.transaction(PLATFORM, durable=False):
        for number, thread in enumerate(threads, 1):
            thread.start()
            _waiting(writers, number)
    for thread in threads:
        thread.join(WAIT)
    db.close()
    assert served == ["loud", "quiet", "loud"]
