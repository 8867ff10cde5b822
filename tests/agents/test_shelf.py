"""Two who do the same to one index: a worker or a merge that slept and did not notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agents import compaction, shelf
from core.clock import FakeClock
from core.context import Ctx
from core.documents import Chunk
from core.ids import new_id
from database import documents
from database.documents import NewDocument
from runtime import Runtime
from tests.agents.test_ingestion import Desk
from tests.fakes.memory import platform
from vectorstore import About, Entry, Head, Segment, Shelves


def written(rt: Runtime, ctx: Ctx) -> tuple[str, Segment]:
    """A document whose passage is stored, but on no shelf yet."""
    own = new_id()
    with rt.db.transaction(ctx) as tx:
        documents.create(tx, ctx, NewDocument(own, "a.txt", "text", "text/plain", own, 1))
    entry = Entry(Chunk(f"{own}:0", own, 0, "a kettle", 1, 0, 8), About(own, "a.txt"))
    return own, rt.shelves.write(ctx, [entry])


def on_shelf(rt: Runtime, ctx: Ctx) -> list[str]:
    segments = shelf.head_of(rt, ctx).segments
    return [e.chunk.document_id for one in segments for e in rt.shelves.entries(ctx, one)]


@pytest.mark.parametrize("count", [1, 4, 12])
def test_a_cold_shelf_is_opened_by_three_objects_at_most(tmp_path: Path, count: int) -> None:
    """However many documents came, many at once or one at a time."""
    desk = Desk(platform(tmp_path))
    texts = [f"Kettle {n}. ".encode() * (n * 200 + 1) for n in range(count)]
    together = [desk.receive(text, f"{n}.txt") for n, text in enumerate(texts[: count // 2])]
    for one in together:
        desk.ingest(one.document_id)
    for n, text in enumerate(texts[count // 2 :]):
        desk.put(text, f"later {n}.txt")
    desk.rt.shelves.forget(desk.ctx)
    before = desk.house.store.gets
    assert len(desk.found("kettle", k=1000)) == count
    assert desk.house.store.gets - before <= 3
    desk.rt.db.close()


def test_gathering_leaves_large_segments_alone() -> None:
    def made(number: int, count: int, *, apart: bool = False) -> Segment:
        return Segment(str(number), count, 1, f"v{number}" if apart else str(number), "d", 2)

    big, middle = made(0, 10_000), made(1, 2_000)
    few = [made(n, 20) for n in range(2, 5)]
    assert compaction.gathered_of([big, middle, few[0]]) == []
    assert compaction.gathered_of([big, middle, *few]) == few
    assert compaction.gathered_of([big, made(1, 50), *few]) == [*few, made(1, 50)]
    assert compaction.gathered_of([big, made(9, 900, apart=True), few[0]]) == [
        few[0],
        made(9, 900, apart=True),
    ]
    huge = [made(n, 90_000, apart=True) for n in range(3)]
    assert compaction.gathered_of(huge) == []


def test_nothing_is_gathered_while_documents_are_on_the_way(rt: Runtime, tenant: Ctx) -> None:
    for own, segment in [written(rt, tenant) for _ in range(5)]:
        shelf.publish(rt, tenant, own, segment, "ready", {})
    waiting, segment = written(rt, tenant)
    assert not compaction.compact(rt, tenant)
    shelf.publish(rt, tenant, waiting, segment, "ready", {})
    assert compaction.compact(rt, tenant)
    assert len(shelf.head_of(rt, tenant).segments) == 1


def test_what_is_published_late_is_not_on_the_shelf_twice(rt: Runtime, tenant: Ctx) -> None:
    made = [written(rt, tenant) for _ in range(2)]
    for own, segment in made:
        shelf.publish(rt, tenant, own, segment, "ready", {})
    assert compaction.compact(rt, tenant, force=True)
    own, segment = made[0]
    shelf.publish(rt, tenant, own, segment, "ready", {})
    assert sorted(on_shelf(rt, tenant)) == sorted(own for own, _ in made)


class _Sleeper(Shelves):
    """Falls asleep in a merge until another has done it."""

    rt: Runtime
    clock: FakeClock

    def merge(self, ctx: Ctx, head: Head, segments: Sequence[Segment]) -> Segment | None:
        self.clock.advance(1000)
        awake = replace(self.rt, shelves=Shelves(self.rt.vault, 2**20))
        assert compaction.compact(awake, ctx, force=True)
        own, segment = written(awake, ctx)
        shelf.publish(awake, ctx, own, segment, "ready", {})
        return super().merge(ctx, head, segments)


def test_a_merge_that_slept_past_its_lease_changes_nothing(
    rt: Runtime, tenant: Ctx, clock: FakeClock
) -> None:
    for own, segment in [written(rt, tenant) for _ in range(3)]:
        shelf.publish(rt, tenant, own, segment, "ready", {})
    slow = _Sleeper(rt.vault, 2**20)
    slow.rt, slow.clock = rt, clock
    compaction.compact(replace(rt, shelves=slow), tenant, force=True)
    found = on_shelf(rt, tenant)
    assert len(found) == len(set(found)) == 4
