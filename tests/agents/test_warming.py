"""A shelf is opened before the first question: one at a time, bounded, never in the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents import warming
from agents.warming import Warmer
from core.context import Ctx
from core.errors import Outage
from tests.agents.test_ingestion import LONG, Desk
from tests.agents.test_repair import spoil
from tests.fakes.memory import platform
from vectorstore import SEGMENT


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(platform(tmp_path))
    yield made
    made.rt.db.close()


def ended(warmer: Warmer) -> None:
    for thread in list(warmer._busy.values()):
        thread.join(10)


def test_the_first_search_after_it_reads_no_object(desk: Desk) -> None:
    own = desk.put(LONG, "book.md")
    desk.rt.shelves.forget(desk.ctx)
    warmer = Warmer()
    assert warmer.warm(desk.rt, desk.ctx)
    ended(warmer)
    before = desk.house.store.gets
    assert desk.found("matter number 7") == [own]
    assert desk.house.store.gets == before


class _Gate:
    """A shelf that opens when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Event()
        self.count = 0

    def warm(self, *_arguments: Any) -> int:
        self.count += 1
        self.begun.release()
        assert self.go.wait(10)
        return 1


def test_one_per_tenant_and_two_at_a_time(desk: Desk) -> None:
    tenants = [desk.ctx, *(desk.house.tenant(f"t{n}") for n in range(2))]
    for ctx in tenants:
        Desk(desk.house, ctx).put()
    gate, warmer = _Gate(), Warmer()
    rt = replace(desk.rt, shelves=gate)  # type: ignore[arg-type]
    begun = [warmer.warm(rt, ctx) for ctx in (*tenants[:2], tenants[0], tenants[2])]
    assert begun == [True, True, False, False]
    assert all(gate.begun.acquire(timeout=10) for _ in range(2))
    gate.go.set()
    warmer.close()
    assert gate.count == 2
    assert not warmer.warm(rt, tenants[2]), "it is closed"


def test_a_shelf_above_its_share_stays_cold(desk: Desk) -> None:
    desk.put(LONG, "book.md")
    desk.rt.shelves.forget(desk.ctx)
    settings = desk.rt.settings.model_copy(update={"shelf_bytes_max": 100})
    assert warming.open_shelf(replace(desk.rt, settings=settings), desk.ctx) == 0
    assert desk.rt.shelves.cache.bytes == 0


def test_what_is_damaged_or_away_is_left_to_the_first_search(desk: Desk) -> None:
    desk.put(LONG, "book.md")
    (name, *_) = sorted(desk.blobs(SEGMENT))
    spoil(desk, SEGMENT, name)
    assert warming.open_shelf(desk.rt, desk.ctx) == 0

    def away(_key: str) -> bytes:
        raise Outage("The store is away.")

    desk.house.store.get = away  # type: ignore[method-assign, assignment]
    warmer = Warmer()
    assert warmer.warm(desk.rt, Ctx(desk.ctx.tenant, "system"))
    ended(warmer)
    assert warmer._busy == {}
