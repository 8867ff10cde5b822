from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from core.context import Ctx
from core.errors import InvalidInput
from core.ids import new_id
from core.vault import Vault
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import DictStore
from tests.vectorstore.conftest import entry
from vectorstore import DamagedError, Entry, Head, Query, Segment, Shelves

EMBEDDER = HashEmbedder()


def written(shelves: Shelves, ctx: Ctx, entries: list[Entry]) -> Segment:
    vectors = EMBEDDER.embed([one.chunk.text for one in entries])
    return shelves.write(ctx, entries, vectors, EMBEDDER.digest)


def ask(text: str, **more: object) -> Query:
    vector = EMBEDDER.embed([text])[0]
    return Query(text, vector, EMBEDDER.digest, **more)  # type: ignore[arg-type]


SUPPORT = [
    entry("ERR-1042 means the payment gateway timed out", "codes", 0),
    entry("ERR-1043 means the card was declined", "codes", 1),
    entry("To reset a password open the account page", "kb", 0),
    entry("Refunds are paid within 14 days", "kb", 1),
]


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "vector"])
def test_the_passage_that_says_it_comes_first(shelves: Shelves, ctx: Ctx, mode: str) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    hits = shelves.search(ctx, head, ask("reset a password", mode=mode, k=2))
    assert hits[0].chunk == SUPPORT[2].chunk
    assert hits[0].filename == "kb.txt"


@pytest.mark.parametrize("question", ["ERR-1042", "err 1042", "what is ERR1042?"])
def test_codes_are_found_however_they_are_written(
    shelves: Shelves, ctx: Ctx, question: str
) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    assert shelves.search(ctx, head, Query(question))[0].chunk.id == "codes:0"


def test_text_is_found_before_its_vectors_are_there(shelves: Shelves, ctx: Ctx) -> None:
    with_vectors = written(shelves, ctx, SUPPORT[:2])
    text_only = shelves.write(ctx, SUPPORT[2:])
    head = Head(1, (with_vectors, text_only))
    assert shelves.search(ctx, head, ask("reset a password"))[0].chunk.id == "kb:0"
    vectors = EMBEDDER.embed([one.chunk.text for one in SUPPORT[2:]])
    attached = shelves.attach(ctx, text_only, vectors, EMBEDDER.digest)
    assert attached.id == text_only.id
    hits = shelves.search(ctx, Head(2, (with_vectors, attached)), ask("password", mode="vector"))
    assert {hit.chunk.id for hit in hits} == {one.chunk.id for one in SUPPORT}


def test_vectors_of_another_model_are_never_compared(shelves: Shelves, ctx: Ctx) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    query = replace(ask("password", mode="vector"), digest="another")
    assert shelves.search(ctx, head, query)[0].chunk.id == "kb:0"  # by keyword


def test_a_removed_document_never_appears(shelves: Shelves, ctx: Ctx) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),), ("kb",))
    for mode in ("hybrid", "keyword", "vector"):
        hits = shelves.search(ctx, head, ask("reset a password", mode=mode))
        assert {hit.chunk.document_id for hit in hits} <= {"codes"}


def test_merging_keeps_what_lives_and_its_answers(shelves: Shelves, ctx: Ctx) -> None:
    one, two = written(shelves, ctx, SUPPORT[:1]), written(shelves, ctx, SUPPORT[1:])
    head = Head(1, (one, two), ("kb",))
    merged = shelves.merge(ctx, head, head.segments)
    assert merged is not None
    assert merged.count == 2
    assert shelves.documents(ctx, merged) == {"codes"}
    fresh = written(shelves, ctx, SUPPORT[:2])
    assert (merged.id, merged.vectors) == (fresh.id, fresh.vectors)


def test_merging_nothing_alive_gives_no_segment(shelves: Shelves, ctx: Ctx) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT[2:]),), ("kb",))
    assert shelves.merge(ctx, head, head.segments) is None


def test_equal_passages_of_equal_files_are_shown_once(shelves: Shelves, ctx: Ctx) -> None:
    twice = [entry("Refunds within 14 days", name, content="same") for name in ("a", "b")]
    head = Head(1, (written(shelves, ctx, twice),))
    assert len(shelves.search(ctx, head, ask("refunds"))) == 1


def test_copies_do_not_crowd_out_other_passages(shelves: Shelves, ctx: Ctx) -> None:
    copies = [entry("refunds refunds", f"c{n}", content="same") for n in range(200)]
    others = [entry(f"refunds and matter {n}", f"o{n}") for n in range(9)]
    head = Head(1, (written(shelves, ctx, copies + others),))
    assert len(shelves.search(ctx, head, ask("refunds", k=10))) == 10


def test_same_entries_make_the_same_segment(shelves: Shelves, ctx: Ctx) -> None:
    assert written(shelves, ctx, SUPPORT) == written(shelves, ctx, SUPPORT)


def test_a_shelf_without_segments_has_no_hits(shelves: Shelves, ctx: Ctx) -> None:
    assert shelves.search(ctx, Head(), ask("anything")) == []


@pytest.mark.parametrize("text", ["", "…", "the", '"(*', "x" * 10_000])
def test_odd_questions_are_answered_without_an_error(shelves: Shelves, ctx: Ctx, text: str) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    assert len(shelves.search(ctx, head, ask(text))) <= 4
    assert len(shelves.search(ctx, head, Query(text))) <= 4


@pytest.mark.parametrize("k", [0, 1001])
def test_k_has_bounds(shelves: Shelves, ctx: Ctx, k: int) -> None:
    with pytest.raises(InvalidInput, match="k must be"):
        shelves.search(ctx, Head(), ask("x", k=k))


