from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.context import Ctx
from core.documents import Fields, FieldValue, Source
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from database import documents, shelves
from database.documents import NewDocument
from tests.fakes.memory import Platform, platform


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Platform]:
    made = platform(tmp_path)
    yield made
    made.rt.db.close()


@pytest.fixture
def ctx(house: Platform) -> Ctx:
    return house.tenant("clearpay")


def put(house: Platform, ctx: Ctx, sha256: str = "ab") -> str:
    new = NewDocument(new_id(), "a.txt", "txt", "text/plain", sha256, 3, {"n": 1}, ("t",))
    with house.rt.db.transaction(ctx) as tx:
        return documents.create(tx, ctx, new).id


def test_a_row_comes_back_as_it_went_in(house: Platform, ctx: Ctx) -> None:
    document_id = put(house, ctx)
    with house.rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    assert (row.status, row.metadata, row.tags, row.size) == ("received", {"n": 1}, ("t",), 3)


def test_a_foreign_row_is_like_no_row(house: Platform, ctx: Ctx) -> None:
    document_id, other = put(house, ctx), house.tenant("mediops")
    with house.rt.db.transaction(ctx) as tx:
        for call in (documents.get, documents.fields, documents.delete):
            with pytest.raises(NotFound):
                call(tx, other, document_id)
        with pytest.raises(NotFound):
            documents.set_status(tx, other, document_id, "ready")
        assert not documents.claim(tx, other, document_id, "me", 5)
        assert documents.many(tx, other, [document_id]) == ()
        assert documents.by_hash(tx, other, "ab") is None
        assert documents.listing(tx, other).items == ()


def test_pages_walk_the_whole_list_newest_first(house: Platform, ctx: Ctx) -> None:
    ids = [put(house, ctx, str(n)) for n in range(5)]
    seen: list[str] = []
    cursor = None
    with house.rt.db.read(ctx) as tx:
        while len(seen) < 10:
            page = documents.listing(tx, ctx, limit=2, cursor=cursor)
            seen += [row.id for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == ids[::-1]


def test_lists_are_filtered_by_known_columns_only(house: Platform, ctx: Ctx) -> None:
    document_id = put(house, ctx)
    with house.rt.db.transaction(ctx) as tx:
        documents.set_status(tx, ctx, document_id, "ready")
        put_status = {"status": "ready"}
        assert len(documents.listing(tx, ctx, filters=put_status).items) == 1
        assert documents.listing(tx, ctx, filters={"status": "failed"}).items == ()
        assert documents.counts(tx, ctx) == {"ready": 1}
        assert documents.stored_bytes(tx, ctx) == 3
        with pytest.raises(InvalidInput):
            documents.listing(tx, ctx, filters={"password": "x"})


def test_known_bytes_are_the_oldest_that_did_not_fail(house: Platform, ctx: Ctx) -> None:
    first, second = put(house, ctx), put(house, ctx)
    with house.rt.db.transaction(ctx) as tx:
        found = documents.by_hash(tx, ctx, "ab")
        assert found is not None
        assert found.id == first
        documents.set_status(tx, ctx, first, "failed", error={"code": "x", "detail": "y"})
        found = documents.by_hash(tx, ctx, "ab")
        assert found is not None
        assert found.id == second


def test_one_handler_at_a_time_until_its_lease_is_over(house: Platform, ctx: Ctx) -> None:
    document_id = put(house, ctx)

    def claims(who: str) -> bool:
        with house.rt.db.transaction(ctx) as tx:
            return documents.claim(tx, ctx, document_id, who, 10)

    assert claims("a")
    assert claims("a")
    assert not claims("b")
    house.clock.advance(11)
    assert claims("b")
    with house.rt.db.transaction(ctx) as tx:
        documents.release(tx, ctx, document_id, "a")
    assert not claims("c")


def test_fields_survive_the_database(house: Platform, ctx: Ctx) -> None:
    document_id = put(house, ctx)
    source = Source(document_id, "a.txt", 1, 0, 3, "12.50")
    fields = Fields(
        "invoice", {"total": FieldValue("12.50", 0.9, source)}, ({"sku": FieldValue("A")},), ("x",)
    )
    with house.rt.db.transaction(ctx) as tx:
        assert documents.fields(tx, ctx, document_id) is None
        documents.save_fields(tx, ctx, document_id, fields)
        assert documents.fields(tx, ctx, document_id) == fields
        assert documents.get(tx, ctx, document_id).document_type == "invoice"


def test_a_head_moves_from_the_version_it_was_read_at_only(house: Platform, ctx: Ctx) -> None:
    with house.rt.db.transaction(ctx) as tx:
        assert shelves.head(tx, ctx).version == 0
        assert shelves.move(tx, ctx, 0, [{"id": "s1"}], [])
        assert not shelves.move(tx, ctx, 0, [{"id": "s2"}], [])
        assert shelves.move(tx, ctx, 1, [{"id": "s2"}], ["gone"])
        assert not shelves.move(tx, ctx, 1, [], [])
        head = shelves.head(tx, ctx)
    assert (head.version, head.segments, head.tombstones) == (2, [{"id": "s2"}], ["gone"])


def test_one_compactor_at_a_time(house: Platform, ctx: Ctx) -> None:
    with house.rt.db.transaction(ctx) as tx:
        assert not shelves.lease_compaction(tx, ctx, 5)  # nothing indexed yet
        assert shelves.move(tx, ctx, 0, [], [])
        assert shelves.lease_compaction(tx, ctx, 5)
        assert not shelves.lease_compaction(tx, ctx, 5)
        shelves.release_compaction(tx, ctx)
        assert shelves.lease_compaction(tx, ctx, 5)


def test_vectors_are_kept_once_and_forgotten_by_key(house: Platform, ctx: Ctx) -> None:
    other = house.tenant("mediops")
    with house.rt.db.transaction(ctx) as tx:
        shelves.keep_vectors(tx, ctx, {str(n): bytes([n % 250]) for n in range(1200)})
        shelves.keep_vectors(tx, ctx, {"1": b"x"})
        known = shelves.known_vectors(tx, ctx, [str(n) for n in range(1300)])
        assert len(known) == 1200
        assert known["1"] == b"\x01"
        assert shelves.known_vectors(tx, other, ["1"]) == {}
        shelves.forget_vectors(tx, ctx, [str(n) for n in range(1100)])
        assert len(shelves.known_vectors(tx, ctx, [str(n) for n in range(1300)])) == 100
