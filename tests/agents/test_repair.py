"""A damaged index: noticed, left out of the answers, made again from the documents, told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import compaction, repair, shelf
from agents.documents import ORIGINAL, PARSED
from agents.ingestion import Upload, remove
from agents.search import search
from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput
from database import documents, runs
from ops.doctor import damage
from runtime import Runtime
from tests.agents.test_ingestion import LONG, Desk
from tests.engine import Drain
from tests.fakes.memory import platform
from vectorstore import SEGMENT, DamagedError
from workflows.tasks import Done

KETTLE, MOON = b"A kettle boils water at sea level.", b"The moon turns around the earth."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(platform(tmp_path))
    yield made
    made.rt.db.close()


def key_of(desk: Desk, kind: str, name: str) -> str:
    return f"t/{desk.ctx.tenant}/{kind}/{name}"


def spoil(desk: Desk, kind: str, name: str, at: int = -1) -> None:
    """One bit of the stored object is another."""
    key = key_of(desk, kind, name)
    data = bytearray(desk.house.store.objects[key])
    data[at] ^= 1
    desk.house.store.objects[key] = bytes(data)
    desk.rt.shelves.forget(desk.ctx)


def lose(desk: Desk, kind: str, name: str) -> bytes:
    desk.rt.shelves.forget(desk.ctx)
    return desk.house.store.objects.pop(key_of(desk, kind, name))


def segment_of(desk: Desk, document_id: str) -> str:
    for one in shelf.head_of(desk.rt, desk.ctx).sound:
        if document_id in desk.rt.shelves.documents(desk.ctx, one):
            return one.id
    raise AssertionError("on no segment")


def degraded(desk: Desk, text: str = "kettle") -> str:
    return search(desk.rt, desk.ctx, text).degraded or ""


def repaired(desk: Desk) -> dict[str, object]:
    done = repair.repair(desk.work("", "repair"))
    assert isinstance(done, Done)
    return done.output


def asked(desk: Desk) -> int:
    with desk.rt.db.read(desk.ctx) as tx:
        return len(runs.listing(tx, desk.ctx, workflow="repair-index").items)


def counted(part: str) -> float:
    return float(telemetry.segments_damaged.labels(part)._value.get())


@pytest.mark.parametrize("damage", ["spoiled", "gone"])
def test_a_damaged_segment_is_left_out_told_and_rebuilt(desk: Desk, damage: str) -> None:
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    name, embedded, before = segment_of(desk, kettle), desk.house.embedder.texts, counted("text")
    spoil(desk, SEGMENT, name) if damage == "spoiled" else lose(desk, SEGMENT, name)
    assert desk.found("kettle water moon") == [moon]
    assert "1 of 2 passages are in a damaged part" in degraded(desk)
    assert (asked(desk), counted("text") - before) == (1, 1)
    assert repaired(desk) == {"segments": 1, "rebuilt": 1, "damaged": [], "missing": []}
    assert (desk.found("kettle")[0], degraded(desk)) == (kettle, "")
    # The two questions were embedded, no passage was.
    assert desk.house.embedder.texts - embedded == 4


def test_only_vectors_are_damaged_and_words_still_find(desk: Desk) -> None:
    own = desk.put(LONG, "book.md")
    head, before = shelf.head_of(desk.rt, desk.ctx), counted("vectors")
    (segment,) = head.segments
    assert segment.vectors not in (None, segment.id)
    spoil(desk, SEGMENT, segment.vectors or "")
    assert desk.found("matter number 7") == [own]
    assert counted("vectors") - before == 1
    assert "have no vectors yet" in degraded(desk, "matter")
    (left,) = shelf.head_of(desk.rt, desk.ctx).segments
    assert (left.id, left.digest, left.damaged_ms) == (segment.id, None, 0)


@pytest.mark.parametrize("at", range(0, 4000, 89))
def test_no_changed_bit_changes_an_answer(desk: Desk, at: int) -> None:
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    right = search(desk.rt, desk.ctx, "kettle", mode="vector").hits
    name = segment_of(desk, kettle)
    size = len(desk.house.store.objects[key_of(desk, SEGMENT, name)])
    spoil(desk, SEGMENT, name, at % size)
    found = search(desk.rt, desk.ctx, "kettle", mode="vector")
    assert found.degraded
    assert [hit.chunk for hit in found.hits] == [h.chunk for h in right if moon in h.chunk.id]
    repaired(desk)
    again = search(desk.rt, desk.ctx, "kettle", mode="vector")
    assert [(h.chunk, h.score) for h in again.hits] == [(h.chunk, h.score) for h in right]


def test_a_damaged_text_is_read_again_from_the_file(desk: Desk) -> None:
    own = desk.put(KETTLE, "kettle.txt")
    spoil(desk, SEGMENT, segment_of(desk, own))
    spoil(desk, PARSED, own)
    degraded(desk)
    assert repaired(desk)["rebuilt"] == 1
    assert desk.found("kettle") == [own]
    spoil(desk, SEGMENT, segment_of(desk, own))
    degraded(desk)
    lose(desk, ORIGINAL, own)
    assert repaired(desk)["rebuilt"] == 1, "what was read again was kept"


def test_a_file_that_is_damaged_too_is_named(desk: Desk) -> None:
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    whole = desk.house.store.objects[key_of(desk, ORIGINAL, kettle)]
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    spoil(desk, PARSED, kettle)
    spoil(desk, ORIGINAL, kettle)
    degraded(desk)
    assert repaired(desk)["damaged"] == [kettle]
    row = desk.row(kettle)
    assert (row.status, (row.error or {})["code"]) == ("failed", "object_damaged")
    assert "Upload it again" in (row.error or {})["detail"]
    assert (desk.found("kettle moon"), degraded(desk)) == ([moon], "")
    desk.house.store.objects[key_of(desk, ORIGINAL, kettle)] = whole
    lose(desk, PARSED, kettle)
    desk.ingest(kettle)
    assert desk.found("kettle")[0] == kettle


def test_what_is_missing_is_waited_for_and_nothing_is_given_up(desk: Desk) -> None:
    """A store that was not restored yet, or is another one."""
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    assert compaction.compact(desk.rt, desk.ctx, force=True)
    lose(desk, SEGMENT, segment_of(desk, kettle))
    lose(desk, PARSED, kettle)
    data = lose(desk, ORIGINAL, kettle)
    degraded(desk)
    assert repaired(desk)["missing"] == [kettle]
    assert (desk.row(kettle).status, desk.found("kettle moon")) == ("ready", [moon])
    assert "damaged part" in degraded(desk)
    desk.house.store.objects[key_of(desk, ORIGINAL, kettle)] = data
    assert repaired(desk)["missing"] == []
    assert (desk.found("kettle")[0], degraded(desk)) == (kettle, "")


def test_the_doctor_names_what_is_damaged_until_it_is_not(desk: Desk) -> None:
    def said() -> tuple[str, str]:
        with desk.rt.db.read(PLATFORM) as tx:
            finding = damage.examine(tx)
        return finding.state, finding.detail

    kettle = desk.put(KETTLE, "kettle.txt")
    assert said()[0] == "ok"
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    degraded(desk)
    assert said() == ("fail", "1 passages of 1 tenants are in damaged parts of their index")
    repaired(desk)
    assert said()[0] == "ok"


def test_a_restored_segment_is_used_again_as_it_is(desk: Desk) -> None:
    kettle = desk.put(KETTLE, "kettle.txt")
    name = segment_of(desk, kettle)
    data = lose(desk, SEGMENT, name)
    assert degraded(desk)
    desk.house.store.objects[key_of(desk, SEGMENT, name)] = data
    assert repaired(desk) == {"segments": 0, "rebuilt": 0, "damaged": [], "missing": []}
    assert (segment_of(desk, kettle), degraded(desk)) == (name, "")


def test_documents_come_and_go_beside_damage(desk: Desk) -> None:
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    remove(desk.rt, desk.ctx, moon, desk.started)
    remove(desk.rt, desk.ctx, kettle, desk.started)
    third = desk.put(b"A third text about kettles and the kettle.", "third.txt")
    compaction.compact(desk.rt, desk.ctx, force=True)
    assert repaired(desk)["rebuilt"] == 0
    compaction.compact(desk.rt, desk.ctx, force=True)
    assert (desk.found("kettle moon"), degraded(desk)) == ([third], "")
    assert shelf.head_of(desk.rt, desk.ctx).tombstones == ()


def test_removing_forgets_cached_vectors_of_a_damaged_segment(desk: Desk) -> None:
    kettle = desk.put(KETTLE, "kettle.txt")
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    degraded(desk)
    remove(desk.rt, desk.ctx, kettle, desk.started)
    embedded = desk.house.embedder.texts
    desk.put(KETTLE, "kettle.txt")
    assert desk.house.embedder.texts - embedded == 1


def test_what_is_removed_while_it_is_rebuilt_stays_removed(desk: Desk) -> None:
    kettle = desk.put(KETTLE, "kettle.txt")
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    spoil(desk, PARSED, kettle)
    degraded(desk)
    desk.house.embedder.before = lambda: None
    write = desk.rt.shelves.write

    def removed_first(*arguments: object, **more: object) -> object:
        remove(desk.rt, desk.ctx, kettle, desk.started)
        return write(*arguments, **more)  # type: ignore[arg-type]

    desk.rt.shelves.write = removed_first  # type: ignore[method-assign, assignment]
    repaired(desk)
    assert desk.found("kettle") == []
    assert desk.blobs(PARSED) == set()


def test_a_merge_that_meets_damage_has_it_repaired(desk: Desk) -> None:
    own = [desk.put(f"Text number {n} about kettle {n}.".encode(), f"{n}.txt") for n in range(3)]
    spoil(desk, SEGMENT, segment_of(desk, own[1]))
    assert not compaction.compact(desk.rt, desk.ctx, force=True)
    assert asked(desk) == 1
    repaired(desk)
    assert compaction.compact(desk.rt, desk.ctx, force=True)
    assert sorted(desk.found("kettle")) == sorted(own)


def test_a_copy_and_its_original_are_each_rebuilt(desk: Desk) -> None:
    first = desk.put(KETTLE, "kettle.txt")
    alias, tagged = desk.put(KETTLE, "same.txt"), desk.put(KETTLE, "other.txt", tags=["x"])
    for name in [segment_of(desk, one) for one in (first, tagged)]:
        spoil(desk, SEGMENT, name)
    degraded(desk)
    assert repaired(desk)["rebuilt"] == 2
    assert desk.found("kettle", filters={"tags": "x"}) == [tagged]
    assert desk.found("kettle", filters={"document_id": alias}) == [alias]


def test_nobody_else_s_shelf_is_touched(desk: Desk) -> None:
    other = Desk(desk.house, desk.house.tenant("other"))
    mine, theirs = desk.put(KETTLE), other.put(KETTLE)
    spoil(desk, SEGMENT, segment_of(desk, mine))
    degraded(desk)
    assert (other.found("kettle"), degraded(other), asked(other)) == ([theirs], "", 0)


def test_a_run_repairs_without_a_person(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    from agents.ingestion import receive

    (got,) = receive(rt, tenant, [Upload("kettle.txt", "text/plain", KETTLE)])
    drain(rt)
    (segment,) = shelf.head_of(rt, tenant).segments
    rt.vault.delete(tenant, SEGMENT, segment.id)
    rt.shelves.forget(tenant)
    assert search(rt, tenant, "kettle").hits == []
    drain(rt)
    hits = search(rt, tenant, "kettle").hits
    assert [hit.chunk.document_id for hit in hits] == [got.document_id]
    with rt.db.read(tenant) as tx:
        assert documents.get(tx, tenant, got.document_id).status == "ready"
        (run,) = runs.listing(tx, tenant, workflow="repair-index").items
    assert run.status == "completed"


def test_new_damage_does_not_wait_for_what_helped_but_only_so_often(
    rt: Runtime, tenant: Ctx, drain: Drain
) -> None:
    from agents.ingestion import receive

    receive(rt, tenant, [Upload("kettle.txt", "text/plain", KETTLE)])
    drain(rt)
    found = []
    for _ in range(4):
        (segment,) = shelf.head_of(rt, tenant).segments
        rt.vault.delete(tenant, SEGMENT, segment.id)
        rt.shelves.forget(tenant)
        search(rt, tenant, "kettle")
        drain(rt)
        found.append(len(search(rt, tenant, "kettle").hits))
    assert found == [1, 1, 1, 0]


def test_a_shelf_read_for_itself_raises(desk: Desk) -> None:
    own = desk.put(KETTLE, "kettle.txt")
    spoil(desk, SEGMENT, segment_of(desk, own))
    (segment,) = shelf.head_of(desk.rt, desk.ctx).segments
    with pytest.raises(DamagedError, match="A search segment is damaged"):
        desk.rt.shelves.entries(desk.ctx, segment)
    with pytest.raises(InvalidInput):
        search(desk.rt, desk.ctx, "kettle", k=0)