def test_a_segment_of_one_tenant_never_opens_for_another(
    shelves: Shelves, store: DictStore, ctx: Ctx
) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    shelves.search(ctx, head, ask("password"))
    other = Ctx(new_id(), "system")
    with pytest.raises(DamagedError, match="is gone"):
        shelves.search(other, head, ask("password"))
    for key, data in list(store.objects.items()):
        store.put(key.replace(ctx.tenant, other.tenant), data, {})
    with pytest.raises(DamagedError, match="not what was written"):
        shelves.search(other, head, ask("password"))


def test_a_thousand_questions_of_one_tenant_show_nothing_of_another(
    shelves: Shelves, ctx: Ctx
) -> None:
    mine = [entry(f"invoice number {n} of ours", f"a{n}") for n in range(50)]
    theirs = [entry(f"letter {n} about weather", f"b{n}") for n in range(50)]
    other = Ctx(new_id(), "system")
    written(shelves, ctx, mine)
    head = Head(1, (written(shelves, other, theirs),))
    leaked = [
        hit
        for n in range(1000)
        for hit in shelves.search(other, head, ask(f"invoice number {n % 50} of ours"))
        if hit.chunk.document_id.startswith("a")
    ]
    assert leaked == []


def test_a_damaged_segment_is_refused(store: DictStore, vault: Vault, ctx: Ctx) -> None:
    segment = written(Shelves(vault, 0), ctx, SUPPORT)
    vault.put(ctx, "segment", segment.id, b"WSEG1\nsomething else")
    with pytest.raises(DamagedError, match="not what was written"):
        Shelves(vault, 0).search(ctx, Head(1, (segment,)), ask("password"))


def test_the_others_answer_for_a_damaged_segment(
    shelves: Shelves, store: DictStore, ctx: Ctx
) -> None:
    codes, kb = written(shelves, ctx, SUPPORT[:2]), written(shelves, ctx, SUPPORT[2:])
    store.objects.pop(f"t/{ctx.tenant}/segment/{codes.id}")
    found = shelves.searched(ctx, Head(1, (codes, kb)), ask("reset a password ERR-1042"))
    assert {hit.chunk.document_id for hit in found.hits} == {"kb"}
    assert [(error.segment, error.part) for error in found.damaged] == [(codes, "text")]
    marked = replace(codes, damaged_ms=1)
    found = shelves.searched(ctx, Head(1, (marked, kb)), ask("password"))
    assert (len(found.hits), found.damaged) == (2, ())


def test_a_field_that_no_document_has_is_named(shelves: Shelves, ctx: Ctx) -> None:
    entries = [entry("a kettle", "d1", metadata={"team": "a"}), entry("a moon", "d2")]
    segments = tuple(written(shelves, ctx, [one]) for one in entries)
    head = Head(1, segments)
    for known in ({"team": "a"}, {"metadata.team": "a"}, {"tags": "none"}):
        assert len(shelves.search(ctx, head, Query("kettle", filters=known))) <= 1
    with pytest.raises(InvalidInput, match=r"No document has a field 'taem'.*team") as caught:
        shelves.search(ctx, head, Query("kettle", filters={"taem": "a"}))
    assert (caught.value.slug, caught.value.extra["field"]) == ("unknown_field", "taem")
    assert shelves.search(ctx, Head(), Query("kettle", filters={"taem": "a"})) == []


def test_a_head_survives_json(shelves: Shelves, ctx: Ctx) -> None:
    segment = written(shelves, ctx, SUPPORT)
    head = Head(3, (segment,), ("gone",), (replace(segment, retired_ms=5),))
    assert Head.from_json(3, *head.to_json()) == head


def test_a_dropped_segment_is_gone(shelves: Shelves, store: DictStore, ctx: Ctx) -> None:
    segment = written(shelves, ctx, SUPPORT)
    head = Head(1, (segment,))
    shelves.search(ctx, head, ask("password"))
    shelves.drop(ctx, segment)
    assert store.objects == {}
    with pytest.raises(DamagedError, match="is gone"):
        shelves.search(ctx, head, ask("password"))


def test_many_tenants_fit_a_small_budget(vault: Vault, store: DictStore) -> None:
    shelves = Shelves(vault, 40_000)
    heads = {}
    for _ in range(30):
        tenant = Ctx(new_id(), "system")
        heads[tenant] = Head(1, (written(shelves, tenant, SUPPORT),))
    for _ in range(2):
        for tenant, head in heads.items():
            assert shelves.search(tenant, head, ask("password"))[0].chunk.id == "kb:0"
            assert shelves.cache.bytes <= 40_000
    before = store.gets
    shelves.search(tenant, head, ask("password"))
    assert store.gets == before


def test_threads_share_one_load(shelves: Shelves, store: DictStore, ctx: Ctx) -> None:
    head = Head(1, (written(shelves, ctx, SUPPORT),))
    ready = threading.Barrier(8)
    answers: list[str] = []

    def search() -> None:
        ready.wait(5)
        answers.append(shelves.search(ctx, head, ask("password"))[0].chunk.id)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == ["kb:0"] * 8
    assert store.gets == 1


def test_a_thousand_hits_can_be_asked_for(shelves: Shelves, ctx: Ctx) -> None:
    entries = [entry(f"refund case {n}", f"d{n}") for n in range(1500)]
    head = Head(1, (written(shelves, ctx, entries),))
    hits = shelves.search(ctx, head, ask("refund case 7", k=1000))
    assert len({hit.chunk.id for hit in hits}) == 1000
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
